package payload

import (
	"strings"
	"testing"
	"unicode/utf8"
)

const weighbridge = `^(?P<state>ST|US),GS,\s*(?P<weight>[-+]?[0-9.]+)\s*kg(?: (?P<at>\S+))?`

func TestRegexAll(t *testing.T) {
	check(t, Profile{Decode: Decode{Regex: weighbridge}}, "", []message{
		{"ST,GS,   123.4 kg", "state=string:ST weight=float:123.4"},
		{"ST,GS,   123.4 kg\r\n", "state=string:ST weight=float:123.4"},
		{"US,GS,+0012.50kg", "state=string:US weight=float:12.5"},
		{"US,GS,-0kg", "state=string:US weight=float:0"},
		{"ST,GS,9007199254740993kg", "state=string:ST weight=int:9007199254740993"},
		{"ST,GS,1.2.3kg", "state=string:ST weight=string:1.2.3"},
		{"ST,GS,1 kg\xb2", "state=string:ST weight=float:1"},
		{"ST,GS,1kg now", "state=string:ST weight=float:1 at=string:now"},
		{"ST,GS,kg", "!no_match"}, {"garbage", "!no_match"}, {"\x00\xff", "!no_match"},
		{"", "!empty"}, {" \r\n", "!empty"},
		{"ST,GS,1kg \xff", "!utf8"},
	})
	check(t, Profile{Decode: Decode{Regex: `^(?P<a>.*);(?P<b>.*)$`}}, "", []message{
		{"1;", "a=float:1"}, {";  2 ", "b=float:2"}, {"; x", "b=string: x"}, {";", "!missing"},
		{"0x10;nan", "a=string:0x10 b=string:nan"}, {"1_000;1e999", "a=string:1_000 b=string:1e999"}, {".5;5.", "a=float:0.5 b=float:5"}, {"-;.", "a=string:- b=string:."},
	})
}

func TestRegexListed(t *testing.T) {
	p := Profile{
		Decode:  Decode{Regex: weighbridge},
		Time:    &Time{Path: "at", Format: "rfc3339"},
		Metrics: map[string]Metric{"load": {Path: "weight", Type: "int", Unit: "g", Scale: ptr(1000.0)}, "steady": {Path: "state", Type: "string"}},
	}
	check(t, p, "", []message{
		{"ST,GS, 123.4 kg", "load=int:123400 g steady=string:ST"},
		{"ST,GS, 123.4 kg 2025-11-22T10:00:00.25Z", "load=int:123400 g steady=string:ST @1763805600250000000"},
		{"ST,GS, 1.2.3 kg", "steady=string:ST"},
		{"ST,GS, 1 kg yesterday", "!time"},
	})
	check(t, p, "load", []message{{"ST,GS, 123.4 kg", "load=int:123400 g"}})
	check(t, p, "tare", []message{{"ST,GS, 123.4 kg", "!missing"}})
	p.Metrics = nil
	check(t, p, "", []message{{"ST,GS,1kg 2025-11-22T10:00:00+01:00", "state=string:ST weight=float:1 @1763802000000000000"}})
}

func TestRegexMetricFromTopic(t *testing.T) {
	p := Profile{Decode: Decode{Regex: `^(?P<value>\S+)(?: (?P<unit>\S+))?$`}}
	check(t, p, "power", []message{{"116.23", "power=float:116.23"}, {"116.23 W", "power=float:116.23 unit=string:W"}, {"off", "power=string:off"}})
	check(t, p, "unit", []message{{"1 W", "value=float:1 unit=string:W"}})
	check(t, p, "", []message{{"116.23", "value=float:116.23"}})
}

func FuzzRegex(f *testing.F) {
	for _, in := range []string{"ST,GS,   123.4 kg", "US,GS,-1e5kg 2025-11-22T10:00:00Z", "ST,GS,\xff", "a=1;b=\xc3\xa9"} {
		f.Add(in)
	}
	profiles := []Profile{
		{Decode: Decode{Regex: weighbridge}, Time: &Time{Path: "at", Format: "rfc3339"}},
		{Decode: Decode{Regex: `(?s)(?P<a>.*?)[=;](?P<b>.*)`}},
		{Decode: Decode{Regex: `(?P<a>.+)=(?P<b>.*)`}, Time: &Time{Path: "a", Format: "unix_us"},
			Metrics: map[string]Metric{"b": {Type: "bool"}, "c": {Path: "a", Type: "uint", Offset: ptr(0.1)}}},
	}
	f.Fuzz(func(t *testing.T, in string) {
		for _, p := range profiles {
			got := show(t, decoder(t, p), in, "")
			if got == "!utf8" && utf8.ValidString(in) {
				t.Fatalf("%q: %s", in, got)
			}
		}
		show(t, decoder(t, profiles[2]), in, "b")
	})
}

func TestRegexLongLine(t *testing.T) {
	in := strings.Repeat("x", 100_000) + "ST"
	if got := show(t, decoder(t, Profile{Decode: Decode{Regex: weighbridge}}), in, ""); got != "!no_match" {
		t.Errorf("got %s", got)
	}
}
