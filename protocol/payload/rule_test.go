package payload

import (
	"fmt"
	"math"
	"math/big"
	"strconv"
	"testing"

	"pgregory.net/rapid"
)

func TestTypes(t *testing.T) {
	tests := []struct {
		typ, src string
		k        kind
		want     string // "" for refused
	}{
		{"float", "21", numberNode, "float:21"}, {"float", "21.5", textNode, "float:21.5"}, {"float", " +21.5 ", textNode, "float:21.5"},
		{"float", "9007199254740993", numberNode, "float:9.007199254740992e+15"},
		{"float", "warm", textNode, ""}, {"float", "", textNode, ""}, {"float", "true", trueNode, ""}, {"float", "1e400", numberNode, ""}, {"float", "inf", textNode, ""}, {"float", "0x1p4", textNode, ""},
		{"float", "1e", textNode, ""}, {"float", "1e+", textNode, ""}, {"float", "1e5x", textNode, ""}, {"float", "1E+2", textNode, "float:100"}, {"float", "1..2", textNode, ""},
		{"int", "21", numberNode, "int:21"}, {"int", "21.0", numberNode, "int:21"}, {"int", "2.1e1", numberNode, "int:21"}, {"int", "-0", numberNode, "int:0"}, {"int", "007", bareText, "int:7"},
		{"int", "9223372036854775807", numberNode, "int:9223372036854775807"}, {"int", "-9223372036854775808", textNode, "int:-9223372036854775808"},
		{"int", "9223372036854775807.000", numberNode, "int:9223372036854775807"},
		{"int", "9223372036854775808", numberNode, ""}, {"int", "-9223372036854775809", numberNode, ""}, {"int", "21.5", numberNode, ""}, {"int", "1e-1", numberNode, ""}, {"int", "1e19", numberNode, ""}, {"int", "1e999999999999", numberNode, ""},
		{"int", "21.00000000000000000000000000001", numberNode, ""},
		{"uint", "18446744073709551615", numberNode, "uint:18446744073709551615"}, {"uint", "1.5e1", numberNode, "uint:15"}, {"uint", "-0", numberNode, "uint:0"},
		{"uint", "-1", numberNode, ""}, {"uint", "18446744073709551616", numberNode, ""},
		{"bool", "true", trueNode, "bool:true"}, {"bool", "false", falseNode, "bool:false"}, {"bool", "1", numberNode, "bool:true"}, {"bool", "0", numberNode, "bool:false"}, {"bool", "1.0", numberNode, "bool:true"},
		{"bool", "ON", textNode, "bool:true"}, {"bool", "Off", bareText, "bool:false"}, {"bool", " TRUE ", textNode, "bool:true"}, {"bool", "false", textNode, "bool:false"}, {"bool", "1", textNode, "bool:true"},
		{"bool", "2", numberNode, ""}, {"bool", "-1", numberNode, ""}, {"bool", "yes", textNode, ""}, {"bool", "", textNode, ""},
		{"string", "x", textNode, "string:x"}, {"string", "1.10", numberNode, "string:1.10"}, {"string", "true", trueNode, "string:true"}, {"string", "007", bareText, "string:007"},
		{"", "007", bareText, "float:7"}, {"", "007", textNode, "string:007"}, {"", "ok", bareText, "string:ok"}, {"", "false", falseNode, "bool:false"},
	}
	for _, tt := range tests {
		rules := newRules(map[string]Metric{"m": {Type: tt.typ}})
		v, ok := rules[0].value(scalar{kind: tt.k, src: []byte(tt.src)})
		got := fmt.Sprintf("%v:%v", v.Kind(), v)
		if !ok {
			got = ""
		}
		if got != tt.want {
			t.Errorf("%s from %q (%c): got %q, want %q", tt.typ, tt.src, tt.k, got, tt.want)
		}
	}
}

func TestScaling(t *testing.T) {
	tests := []struct {
		typ, src      string
		scale, offset *float64
		want          string // "" for refused
	}{
		{"", "453", ptr(0.1), nil, "float:45.3"},
		{"float", "453", ptr(0.01), nil, "float:4.53"},
		{"", "453", ptr(0.1), ptr(-40.0), "float:5.3"},
		{"", "7", ptr(0.05), nil, "float:0.35"},
		{"", "1.1", ptr(1.1), ptr(0.1), "float:1.31"},
		{"", "3", nil, ptr(0.3), "float:3.3"},
		{"", "3", ptr(-1.0), nil, "float:-3"},
		{"", "0", ptr(-0.1), nil, "float:0"},
		{"", "20", ptr(0.5), ptr(-10.0), "float:0"},
		{"", "100", ptr(1e-7), nil, "float:1e-05"},
		{"", "212", ptr(0.5555555555555556), ptr(-17.77777777777778), "float:100"},
		{"", "9007199254740993", ptr(10.0), nil, "float:9.007199254740992e+16"},
		{"", "0.1234567890123456", ptr(0.1), nil, "float:0.01234567890123456"},
		{"", "1e30", nil, ptr(0.5), "float:1e+30"},
		{"", "1e-30", nil, ptr(5e15), "float:5e+15"},
		{"", "9007199254740991", ptr(1.1), nil, fmt.Sprintf("float:%v", 9007199254740991*float64(1.1))},
		{"", "9e15", ptr(0.1), ptr(1e-10), "float:9e+14"},
		{"", "1e300", ptr(1e10), nil, ""},
		{"", "1e400", ptr(0.1), nil, ""},
		{"", "on", ptr(0.1), nil, ""},
		{"int", "453", ptr(0.1), nil, "int:45"},
		{"int", "455", ptr(0.1), nil, "int:46"},
		{"int", "-455", ptr(0.1), nil, "int:-46"},
		{"int", "1.5", ptr(2.0), nil, "int:3"},
		{"int", "1e19", ptr(1.0), nil, ""},
		{"uint", "453", ptr(0.1), ptr(-50.0), ""},
		{"uint", "1e19", ptr(1.0), nil, "uint:10000000000000000000"},
		{"uint", "1e20", ptr(1.0), nil, ""},
	}
	for _, tt := range tests {
		rules := newRules(map[string]Metric{"m": {Type: tt.typ, Scale: tt.scale, Offset: tt.offset}})
		v, ok := rules[0].value(scalar{kind: bareText, src: []byte(tt.src)})
		got := fmt.Sprintf("%v:%v", v.Kind(), v)
		if !ok {
			got = ""
		}
		if got != tt.want {
			t.Errorf("%s from %q: got %q, want %q", tt.typ, tt.src, got, tt.want)
		}
	}
}

// TestScalingIsExact compares with rational arithmetic: where the digits fit,
// the result is the float64 nearest to the exact one.
func TestScalingIsExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		sent := strconv.FormatFloat(float64(rapid.IntRange(-99999, 99999).Draw(t, "sent"))/100, 'f', 2, 64)
		scale := float64(rapid.IntRange(1, 9999).Draw(t, "scale")) / 1000
		offset := float64(rapid.IntRange(-9999, 9999).Draw(t, "offset")) / 10
		exact := new(big.Rat).Mul(rational(sent), rational(strconv.FormatFloat(scale, 'g', -1, 64)))
		exact.Add(exact, rational(strconv.FormatFloat(offset, 'g', -1, 64)))
		want, _ := exact.Float64()

		d, _ := parseDecimal([]byte(sent))
		if got, ok := newScaling(&scale, &offset).apply(&d); !ok || got != want {
			t.Fatalf("%s · %v + %v = %v, want %v", sent, scale, offset, got, want)
		}
	})
}

func rational(s string) *big.Rat {
	r, _ := new(big.Rat).SetString(s)
	return r
}

func TestSentIsTheInverse(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := Metric{
			Scale:  ptr(rapid.SampledFrom([]float64{1, 0.1, 0.01, 0.001, 0.5, 0.25, 10}).Draw(t, "scale")),
			Offset: ptr(rapid.SampledFrom([]float64{0, -40, 0.5, 273.15}).Draw(t, "offset")),
		}
		raw := decimal{digits: uint64(rapid.IntRange(0, 1<<20).Draw(t, "raw"))}
		v, _ := newScaling(m.Scale, m.Offset).apply(&raw)
		if got := m.Sent(v); got != float64(raw.digits) {
			t.Fatalf("%d means %v, which is sent as %v", raw.digits, v, got)
		}
	})
	if got := (Metric{}).Sent(21.5); got != 21.5 {
		t.Errorf("without scale and offset 21.5 is sent as %v", got)
	}
}

// FuzzDecimal compares with strconv.
func FuzzDecimal(f *testing.F) {
	for _, s := range []string{"0", "-0", "1e22", "1.50", "9007199254740993", "18446744073709551616", "1e-400", ".5", "5.", "00000000000000000000001", "1e400", "-0.00000000000000000000000000000001e40"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		d, ok := parseDecimal([]byte(s))
		want, err := strconv.ParseFloat(s, 64)
		if !ok {
			return
		}
		got, fits := d.float()
		if fits != (err == nil) || fits && got != want || math.Signbit(got) && got == 0 {
			t.Fatalf("%q: got %v, %v, want %v, %v", s, got, fits, want, err)
		}
		if len(s) > 1000 || d.digits == 0 {
			return
		}
		if i, whole := d.int(); whole && rational(s).Cmp(new(big.Rat).SetInt64(i)) != 0 {
			t.Fatalf("%q is the integer %d", s, i)
		}
		if u, whole := d.uint(); whole && rational(s).Cmp(new(big.Rat).SetUint64(u)) != 0 {
			t.Fatalf("%q is the integer %d", s, u)
		}
	})
}
