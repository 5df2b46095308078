package payload

import (
	"math"
	"slices"
	"strings"
	"testing"
)

func problems(p Profile) []string {
	var out []string
	p.Validate(func(field, problem string) { out = append(out, field+" "+problem) })
	return out
}

func TestValidateAccepts(t *testing.T) {
	for _, p := range []Profile{
		all,
		sixListed,
		{Decode: Decode{Regex: weighbridge}, Time: &Time{Path: "at", Format: "02.01.06 3:04:05 PM"}, Metrics: map[string]Metric{"load": {Path: "weight"}}},
		{Decode: Decode{CSV: &CSV{Separator: " ", Columns: []string{"", "a", "", "b"}}}, Metrics: map[string]Metric{"b": {Type: "uint"}}},
		{Decode: Decode{JSON: &JSON{}}, Time: &Time{Path: "a.0.b", Format: "2006-002T15:04:05"}},
	} {
		if got := problems(p); got != nil {
			t.Errorf("%+v:\n%s", p, strings.Join(got, "\n"))
		}
		decoder(t, p)
	}
}

func TestValidateRefuses(t *testing.T) {
	js := Decode{JSON: &JSON{}}
	metric := func(m Metric) map[string]Metric { return map[string]Metric{"m": m} }
	tests := []struct {
		p    Profile
		want []string
	}{
		{Profile{}, []string{"decode is required: " + oneOf(Kinds())}},
		{Profile{Decode: Decode{JSON: &JSON{}, Regex: "(?P<a>.)"}}, []string{"decode is both json and regex, want one"}},
		{Profile{Decode: Decode{Regex: "(?P<a>."}}, []string{"decode.regex is no regular expression: missing closing ): `(?P<a>.`"}},
		{Profile{Decode: Decode{Regex: "(.)"}, Metrics: metric(Metric{})}, []string{"decode.regex has no named group, such as (?P<weight>[0-9.]+)"}},
		{
			Profile{Decode: Decode{Regex: "(?P<state>.)(.)(?P<weight>.)"}, Time: &Time{Path: "at", Format: "unix"}, Metrics: metric(Metric{Path: "wieght"})},
			[]string{`time.path is "at", want a named group: state, weight`, `metrics.m.path is "wieght", want a named group: state, weight`},
		},
		{Profile{Decode: Decode{CSV: &CSV{}}}, []string{`decode.csv.columns is required: the names of the metrics in their order, "" for a column to skip`}},
		{Profile{Decode: Decode{CSV: &CSV{Columns: []string{"", ""}}}}, []string{`decode.csv.columns is required: the names of the metrics in their order, "" for a column to skip`}},
		{
			Profile{Decode: Decode{CSV: &CSV{Separator: ", ", Columns: []string{"a", "b", "a", "x\n"}}}, Metrics: metric(Metric{})},
			[]string{
				`decode.csv.separator is ", ", want one character that is no quote and no line end`, `decode.csv.columns has "a" twice`,
				`decode.csv.columns has "x\n", which is no name for a metric`, `metrics.m.path is "m", want a column: a, b, a, x` + "\n",
			},
		},
		{Profile{Decode: Decode{CSV: &CSV{Separator: `"`, Columns: []string{"a"}}}}, []string{`decode.csv.separator is "\"", want one character that is no quote and no line end`}},
		{Profile{Decode: Decode{CSV: &CSV{Separator: "\xff", Columns: []string{"a"}}}}, []string{`decode.csv.separator is "\xff", want one character that is no quote and no line end`}},
		{Profile{Decode: js, Metrics: metric(Metric{Path: "a..b"})}, []string{`metrics.m.path is "a..b", want names joined by dots, such as a.b`}},
		{Profile{Decode: js, Metrics: metric(Metric{Type: "double"})}, []string{`metrics.m.type is "double", want float, int, uint, bool or string`}},
		{
			Profile{Decode: js, Metrics: metric(Metric{Type: "int", Map: map[string]string{"ON": "yes", "OFF": "0", "a.b": "1.5", "x": " 7 "}})},
			[]string{`metrics.m.map.ON is "yes", want a number for type int`, `metrics.m.map.a.b is "1.5", want a number for type int`},
		},
		{Profile{Decode: js, Metrics: metric(Metric{Type: "bool", Map: map[string]string{"1": "on", "0": "2"}})}, []string{`metrics.m.map.0 is "2", want true or false`}},
		{Profile{Decode: js, Metrics: metric(Metric{Scale: ptr(2.0), Map: map[string]string{"ON": "yes"}})}, []string{`metrics.m.map.ON is "yes", want a number in range`}},
		{Profile{Decode: js, Metrics: metric(Metric{Unit: "\xb0C"})}, []string{`metrics.m.unit is not UTF-8`}},
		{
			Profile{Decode: js, Metrics: metric(Metric{Type: "bool", Scale: ptr(0.1), Offset: ptr(math.NaN())})},
			[]string{"metrics.m.scale needs a number, but type is bool", "metrics.m.offset is NaN, want a number"},
		},
		{Profile{Decode: js, Metrics: metric(Metric{Scale: ptr(0.0)})}, []string{"metrics.m.scale is 0, which would make every value the same"}},
		{Profile{Decode: js, Metrics: metric(Metric{Scale: ptr(math.Inf(1))})}, []string{"metrics.m.scale is +Inf, want a number"}},
		{
			Profile{Decode: js, Metrics: map[string]Metric{"": {Path: "a"}, "a\x00": {Path: "a"}}},
			[]string{
				"metrics. is no name for a metric: want text without control characters, at most 256 bytes",
				"metrics.a\x00 is no name for a metric: want text without control characters, at most 256 bytes",
			},
		},
		{Profile{Decode: js, Time: &Time{}}, []string{
			"time.path is required: where a message holds its time",
			`time.format is required: unix, unix_ms, unix_us, unix_ns, rfc3339 or a Go layout such as "2006-01-02 15:04:05"`,
		}},
	}
	for _, tt := range tests {
		if got := problems(tt.p); !slices.Equal(got, tt.want) {
			t.Errorf("%+v:\n got %q\nwant %q", tt.p, got, tt.want)
		}
		if _, err := New(tt.p); err == nil || err.Error() != "compile profile: "+tt.want[0] {
			t.Errorf("New(%+v): %v", tt.p, err)
		}
	}
}

func TestValidateTimeFormat(t *testing.T) {
	for format, want := range map[string]string{
		"unixms":                  "want unix, unix_ms",
		"YYYY-MM-DD HH:mm:ss":     "want unix, unix_ms",
		"15:04:05":                "want unix, unix_ms",
		"2006-01":                 "want unix, unix_ms",
		"2006-01-02 03:04:05":     "12-hour clock without PM",
		"2006-01-02 15:04:05 MST": "zone abbreviations do not tell the zone: want -0700",
	} {
		got := problems(Profile{Decode: Decode{JSON: &JSON{}}, Time: &Time{Path: "ts", Format: format}})
		if len(got) != 1 || !strings.HasPrefix(got[0], "time.format is ") || !strings.Contains(got[0], want) {
			t.Errorf("%s: got %q, want %q", format, got, want)
		}
	}
}
