package payload

import (
	"slices"
	"strings"
	"testing"

	"github.com/fxamacker/cbor/v2"

	"sluice/protocol"
)

var allCBOR = Profile{Decode: Decode{CBOR: &CBOR{}}}

// checkHex is check with messages in hexadecimal digits.
func checkHex(t *testing.T, p Profile, rows []message) {
	t.Helper()
	for i := range rows {
		rows[i].in = fromHex(t, rows[i].in)
	}
	check(t, p, "", rows)
}

func TestCBOR(t *testing.T) {
	checkHex(t, allCBOR, []message{
		{"a2 61 61 01 61 62 82 02 03", "a=float:1 b_0=float:2 b_1=float:3"},
		{"bf 61 61 9f 01 ff ff", "a_0=float:1"},
		{"a2 01 18 18 20 19 0100", "1=float:24 -1=float:256"},
		{"a1 1b ffffffffffffffff 05", "18446744073709551615=float:5"},
		{"1a 000f4240", "value=float:1e+06"},
		{"1b 0020000000000000", "value=float:9.007199254740992e+15"},
		{"1b 0020000000000001", "value=int:9007199254740993"},
		{"3b 0020000000000000", "value=int:-9007199254740993"},
		{"1b ffffffffffffffff", "value=uint:18446744073709551615"},
		{"3b 7fffffffffffffff", "value=int:-9223372036854775808"},
		{"3b 8000000000000000", "!type"},
		{"3b ffffffffffffffff", "value=float:-1.8446744073709552e+19"},
		{"f9 3c00", "value=float:1"}, {"f9 0001", "value=float:5.960464477539063e-08"}, {"f9 7bff", "value=float:65504"},
		{"f9 8000", "value=float:0"}, {"f9 c400", "value=float:-4"}, {"f9 7e00", "value=float:NaN"}, {"f9 7c00", "value=float:+Inf"}, {"f9 fc00", "value=float:-Inf"},
		{"fa 47c35000", "value=float:100000"}, {"fb 3ff199999999999a", "value=float:1.1"}, {"fa 7fc00000", "value=float:NaN"},
		{"c2 49 010000000000000000", "value=float:1.8446744073709552e+19"},
		{"c2 49 010000000000000001", "!type"},
		{"c2 48 ffffffffffffffff", "value=uint:18446744073709551615"},
		{"c2 4a 00000000000000000005", "value=float:5"}, {"c2 40", "value=float:0"},
		{"c3 41 00", "value=float:-1"}, {"c3 49 010000000000000000", "!type"}, {"c3 48 ffffffffffffffff", "value=float:-1.8446744073709552e+19"},
		{"c2 5f 41 01 41 00 ff", "value=float:256"},
		{"c4 82 21 19 6ab3", "value=float:273.15"}, {"c4 82 02 05", "value=float:500"},
		{"d9 d9f7 a1 61 61 01", "a=float:1"}, {"d8 20 c2 41 05", "value=float:5"},
		{"c0 74 323031332d30332d32315432303a30343a30305a", "value=string:2013-03-21T20:04:00Z"}, {"c1 1a 514b67b0", "value=float:1.36389624e+09"},
		{"43 010203", "value=bytes:\"\\x01\\x02\\x03\""}, {"5f 42 0102 41 03 ff", "value=bytes:\"\\x01\\x02\\x03\""},
		{"7f 65 7374726561 64 6d696e67 ff", "value=string:streaming"}, {"bf 7f 61 61 61 62 ff 01 ff", "ab=float:1"},
		{"60", "value=string:"},
		{"82 f6 f5", "1=bool:true"}, {"82 f7 f4", "1=bool:false"}, {"82 f0 f5", "1=bool:true"}, {"82 f8ff f5", "1=bool:true"},
		{"a2 61 61 01 61 61 02", "a=float:1"},

		{"", "!empty"}, {"f6", "!missing"}, {"80", "!missing"}, {"a0", "!missing"}, {"9fff", "!missing"},
		{"00 00", "!syntax"}, {"18", "!syntax"}, {"1c", "!syntax"}, {"1f", "!syntax"}, {"ff", "!syntax"}, {"81 ff", "!syntax"}, {"a1 00", "!syntax"},
		{"bf 00 ff", "!syntax"}, {"5f 61 00 ff", "!syntax"}, {"5f 5f 41 00 ff ff", "!syntax"}, {"f8 00", "!syntax"}, {"df 00", "!syntax"}, {"d8", "!syntax"},
		{"9b ffffffffffffffff 00", "!syntax"}, {"bb ffffffffffffffff 00", "!syntax"}, {"5b ffffffffffffffff 00", "!syntax"}, {"9a 00100000 00", "!syntax"},
		{"61 ff", "!utf8"}, {"a1 61 ff 00", "!utf8"}, {"7f 61 c3 61 a9 ff", "!utf8"},
		{"a1 41 61 00", "!kind"}, {"a1 f9 3c00 00", "!kind"}, {"a1 f5 00", "!kind"}, {"a1 f6 00", "!kind"},
		{"c2 05", "!syntax"}, {"c4 80", "!syntax"}, {"c4 83 000000", "!syntax"}, {"c1 60", "!syntax"}, {"c0 00", "!syntax"},
		{strings.Repeat("81", 64) + "00", strings.Repeat("0_", 63) + "0=float:0"}, {strings.Repeat("81", 65) + "00", "!size"}, {strings.Repeat("9f", 100000), "!size"},
		{strings.Repeat("c6", 100000) + "05", "value=float:5"},
	})
}

func TestCBORWithTypes(t *testing.T) {
	p := Profile{Decode: Decode{CBOR: &CBOR{}}, Time: &Time{Path: "t", Format: "unix_ms"}, Metrics: map[string]Metric{
		"i": {Type: "int"}, "u": {Type: "uint"}, "f": {Type: "float"}, "b": {Type: "bool"}, "s": {Type: "string"}, "x": {Scale: ptr(0.1)}, "a": {Path: "3.-1"},
	}}
	checkHex(t, p, []message{
		{"a1 61 69 1b 7fffffffffffffff", "i=int:9223372036854775807"}, {"a1 61 69 3b 7fffffffffffffff", "i=int:-9223372036854775808"}, {"a1 61 69 fb 4000000000000000", "i=int:2"},
		{"a1 61 69 fb 43e0000000000000", "!type"}, {"a1 61 75 fb 43e0000000000000", "u=uint:9223372036854775808"}, {"a1 61 69 f9 3e00", "!type"}, {"a1 61 69 f9 7e00", "!type"},
		{"a1 61 75 1b ffffffffffffffff", "u=uint:18446744073709551615"}, {"a1 61 75 20", "!type"},
		{"a1 61 66 1b ffffffffffffffff", "f=float:1.8446744073709552e+19"}, {"a1 61 66 f9 7e00", "f=float:NaN"}, {"a1 61 66 63 312e35", "f=float:1.5"},
		{"a1 61 62 01", "b=bool:true"}, {"a1 61 62 f4", "b=bool:false"}, {"a1 61 62 62 6f6e", "b=bool:true"}, {"a1 61 62 02", "!type"}, {"a1 61 62 42 6f6e", "!type"},
		{"a1 61 73 20", "s=string:-1"}, {"a1 61 73 1b ffffffffffffffff", "s=string:18446744073709551615"}, {"a1 61 73 f5", "s=string:true"}, {"a1 61 73 fb 3ff8000000000000", "s=string:1.5"}, {"a1 61 73 41 61", "!type"},
		{"a1 61 73 c4 82 21 19 6ab3", "s=string:273.15"},
		{"a1 61 78 19 01c5", "x=float:45.3"}, {"a1 61 78 fb 407c500000000000", "x=float:45.3"}, {"a1 61 78 fb 4036666666666666", "x=float:2.24"}, {"a1 61 78 f9 7e00", "x=float:NaN"}, {"a1 61 78 41 05", "!type"},
		{"a1 61 78 c4 82 20 19 01c5", "x=float:4.53"},
		{"a1 03 a1 20 07", "a=float:7"},
		{"a2 61 74 1b 0000019aaaaaaaaa 61 69 01", "i=int:1 @1763799902890000000"},
		{"a2 61 74 c1 1a 514b67b0 61 69 01", "i=int:1 @1363896240000000000"}, {"a2 61 74 c1 fb 41d452d9ec200000 61 69 01", "i=int:1 @1363896240500000000"},
		{"a2 61 74 c0 74 323031332d30332d32315432303a30343a30305a 61 69 01", "i=int:1 @1363896240000000000"},
		{"a2 61 74 c0 61 78 61 69 01", "!time"}, {"a2 61 74 f9 7e00 61 69 01", "!time"}, {"a2 61 74 41 00 61 69 01", "!time"}, {"a2 61 74 f5 61 69 01", "!time"}, {"a2 61 74 f6 61 69 01", "i=int:1"},
	})
	p.Decode.CBOR.Each = "1"
	checkHex(t, p, []message{{"a1 01 82 a1 61 69 01 a1 61 69 02", "i=int:1 | i=int:2"}})
}

func TestCBORErrorsAreForPeople(t *testing.T) {
	d := decoder(t, Profile{Decode: Decode{CBOR: &CBOR{}}, Metrics: map[string]Metric{"t": {Type: "int"}}})
	for in, want := range map[string]string{
		"a1 61 74 fb 3ff8000000000000":      `type: metric t: want a number for type int, found "1.5"`,
		"a1 61 74 41 05":                    `type: metric t: want a number for type int, found 1 bytes`,
		"a1 61 74 80":                       `type: metric t: want one value, found an array`,
		"a1 61 74 c2 49 010000000000000001": `type: metric t: want a number for type int, found an integer beyond 64 bits`,
		"a1 61 74 f5":                       `type: metric t: want a number for type int, found "true"`,
		"82 01":                             `syntax: the item at byte 0 is cut off`,
		"19 01":                             `syntax: the item at byte 0 is cut off`,
	} {
		err := d.Decode(&protocol.Batch{}, Message{Payload: []byte(fromHex(t, in)), Device: device})
		if err == nil || err.Error() != want {
			t.Errorf("%s:\n got %v\nwant %s", in, err, want)
		}
	}
}

// otherCBOR is the library that our reader is held against.
func otherCBOR(t testing.TB) cbor.DecMode {
	t.Helper()
	mode, err := cbor.DecOptions{MaxNestedLevels: 65535, MaxArrayElements: 1 << 30, MaxMapPairs: 1 << 30, IntDec: cbor.IntDecConvertNone}.DecMode()
	if err != nil {
		t.Fatal(err)
	}
	return mode
}

func FuzzCBOR(f *testing.F) {
	for _, in := range []string{
		"a26161016162820203", "bf61619f01ffff", "1bffffffffffffffff", "3bffffffffffffffff", "f97e00", "fb3ff199999999999a", "c249010000000000000000",
		"c48221196ab3", "c11a514b67b0", "7f657374726561646d696e67ff", "5f42010243030405ff", "f818", "a201181820190100", "d9d9f78301f5f6", "61c3",
	} {
		f.Add(fromHex(f, in))
	}
	other := otherCBOR(f)
	f.Fuzz(func(t *testing.T, in string) {
		d := decoder(t, allCBOR)
		got := show(t, d, in, "")
		if len(in) > maxMessage || got == "!size" {
			return
		}
		err := other.Wellformed([]byte(in))
		if (got[0] != '!' || got == "!missing" || got == "!kind") && got != "!kind" && err != nil {
			t.Fatalf("%x: %s, but fxamacker finds: %v", in, got, err)
		}
		var v any
		if err != nil || other.Unmarshal([]byte(in), &v) != nil || got == "!kind" || sameTwice(in, formCBOR) {
			return
		}
		mayTag := func(c byte) bool { return c >= 0xc0 && c <= 0xdb }
		if got == "!syntax" && !slices.ContainsFunc([]byte(in), mayTag) {
			t.Fatalf("%x: %s, but fxamacker finds %v", in, got, v)
		}
		agree(t, d, in, untagged(v))
	})
}

// untagged flattens a value, which is not clear where it holds tags.
func untagged(v any) flat { return flatten(simply(v)) }

// simply replaces the library's simple values, which are no value here.
func simply(v any) any {
	switch v := v.(type) {
	case cbor.SimpleValue:
		return nil
	case []any:
		for i := range v {
			v[i] = simply(v[i])
		}
	case map[any]any:
		for k := range v {
			v[k] = simply(v[k])
		}
	}
	return v
}

const sixCBOR = "a7 62 7473 1b 0000019aaaaaaaaa 6b 74656d7065726174757265 fb 40356e147ae147ae 68 68756d6964697479 19 01c5" +
	"68 7072657373757265 fb 408faa0000000000 67 62617474657279 fb 400ce147ae147ae1 64 72737369 38 46 62 6f6b f5"

func TestCBORAllocatesNothing(t *testing.T) { allocatesNothing(t, allCBOR, fromHex(t, sixCBOR)) }

// allocatesNothing holds that a message of the six metrics costs no garbage.
func allocatesNothing(t *testing.T, p Profile, in string) {
	t.Helper()
	listed := sixListed
	listed.Decode = p.Decode
	for name, p := range map[string]Profile{"by path": listed, "all": p} {
		d := decoder(t, p)
		b := &protocol.Batch{}
		m := Message{Payload: []byte(in), Device: device, Received: 7}
		n := testing.AllocsPerRun(100, func() {
			b.Reset()
			if err := d.Decode(b, m); err != nil {
				t.Fatal(err)
			}
		})
		if n != 0 || len(b.Readings[0].Metrics) < 6 {
			t.Errorf("%s: %v allocations, want 0; %+v", name, n, b.Readings)
		}
	}
}

func BenchmarkDecodeCBOR(b *testing.B) {
	in := fromHex(b, sixCBOR)
	benchmarkSix(b, allCBOR, in)
	b.Run("fxamacker", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			var v any
			if err := cbor.Unmarshal([]byte(in), &v); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// benchmarkSix decodes a message of the six metrics by path and without a list.
func benchmarkSix(b *testing.B, p Profile, in string) {
	listed := sixListed
	listed.Decode = p.Decode
	for _, bb := range []struct {
		name string
		p    Profile
	}{{"by path", listed}, {"all", p}} {
		b.Run(bb.name, func(b *testing.B) {
			d := decoder(b, bb.p)
			batch := &protocol.Batch{}
			m := Message{Payload: []byte(in), Device: device, Received: 7}
			b.SetBytes(int64(len(in)))
			b.ReportAllocs()
			for b.Loop() {
				batch.Reset()
				if err := d.Decode(batch, m); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
