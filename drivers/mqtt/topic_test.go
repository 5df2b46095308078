package mqtt

import (
	"slices"
	"strings"
	"testing"
)

func TestParsePattern(t *testing.T) {
	for _, test := range []struct{ pattern, filter, captures, err string }{
		{pattern: "a/b", filter: "a/b"},
		{pattern: "plant/{area}/{device}/climate", filter: "plant/+/+/climate", captures: "area device"},
		{pattern: "a/{rest...}", filter: "a/#", captures: "rest"},
		{pattern: "{device...}", filter: "#", captures: "device"},
		{pattern: "+/b/#", filter: "+/b/#"},
		{pattern: "/{device}/", filter: "/+/", captures: "device"},
		{pattern: "$SYS/{device}", filter: "$SYS/+", captures: "device"},
		{pattern: "µ/{a-1_B}", filter: "µ/+", captures: "a-1_B"},
		{pattern: "", err: "empty"},
		{pattern: "a\x00b", err: "NUL"},
		{pattern: strings.Repeat("a", 65536), err: "65535"},
		{pattern: "$share/g/a/{device}", err: "shared"},
		{pattern: "a/x{device}", err: "whole level"},
		{pattern: "a/b+", err: "whole level"},
		{pattern: "a#", err: "whole level"},
		{pattern: "a/{device", err: "whole level"},
		{pattern: "a/{}", err: "letters"},
		{pattern: "a/{...}", err: "letters"},
		{pattern: "a/{de vice}", err: "letters"},
		{pattern: "a/{x...}/b", err: "before its end"},
		{pattern: "#/b", err: "before its end"},
		{pattern: "{x}/{x}", err: "twice"},
	} {
		p, err := ParsePattern(test.pattern)
		if test.err != "" {
			if err == nil || !strings.Contains(err.Error(), test.err) {
				t.Errorf("ParsePattern(%.20q) gives error %v, want one with %q", test.pattern, err, test.err)
			}
			continue
		}
		if err != nil {
			t.Errorf("ParsePattern(%q): %v", test.pattern, err)
			continue
		}
		if got := p.Filter(); got != test.filter {
			t.Errorf("filter of %q is %q, want %q", test.pattern, got, test.filter)
		}
		if got := strings.Join(p.Captures(), " "); got != test.captures {
			t.Errorf("captures of %q are %q, want %q", test.pattern, got, test.captures)
		}
	}
}

func TestPatternMatch(t *testing.T) {
	const no = "no match"
	for _, test := range []struct{ pattern, topic, captured string }{
		{"a/b", "a/b", ""},
		{"a/b", "a/b/c", no},
		{"a/b", "a", no},
		{"{x}/{y}", "a/b", "a|b"},
		{"{x}/{y}", "/", "|"},
		{"a/{x}", "a/", ""},
		{"a/{x}", "a", no},
		{"a/{x...}", "a/b/c", "b/c"},
		{"a/{x...}", "a/", ""},
		{"a/{x...}", "a", no},
		{"a/#", "a", ""},
		{"a/#", "a/b/c", ""},
		{"+/{x}", "a/b", "b"},
		{"#", "$SYS/x", no},
		{"{x...}", "$SYS/x", no},
		{"+/x", "$SYS/x", no},
		{"$SYS/{x}", "$SYS/x", "x"},
		{"a/{x}", "a/$x", "$x"},
		{"a/{x}/c", "a/ü\x01 */c", "ü\x01 *"},
	} {
		p, err := ParsePattern(test.pattern)
		if err != nil {
			t.Fatal(err)
		}
		captured, ok := p.Match(test.topic)
		got := strings.Join(captured, "|")
		if !ok {
			got = no
		}
		if got != test.captured {
			t.Errorf("%q on %q gives %q, want %q", test.pattern, test.topic, got, test.captured)
		}
	}
}

// FuzzPattern holds a pattern to what its filter matches by the words of the
// MQTT standard, but for {x...}, which wants one level more.
func FuzzPattern(f *testing.F) {
	f.Add("plant/{area}/{device}/climate", "plant/a/s1/climate")
	f.Add("a/{x...}", "a")
	f.Add("+/#", "$SYS/x")
	f.Fuzz(func(t *testing.T, pattern, topic string) {
		p, err := ParsePattern(pattern)
		if err != nil || topic == "" {
			return
		}
		captured, ok := p.Match(topic)
		last := p.levels[len(p.levels)-1]
		want := filterMatches(p.Filter(), topic)
		if last.kind == rest && strings.Count(topic, "/") < len(p.levels)-1 {
			want = false
		}
		if ok != want {
			t.Errorf("%q matches %q: %v, its filter %q: %v", pattern, topic, ok, p.Filter(), want)
		}
		if ok && len(captured) != len(p.Captures()) {
			t.Errorf("%q captures %q in %q, want one text for each of %q", pattern, captured, topic, p.Captures())
		}
	})
}

func filterMatches(filter, topic string) bool {
	if strings.HasPrefix(topic, "$") && (filter[0] == '+' || filter[0] == '#') {
		return false
	}
	fs, ts := strings.Split(filter, "/"), strings.Split(topic, "/")
	if i := slices.Index(fs, "#"); i >= 0 {
		if len(ts) < i {
			return false
		}
		fs, ts = fs[:i], ts[:i]
	}
	return slices.EqualFunc(fs, ts, func(f, t string) bool { return f == "+" || f == t })
}
