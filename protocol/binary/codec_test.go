package binary

import (
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"unicode/utf8"

	"sluice/protocol"
)

func codec(t testing.TB, f Field) *Codec {
	t.Helper()
	c, err := Compile(f)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func unhex(t testing.TB, text string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(text, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// shown reads all values of a field for a table.
func shown(c *Codec, message []byte) string {
	var all []string
	for i := range c.Count() {
		v, err := c.Value(message, i, nil)
		var refusal *protocol.Refusal
		switch {
		case errors.As(err, &refusal):
			return "!" + refusal.Reason
		case v.IsNull():
			all = append(all, "null")
		default:
			all = append(all, v.Kind().String()+":"+v.String())
		}
	}
	return strings.Join(all, " ")
}

func TestValue(t *testing.T) {
	for _, c := range []struct {
		f       Field
		message string
		want    string
	}{
		{Field{Type: "int8"}, "ff", "int:-1"},
		{Field{Type: "uint8", At: 1}, "00 ff", "uint:255"},
		{Field{Type: "int16"}, "ffd6", "int:-42"},
		{Field{Type: "int16", Order: "little"}, "d6ff", "int:-42"},
		{Field{Type: "int24"}, "fffffe", "int:-2"},
		{Field{Type: "uint24", Order: "little"}, "010203", "uint:197121"},
		{Field{Type: "uint32"}, "aabbccdd", "uint:2864434397"},
		{Field{Type: "uint32", Order: "little"}, "aabbccdd", "uint:3721182122"},
		{Field{Type: "uint32", Order: "BADC"}, "aabbccdd", "uint:3148537292"},
		{Field{Type: "uint32", Order: "CDAB"}, "ccddaabb", "uint:2864434397"},
		{Field{Type: "int48", Order: "CDAB"}, "fffe ffff ffff", "int:-2"},
		{Field{Type: "uint48"}, "010000000000", "uint:1099511627776"},
		{Field{Type: "int64"}, "8000000000000000", "int:-9223372036854775808"},
		{Field{Type: "uint64"}, "ffffffffffffffff", "uint:18446744073709551615"},
		{Field{Type: "uint64", Order: "CDAB"}, "0007 0005 0003 0001", fmt.Sprintf("uint:%d", uint64(0x0001000300050007))},
		{Field{Type: "float16"}, "3c00", "float:1"},
		{Field{Type: "float16"}, "4d53", "float:21.3"},
		{Field{Type: "float16"}, "7c00", "float:+Inf"},
		{Field{Type: "float16"}, "7e00", "null"},
		{Field{Type: "float32"}, "3ef126e9", "float:0.471"},
		{Field{Type: "float32", Order: "CDAB"}, "26e93ef1", "float:0.471"},
		{Field{Type: "float32", Order: "little"}, "e926f13e", "float:0.471"},
		{Field{Type: "float32", Order: "BADC"}, "f13ee926", "float:0.471"},
		{Field{Type: "float32"}, "80000000", "float:0"},
		{Field{Type: "float32"}, "7fc00000", "null"},
		{Field{Type: "float32"}, "ff800000", "float:-Inf"},
		{Field{Type: "float64"}, "bf9c6a40c3478f55", "float:-0.02774907295123737"},
		{Field{Type: "float64"}, "7ff8000000000001", "null"},
		{Field{Type: "bool"}, "02", "bool:true"},
		{Field{Type: "bool", Bits: "0"}, "02", "bool:false"},
		{Field{Type: "bool", Length: 2, Bits: "14"}, "4000", "bool:true"},
		{Field{Type: "uint16", Bits: "4-7"}, "1234", "uint:3"},
		{Field{Type: "int8", Bits: "0-3"}, "0f", "int:-1"},
		{Field{Type: "uint16", Order: "little", Bits: "8-15"}, "1234", "uint:52"},
		{Field{Type: "bcd", Length: 3}, "123456", "uint:123456"},
		{Field{Type: "bcd", Length: 2, Order: "little"}, "3412", "uint:1234"},
		{Field{Type: "bcd", Length: 8}, "9999999999999999", "uint:9999999999999999"},
		{Field{Type: "bcd", Length: 1}, "1a", "!type"},
		{Field{Type: "bcd", Length: 1, Missing: []string{"0xff"}}, "ff", "null"},
		{Field{Type: "string", Length: 4}, "41420043", "string:AB"},
		{Field{Type: "string", Length: 4}, "20414220", "string:AB"},
		{Field{Type: "string", Length: 4, Order: "BADC"}, "42414443", "string:ABCD"},
		{Field{Type: "string", Length: 2}, "0000", "null"},
		{Field{Type: "string", Length: 2}, "c3b6", "string:ö"},
		{Field{Type: "string", Length: 2}, "ff41", "!utf8"},
		{Field{Type: "bytes", Length: 2}, "00ff", `bytes:"\x00\xff"`},
		{Field{Type: "uint16", Count: 3}, "000100020003", "uint:1 uint:2 uint:3"},
		{Field{Type: "uint16", Count: 2, At: -4}, "ff 0001 0002", "uint:1 uint:2"},
		{Field{Type: "uint8", At: -1}, "0102", "uint:2"},
		{Field{Type: "uint8", At: -3}, "0102", "!missing"},
		{Field{Type: "uint8", At: 2}, "0102", "!missing"},
		{Field{Type: "uint16", Count: 2}, "000100", "!missing"},
		{Field{Type: "int16", Missing: []string{"-32768", "0x7fff"}, Count: 3}, "8000 7fff 7ffe", "null null int:32766"},
		{Field{Type: "int16", Missing: []string{"65535"}}, "ffff", "null"},
		{Field{Type: "uint16", Bits: "0-3", Missing: []string{"15"}}, "00ff", "null"},
		{Field{Type: "float32", Missing: []string{"-9999", "0x7f7fffff"}, Count: 2}, "c61c3c00 7f7fffff", "null null"},
		{Field{Type: "bcd", Length: 2, Missing: []string{"9999"}}, "9999", "null"},
	} {
		if got := shown(codec(t, c.f), unhex(t, c.message)); got != c.want {
			t.Errorf("%+v of %s: got %s, want %s", c.f, c.message, got, c.want)
		}
	}
}

func TestSpan(t *testing.T) {
	c := codec(t, Field{Type: "uint16", At: -4, Count: 2})
	if from, to, ok := c.Span(10); from != 6 || to != 10 || !ok || c.Size() != 4 {
		t.Errorf("got %d to %d, %v", from, to, ok)
	}
	if _, _, ok := c.Span(3); ok {
		t.Error("4 bytes lie in 3")
	}
}

func TestValidate(t *testing.T) {
	for _, c := range []struct {
		f    Field
		want string
	}{
		{Field{}, "type is required: int8, int16"},
		{Field{Type: "int9"}, `type is "int9", want int8, int16`},
		{Field{Type: "int8", At: 70000}, "at is 70000, want -65535 to 65535"},
		{Field{Type: "int8", Count: -1}, "count is -1, want 0 to 1024"},
		{Field{Type: "string"}, "length is required for string: a number of bytes"},
		{Field{Type: "bcd", Length: 9}, "length is 9, want 1 to 8 bytes"},
		{Field{Type: "bool", Length: 3}, "length is 3, want 1, 2, 4 or 8 bytes for a bool"},
		{Field{Type: "int16", Length: 4}, "length is 4, but int16 has 2 bytes: leave it out"},
		{Field{Type: "int32", At: -2}, "at is -2, but the field has 4 bytes: want -4 or less"},
		{Field{Type: "int32", Order: "ABCD"}, `order is "ABCD", which is written big: want big (ABCD), little (DCBA), CDAB or BADC`},
		{Field{Type: "int32", Order: "dcba"}, `order is "dcba", which is written little: want big`},
		{Field{Type: "int32", Order: "middle"}, `order is "middle", want big (ABCD), little (DCBA), CDAB or BADC`},
		{Field{Type: "int24", Order: "CDAB"}, `order is "CDAB", but 3 bytes are no whole registers`},
		{Field{Type: "string", Length: 3, Order: "BADC"}, `order is "BADC", but 3 bytes are no whole registers`},
		{Field{Type: "string", Length: 4, Order: "little"}, `order is "little", but a text is in the order big, or BADC`},
		{Field{Type: "bytes", Length: 4, Order: "BADC"}, "order is for numbers, but type is bytes"},
		{Field{Type: "float32", Bits: "1"}, "bits needs an integer or a bool, but type is float32"},
		{Field{Type: "int8", Bits: "4-8"}, `bits is "4-8", but int8 has the bits 0 to 7`},
		{Field{Type: "int8", Bits: "7-4"}, `bits is "7-4", want 4-7`},
		{Field{Type: "int8", Bits: "a"}, `bits is "a", want one bit such as 3, or a range such as 4-7`},
		{Field{Type: "int8", Missing: []string{"0x100"}}, "missing has 0x100, want at most 8 bits"},
		{Field{Type: "int8", Missing: []string{"-129"}}, "missing has -129, which no field of 8 bits holds"},
		{Field{Type: "int8", Missing: []string{"none"}}, "missing has none, want a whole number such as 0x7FFF or -32768"},
		{Field{Type: "float32", Missing: []string{"x"}}, "missing has x, want a number or its bits such as 0x7FC00000"},
		{Field{Type: "string", Length: 2, Missing: []string{"0"}}, "missing needs a number, but type is string"},
	} {
		var got []string
		c.f.Validate(func(field, problem string) { got = append(got, field+" "+problem) })
		if len(got) != 1 || !strings.HasPrefix(got[0], c.want) {
			t.Errorf("%+v: got %q, want %q", c.f, got, c.want)
		}
		if _, err := Compile(c.f); err == nil || !strings.HasPrefix(err.Error(), "compile field: ") {
			t.Errorf("%+v was compiled: %v", c.f, err)
		}
	}
}

func TestOrderNames(t *testing.T) {
	for i, name := range Orders() {
		if o, err := ParseOrder(name); err != nil || o != Order(i) || o.String() != name {
			t.Errorf("%s became %v, %v", name, o, err)
		}
	}
	if got := Order(9).String(); got != "Order(9)" {
		t.Errorf("an unknown order is %s", got)
	}
}

func TestValueAllocatesNothing(t *testing.T) {
	var codecs []*Codec
	for _, known := range forms {
		f := Field{Type: known.name, At: 1}
		if known.size == 0 {
			f.Length = 4
		}
		codecs = append(codecs, codec(t, f))
	}
	codecs = append(codecs, codec(t, Field{Type: "string", Length: 6, Order: "BADC"}))
	message, texts := []byte("1234567890"), NewTexts()
	n := testing.AllocsPerRun(100, func() {
		for _, c := range codecs {
			if _, err := c.Value(message, 0, texts); err != nil {
				t.Fatal(err)
			}
		}
	})
	if n != 0 {
		t.Errorf("%v allocations, want 0", n)
	}
}

func TestTextsAreBounded(t *testing.T) {
	texts := NewTexts()
	for i := range 5 * keptTexts {
		texts.of(fmt.Appendf(nil, "text %d", i))
	}
	texts.of(make([]byte, keptText+1))
	if len(texts.known) > keptTexts {
		t.Errorf("%d texts are kept", len(texts.known))
	}
}

func FuzzCodec(f *testing.F) {
	f.Add([]byte("\x00\x01\x02\x03"), "uint16", "CDAB", "", "0x7fff", 0, 0, 2)
	f.Add([]byte("\xff\xffAB"), "string", "BADC", "", "", -4, 4, 0)
	f.Add([]byte("\x12\x34"), "bcd", "little", "", "99", 0, 2, 0)
	f.Add([]byte("\x7f\xc0\x00\x00"), "float32", "", "", "-9999", 0, 0, 1)
	f.Add([]byte("\x81"), "int8", "", "4-7", "15", -1, 0, 0)
	f.Fuzz(func(t *testing.T, message []byte, typ, order, bits, missing string, at, length, count int) {
		field := Field{At: at, Type: typ, Length: length, Order: order, Bits: bits, Count: count}
		if missing != "" {
			field.Missing = []string{missing}
		}
		c, err := Compile(field)
		if err != nil {
			return
		}
		before := string(message)
		texts := NewTexts()
		for i := range c.Count() {
			v, err := c.Value(message, i, texts)
			if err != nil {
				if !v.IsNull() {
					t.Fatalf("%v beside %v", v, err)
				}
				continue
			}
			if n, ok := v.Number(); ok && math.IsNaN(n) || v.Kind() == protocol.KindString && !utf8.ValidString(v.Text()) {
				t.Fatalf("%+v gives %v", field, v)
			}
			if string(message) != before {
				t.Fatal("the message was changed")
			}
			again(t, c, message, i, v)
		}
	})
}

// again writes a value back into an empty message and reads it.
func again(t testing.TB, c *Codec, message []byte, i int, v protocol.Value) {
	t.Helper()
	other := make([]byte, len(message))
	if err := c.Put(other, i, v); err != nil {
		t.Fatalf("put back %v: %v", v, err)
	}
	if got, err := c.Value(other, i, nil); err != nil || got != v {
		t.Fatalf("%v became %v, %v", v, got, err)
	}
}

func BenchmarkValue(b *testing.B) {
	message := unhex(b, "4366 4366 199a 199a")
	for _, f := range []Field{{Type: "uint16"}, {Type: "float32"}, {Type: "float32", Order: "CDAB"}, {Type: "uint64", Order: "little"}, {Type: "string", Length: 4}} {
		b.Run(f.Type+f.Order, func(b *testing.B) {
			c, texts := codec(b, f), NewTexts()
			if f.Type == "string" {
				message = []byte("SDM630")
			}
			b.ReportAllocs()
			for b.Loop() {
				_, _ = c.Value(message, 0, texts)
			}
		})
	}
}
