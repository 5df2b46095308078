package protocol

import (
	"math"
	"testing"
)

func TestValue(t *testing.T) {
	tests := []struct {
		v      Value
		kind   Kind
		text   string // of String
		number float64
		isNum  bool
	}{
		{Value{}, KindNull, "null", 0, false},
		{Float(21.5), KindFloat, "21.5", 21.5, true},
		{Float(math.Inf(-1)), KindFloat, "-Inf", math.Inf(-1), true},
		{Float(5e-324), KindFloat, "5e-324", 5e-324, true},
		{Int(-1), KindInt, "-1", -1, true},
		{Int(math.MinInt64), KindInt, "-9223372036854775808", math.MinInt64, true},
		{Uint(math.MaxUint64), KindUint, "18446744073709551615", math.MaxUint64, true},
		{Bool(true), KindBool, "true", 0, false},
		{Bool(false), KindBool, "false", 0, false},
		{String("°C"), KindString, "°C", 0, false},
		{Bytes("\x00\xff"), KindBytes, `"\x00\xff"`, 0, false},
	}
	for i, tt := range tests {
		if tt.v.Kind() != tt.kind || tt.v.String() != tt.text || tt.v.IsNull() != (tt.kind == KindNull) {
			t.Errorf("%v: is %v, null %v, want %v", tt.text, tt.v.Kind(), tt.v.IsNull(), tt.kind)
		}
		if n, ok := tt.v.Number(); n != tt.number || ok != tt.isNum {
			t.Errorf("%v: Number() = %v, %v, want %v, %v", tt.text, n, ok, tt.number, tt.isNum)
		}
		for j, other := range tests {
			if (tt.v == other.v) != (i == j) {
				t.Errorf("%v == %v is %v", tt.v, other.v, tt.v == other.v)
			}
		}
	}
	one, other := Float(math.NaN()), Float(math.NaN())
	if one != other {
		t.Error("two NaNs of the same bits differ")
	}
}

func TestValueOfAnotherKind(t *testing.T) {
	values := map[Kind]Value{
		KindNull: {}, KindFloat: Float(1), KindInt: Int(1), KindUint: Uint(1), KindBool: Bool(true), KindString: String("1"), KindBytes: Bytes("1"),
	}
	for kind, v := range values {
		if got := v.Float() == 1; got != (kind == KindFloat) {
			t.Errorf("%v: Float() = %v", kind, v.Float())
		}
		if got := v.Int() == 1; got != (kind == KindInt) {
			t.Errorf("%v: Int() = %v", kind, v.Int())
		}
		if got := v.Uint() == 1; got != (kind == KindUint) {
			t.Errorf("%v: Uint() = %v", kind, v.Uint())
		}
		if got := v.Bool(); got != (kind == KindBool) {
			t.Errorf("%v: Bool() = %v", kind, got)
		}
		if got := v.Text() == "1"; got != (kind == KindString || kind == KindBytes) {
			t.Errorf("%v: Text() = %q", kind, v.Text())
		}
	}
}

func TestValueAllocatesNothing(t *testing.T) {
	var sum float64
	n := testing.AllocsPerRun(100, func() {
		for _, v := range [...]Value{Float(1), Int(2), Uint(3), Bool(true), String("x"), Bytes("y")} {
			f, _ := v.Number()
			sum += f
		}
	})
	if n != 0 || sum == 0 {
		t.Errorf("%v allocations, want 0", n)
	}
}

func TestNamesOfNumbers(t *testing.T) {
	for i, want := range []string{"null", "float", "int", "uint", "bool", "string", "bytes", "Kind(7)"} {
		if got := Kind(i).String(); got != want {
			t.Errorf("Kind(%d) is %q, want %q", i, got, want)
		}
	}
	for i, want := range []string{"good", "uncertain", "bad", "Quality(3)"} {
		if got := Quality(i).String(); got != want {
			t.Errorf("Quality(%d) is %q, want %q", i, got, want)
		}
	}
}
