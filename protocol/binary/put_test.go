package binary

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"sluice/protocol"
)

// anyField draws a field that is valid.
func anyField(t *rapid.T) Field {
	known := rapid.SampledFrom(forms[:]).Draw(t, "type")
	f := Field{Type: known.name, At: rapid.IntRange(0, 5).Draw(t, "at"), Count: rapid.IntRange(0, 3).Draw(t, "count")}
	switch known.kind {
	case kindBool:
		f.Length = rapid.SampledFrom([]int{0, 1, 2, 4, 8}).Draw(t, "length")
	case kindBCD:
		f.Length = rapid.IntRange(1, 8).Draw(t, "length")
	case kindString, kindBytes:
		f.Length = rapid.IntRange(1, 20).Draw(t, "length")
	}
	known, _ = f.form()
	switch orders := Orders(); {
	case known.kind == kindBytes:
	case known.kind == kindString:
		if f.Length%2 == 0 {
			f.Order = rapid.SampledFrom([]string{"", "big", "BADC"}).Draw(t, "order")
		}
	case known.size%2 != 0 && known.size != 1:
		f.Order = rapid.SampledFrom(orders[:2]).Draw(t, "order")
	default:
		f.Order = rapid.SampledFrom(orders).Draw(t, "order")
	}
	if known.kind <= kindBool && known.kind != kindFloat && rapid.Bool().Draw(t, "has bits") {
		to := rapid.IntRange(0, known.size*8-1).Draw(t, "to")
		from := rapid.IntRange(0, to).Draw(t, "from")
		f.Bits = protocol.Int(int64(from)).String() + "-" + protocol.Int(int64(to)).String()
	}
	return f
}

// anyValue draws a value that the field can hold.
func anyValue(t *rapid.T, c *Codec) protocol.Value {
	switch c.kind {
	case kindInt:
		n := rapid.Int64().Draw(t, "int")
		return protocol.Int(n << (64 - c.width) >> (64 - c.width))
	case kindUint:
		return protocol.Uint(rapid.Uint64().Draw(t, "uint") & c.mask())
	case kindBool:
		return protocol.Bool(rapid.Bool().Draw(t, "bool"))
	case kindBCD:
		return protocol.Uint(rapid.Uint64Max(uint64(math.Pow10(2*c.size)-1)).Draw(t, "digits"))
	case kindFloat:
		return floatOf(c, rapid.Uint64().Draw(t, "bits"))
	case kindString:
		text := strings.Map(func(r rune) rune {
			if r == 0 {
				return 'x'
			}
			return r
		}, rapid.StringN(1, -1, c.size).Draw(t, "text"))
		if text = strings.TrimSpace(text); text == "" {
			return protocol.Value{}
		}
		return protocol.String(text)
	}
	return protocol.Bytes(string(rapid.SliceOfN(rapid.Byte(), c.size, c.size).Draw(t, "bytes")))
}

func floatOf(c *Codec, bits uint64) protocol.Value {
	p := make([]byte, c.size)
	c.order.store(p, bits)
	return c.float(p)
}

func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c, err := Compile(anyField(t))
		if err != nil {
			t.Fatal(err)
		}
		noise := rapid.SliceOfN(rapid.Byte(), c.at+c.Size(), c.at+c.Size()+3).Draw(t, "message")
		message := slices.Clone(noise)
		values := make([]protocol.Value, c.Count())
		for i := range values {
			values[i] = anyValue(t, c)
			if err := c.Put(message, i, values[i]); err != nil {
				t.Fatalf("put %v: %v", values[i], err)
			}
		}
		for i, want := range values {
			if got, err := c.Value(message, i, nil); err != nil || got != want {
				t.Fatalf("%v became %v, %v", want, got, err)
			}
		}
		from, to, _ := c.Span(len(message))
		if !slices.Equal(message[:from], noise[:from]) || !slices.Equal(message[to:], noise[to:]) {
			t.Fatal("bytes beside the field were changed")
		}
	})
}

func TestPutKeepsOtherBits(t *testing.T) {
	for _, order := range Orders() {
		c := codec(t, Field{Type: "uint32", Bits: "4-11", Order: order})
		message := make([]byte, 4)
		c.order.store(message, 0xffffffff)
		if err := c.Put(message, 0, protocol.Uint(0)); err != nil {
			t.Fatal(err)
		}
		if got := c.order.load(message); got != 0xfffff00f {
			t.Errorf("%s: got %x", order, got)
		}
	}
}

func TestPutRefuses(t *testing.T) {
	for _, c := range []struct {
		f Field
		v protocol.Value
	}{
		{Field{Type: "int8"}, protocol.Int(128)}, {Field{Type: "int8"}, protocol.Int(-129)}, {Field{Type: "uint8"}, protocol.Int(-1)},
		{Field{Type: "uint8"}, protocol.Uint(256)}, {Field{Type: "uint8"}, protocol.Float(1.5)}, {Field{Type: "uint8"}, protocol.Float(math.NaN())},
		{Field{Type: "uint64"}, protocol.Float(1 << 64)}, {Field{Type: "uint8"}, protocol.Value{}}, {Field{Type: "uint8"}, protocol.String("1")},
		{Field{Type: "float32"}, protocol.String("1")}, {Field{Type: "bool"}, protocol.Int(1)}, {Field{Type: "bcd", Length: 1}, protocol.Int(100)},
		{Field{Type: "bcd", Length: 8}, protocol.Uint(math.MaxUint64)}, {Field{Type: "bcd", Length: 1}, protocol.Int(-1)},
		{Field{Type: "string", Length: 2}, protocol.String("abc")}, {Field{Type: "string", Length: 2}, protocol.Int(1)},
		{Field{Type: "bytes", Length: 2}, protocol.Bytes("a")}, {Field{Type: "bytes", Length: 2}, protocol.String("ab")},
		{Field{Type: "uint8", At: 8}, protocol.Int(1)}, {Field{Type: "uint8", Bits: "0-3"}, protocol.Int(16)},
	} {
		message := []byte("12345678")
		if err := codec(t, c.f).Put(message, 0, c.v); err == nil || string(message) != "12345678" {
			t.Errorf("%v was put into %+v: %q, %v", c.v, c.f, message, err)
		}
	}
}

func TestPutNull(t *testing.T) {
	for _, f := range []Field{{Type: "int16", Missing: []string{"-32768"}}, {Type: "float32"}, {Type: "float16"}, {Type: "float64", Missing: []string{"-1"}}, {Type: "string", Length: 4}} {
		c, message := codec(t, f), []byte("12345678")
		err := c.Put(message, 0, protocol.Value{})
		if v, again := c.Value(message, 0, nil); err != nil || again != nil || !v.IsNull() {
			t.Errorf("%+v: null became %v, %v, %v", f, v, err, again)
		}
	}
}

func TestHalfBothWays(t *testing.T) {
	for h := range 1 << 16 {
		f := fromHalf(uint16(h))
		if got := toHalf(f); got != uint16(h) && !math.IsNaN(f) {
			t.Fatalf("%04x is %v and became %04x", h, f, got)
		}
		if got := toHalf(shortest16(uint16(h))); got != uint16(h) && !math.IsNaN(f) {
			t.Fatalf("%04x is shown as %v and became %04x", h, shortest16(uint16(h)), got)
		}
	}
	for f, want := range map[float64]uint16{65519: 0x7bff, 65520: 0x7c00, 1 + 0x1p-11: 0x3c00, 1 + 0x3p-11: 0x3c02, 0x1p-25: 0, 0x1.8p-25: 1, 2047.5: 0x6800} {
		if got := toHalf(f); got != want {
			t.Errorf("%v became %04x, want %04x", f, got, want)
		}
	}
}

func TestShortest(t *testing.T) {
	for _, want := range []float64{
		0.471, 0.1, 21.3, 230.1, -40.05, 9.999999, 99999.99, 1013.25, 16777215, 0.0001234, 1.5e-20, 3e-45, 5e-10, 1e-30, 0.3333333, 123456.7, 0,
		3.4028234663852886e38, math.Inf(1), 1 << 40,
	} {
		if got := Shortest(float32(want)); got != want {
			t.Errorf("%v became %v", want, got)
		}
	}
	if !math.IsNaN(Shortest(float32(math.NaN()))) {
		t.Error("NaN became a number")
	}
	if n := testing.AllocsPerRun(100, func() { Shortest(3e-38) }); n != 0 {
		t.Errorf("%v allocations, want 0", n)
	}
	source := rand.New(rand.NewPCG(1, 2))
	for range 1_000_000 {
		f := math.Float32frombits(source.Uint32())
		if got := Shortest(f); float32(got) != f && f == f {
			t.Fatalf("%v (%08x) became %v", f, math.Float32bits(f), got)
		}
	}
}
