package payload

import (
	"strings"
	"testing"

	"github.com/tinylib/msgp/msgp"
)

var allMsgPack = Profile{Decode: Decode{MsgPack: &MsgPack{}}}

func TestMsgPack(t *testing.T) {
	checkHex(t, allMsgPack, []message{
		{"82 a1 61 01 a1 62 92 02 03", "a=float:1 b_0=float:2 b_1=float:3"},
		{"de 0001 a1 61 01", "a=float:1"}, {"df 00000001 d9 01 61 01", "a=float:1"}, {"dc 0001 05", "0=float:5"}, {"dd 00000001 05", "0=float:5"},
		{"83 01 05 ff 06 cd 0100 07", "1=float:5 -1=float:6 256=float:7"},
		{"7f", "value=float:127"}, {"e0", "value=float:-32"}, {"cc ff", "value=float:255"}, {"cd ffff", "value=float:65535"}, {"ce ffffffff", "value=float:4.294967295e+09"},
		{"cf ffffffffffffffff", "value=uint:18446744073709551615"}, {"cf 7fffffffffffffff", "value=int:9223372036854775807"}, {"d3 8000000000000000", "value=int:-9223372036854775808"},
		{"d0 80", "value=float:-128"}, {"d1 8000", "value=float:-32768"}, {"d2 80000000", "value=float:-2.147483648e+09"}, {"d3 0020000000000001", "value=int:9007199254740993"},
		{"ca 3f000000", "value=float:0.5"}, {"cb 3ff199999999999a", "value=float:1.1"}, {"cb 7ff8000000000000", "value=float:NaN"}, {"ca ff800000", "value=float:-Inf"}, {"cb 8000000000000000", "value=float:0"},
		{"c3", "value=bool:true"}, {"92 c0 c2", "1=bool:false"}, {"a2 c3a9", "value=string:é"}, {"a0", "value=string:"}, {"da 0001 61", "value=string:a"}, {"db 00000001 61", "value=string:a"},
		{"c4 02 00ff", "value=bytes:\"\\x00\\xff\""}, {"c5 0001 01", "value=bytes:\"\\x01\""}, {"c6 00000001 01", "value=bytes:\"\\x01\""},
		{"d5 02 2021", "value=bytes:\" !\""}, {"d4 05 01", "value=bytes:\"\\x01\""}, {"c7 03 07 616263", "value=bytes:\"abc\""}, {"c8 0001 07 61", "value=bytes:\"a\""}, {"c9 00000001 07 61", "value=bytes:\"a\""}, {"c7 00 07", "value=bytes:\"\""},
		{"d7 03 0000000000000000", "value=bytes:\"\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\""},
		{"d6 ff 514b67b0", "value=string:2013-03-21T20:04:00Z"}, {"d7 ff 77359400 514b67b0", "value=string:2013-03-21T20:04:00.5Z"}, {"c7 0c ff 1dcd6500 00000000514b67b0", "value=string:2013-03-21T20:04:00.5Z"},
		{"c7 0c ff 00000000 00000003fff00000", "value=string:2514-05-17T22:36:48Z"}, {"c7 0c ff 00000000 7fffffffffffffff", "!type"},

		{"", "!empty"}, {"c0", "!missing"}, {"90", "!missing"}, {"80", "!missing"},
		{"c1", "!syntax"}, {"01 01", "!syntax"}, {"91", "!syntax"}, {"81 a1 61", "!syntax"}, {"a2 61", "!syntax"}, {"cd 01", "!syntax"}, {"cb 00", "!syntax"}, {"c4", "!syntax"}, {"c4 02 00", "!syntax"},
		{"dd ffffffff 00", "!syntax"}, {"df ffffffff 00", "!syntax"}, {"db ffffffff 61", "!syntax"}, {"c6 ffffffff 61", "!syntax"}, {"c9 ffffffff 07 61", "!syntax"}, {"c7", "!syntax"}, {"c8 00", "!syntax"}, {"d8 05 00", "!syntax"}, {"de 00", "!syntax"},
		{"d5 ff 2021", "!syntax"}, {"d7 ff ffffffff 514b67b0", "!syntax"},
		{"a1 ff", "!utf8"}, {"81 a1 ff 01", "!utf8"}, {"81 c4 01 61 01", "!kind"}, {"81 c0 01", "!kind"}, {"81 cb 3ff0000000000000 01", "!kind"},
		{strings.Repeat("91", 64) + "00", strings.Repeat("0_", 63) + "0=float:0"}, {strings.Repeat("91", 65) + "00", "!size"}, {strings.Repeat("91", 100000), "!size"},
	})
}

func TestMsgPackTime(t *testing.T) {
	p := Profile{Decode: Decode{MsgPack: &MsgPack{}}, Time: &Time{Path: "t", Format: "rfc3339"}, Metrics: map[string]Metric{"x": {}, "since": {Type: "float"}, "at": {Type: "int"}}}
	checkHex(t, p, []message{
		{"82 a1 74 d6 ff 514b67b0 a1 78 01", "x=float:1 @1363896240000000000"},
		{"82 a1 74 d7 ff 77359400 514b67b0 a1 78 01", "x=float:1 @1363896240500000000"},
		{"82 a1 74 c7 0c ff 00000001 ffffffffffffffff a1 78 01", "x=float:1 @-999999999"},
		{"82 a1 74 c7 0c ff 00000000 00000003fff00000 a1 78 01", "!time"},
		{"82 a5 73696e6365 d7 ff 77359400 514b67b0 a2 6174 d6 ff 514b67b0", "at=int:1363896240 since=float:1.3638962405e+09"},
	})
}

func FuzzMsgPack(f *testing.F) {
	for _, in := range []string{
		"82a16101a162920203", "de0001a16101", "cfffffffffffffffff", "cb7ff8000000000000", "c40200ff", "c70cff1dcd650000000000514b67b0", "d7ff77359400514b67b0",
		"8301 05 ff06 cd010007", "d5022021", "ddffffffff00", "a1ff", "c1",
	} {
		f.Add(fromHex(f, in))
	}
	f.Fuzz(func(t *testing.T, in string) {
		d := decoder(t, allMsgPack)
		got := show(t, d, in, "")
		if len(in) > maxMessage || got == "!size" {
			return
		}
		rest, err := msgp.Skip([]byte(in))
		if whole := err == nil && len(rest) == 0; !whole && (got[0] != '!' || got == "!missing") {
			t.Fatalf("%x: %s, but msgp finds: %v, %d bytes left", in, got, err, len(rest))
		}
		v, rest, err := msgp.ReadIntfBytes([]byte(in))
		if err != nil || len(rest) > 0 || got == "!utf8" || got == "!kind" || sameTwice(in, formMsgPack) {
			return
		}
		if got == "!syntax" && !strings.Contains(in, "\xff") { // the type of timestamps, which msgp lets be wrong
			t.Fatalf("%x: %s, but msgp finds %v", in, got, v)
		}
		agree(t, d, in, flatten(v))
	})
}

const sixMsgPack = "87 a2 7473 cf 0000019aaaaaaaaa ab 74656d7065726174757265 cb 40356e147ae147ae a8 68756d6964697479 cd 01c5" +
	"a8 7072657373757265 cb 408faa0000000000 a7 62617474657279 cb 400ce147ae147ae1 a4 72737369 d0 b9 a2 6f6b c3"

func TestMsgPackAllocatesNothing(t *testing.T) {
	allocatesNothing(t, allMsgPack, fromHex(t, sixMsgPack))
}

func BenchmarkDecodeMsgPack(b *testing.B) { benchmarkSix(b, allMsgPack, fromHex(b, sixMsgPack)) }
