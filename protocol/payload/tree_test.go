package payload

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"sluice/protocol"
)

func each(path string, metrics map[string]Metric) Profile {
	return Profile{Decode: Decode{JSON: &JSON{Each: path}}, Metrics: metrics}
}

func TestWildcards(t *testing.T) {
	check(t, each("", map[string]Metric{"*": {Path: "up.payload.*", Unit: "u"}}), "", []message{
		{`{"up":{"payload":{"a":1,"b":{"c":2,"d":[3,{"e":4}]},"f":null,"g":[]}},"x":9}`, "a=float:1 u b_c=float:2 u b_d_0=float:3 u b_d_1_e=float:4 u"},
		{`{"up.payload":{"a":1}}`, "a=float:1 u"},
		{`{"up":{"payload":{"a":1}},"up.payload":{"a":2,"b":3}}`, "a=float:1 u b=float:3 u"},
		{`{"up":{"payload":[1,2]}}`, "0=float:1 u 1=float:2 u"},
		{`{"up":{"payload":{"a":1,"a":2}}}`, "a=float:1 u"},
		{`{"up":{"payload":{"value":1,"":2}}}`, "value=float:1 u"},
		{`{"up":{"payload":5}}`, "!missing"}, {`{"up":{}}`, "!missing"}, {`{"up":{"payload":{"a":{}}}}`, "!missing"},
		{`5`, "value=float:5 u"},
		{`{"up":{"payload":{"` + strings.Repeat("n", maxName+1) + `":1}}}`, "!size"},
	})
	check(t, each("", map[string]Metric{"temperature_*": {Path: "sensors.*.t", Unit: "°C", Scale: ptr(0.1)}, "*": {Path: "sensors.*"}}), "", []message{
		{`{"sensors":{"a":{"t":215,"rh":40},"b":{"t":220}}}`, "temperature_a=float:21.5 °C temperature_b=float:22 °C a_rh=float:40"},
		{`{"sensors":[{"t":215},{"x":{"y":1}}]}`, "temperature_0=float:21.5 °C 1_x_y=float:1"},
		{`{"sensors":{"a":{"t":"hot"}}}`, "!type"},
	})
	check(t, each("", map[string]Metric{"*_at_*": {Path: "*.*.v"}, "known": {Path: "a.b.v"}, "first": {Path: "*.*.w"}}), "", []message{
		{`{"a":{"b":{"v":1},"c":{"v":2}},"d":{"e":{"v":3,"w":[]},"f":{"w":null},"g":{"w":7},"h":{"w":8}}}`,
			"known=float:1 first=float:7 a_at_c=float:2 d_at_e=float:3"},
		{`{"a":[{"v":1}]}`, "a_at_0=float:1"},
		{`{"a":[{"v":{"x":1,"y":2}}]}`, "a_at_0_x=float:1 a_at_0_y=float:2"},
	})
}

func TestWildcardsAndTheMetricOfTheTopic(t *testing.T) {
	p := each("", map[string]Metric{"t_*": {Path: "s.*.t", Unit: "°C"}, "x": {}})
	check(t, p, "t_b", []message{
		{`{"s":{"a":{"t":1},"b":{"t":2}},"x":3}`, "t_b=float:2 °C"},
		{`{"s":{"a":{"t":1}}}`, "!missing"},
		{`21`, "t_b=float:21 °C"},
	})
	check(t, p, "x", []message{{`{"s":{"a":{"t":1}},"x":3}`, "x=float:3"}})
	check(t, p, "u", []message{{`21`, "!missing"}})
}

func TestLike(t *testing.T) {
	for _, tt := range []struct {
		pattern, name string
		want          bool
	}{
		{"*", "a", true}, {"*", "", true}, {"t_*", "t_a", true}, {"t_*", "u_a", false}, {"*_t", "a_t", true}, {"*_t", "a_u", false},
		{"*_*_x", "a_b_x", true}, {"*_*_x", "ab_x", false}, {"a", "a", true}, {"a", "b", false}, {"t_*", "t", false},
	} {
		if got := like(tt.pattern, tt.name); got != tt.want {
			t.Errorf("like(%q, %q) = %v", tt.pattern, tt.name, got)
		}
	}
}

func TestEach(t *testing.T) {
	p := each("samples", map[string]Metric{"temperature": {Path: "t"}, "gain": {Path: "$.gain"}})
	p.Time = &Time{Path: "ts", Format: "unix"}
	check(t, p, "", []message{
		{`{"gain":2,"ts":5,"samples":[{"ts":1,"t":20},{"ts":2,"t":21},{"ts":3},{"t":22}]}`,
			"temperature=float:20 gain=float:2 @1000000000 | temperature=float:21 gain=float:2 @2000000000 | temperature=float:22 gain=float:2"},
		{`{"samples":{"a":{"t":1},"b":{"t":2}}}`, "temperature=float:1 | temperature=float:2"},
		{`{"samples":[]}`, "!missing"}, {`{"samples":[{"x":1},{}]}`, "!missing"}, {`{"t":1}`, "!missing"}, {`{"samples":5}`, "!missing"},
		{`{"gain":1,"samples":[{}]}`, "!missing"},
		{`{"samples":[{"t":1},{"t":[]}]}`, "temperature=float:1"}, {`{"samples":[{"t":1},{"t":2,"ts":"x"}]}`, "!time"},
	})
	p.Time = &Time{Path: "$.ts", Format: "unix"}
	check(t, p, "", []message{{`{"ts":5,"samples":[{"t":20},{"t":21}]}`, "temperature=float:20 @5000000000 | temperature=float:21 @5000000000"}})
	check(t, each("samples", nil), "", []message{
		{`{"x":1,"samples":[{"t":1,"in":{"rh":2}},[3],4,null,"x"]}`, "t=float:1 in_rh=float:2 | 0=float:3 | value=float:4 | value=string:x"},
	})
	check(t, each("$", nil), "", []message{{`[{"a":1},{"a":2}]`, "a=float:1 | a=float:2"}, {`{"x":{"a":1},"y":{"a":2}}`, "a=float:1 | a=float:2"}})
	check(t, each("sensors.*.samples.*", nil), "", []message{
		{`{"sensors":{"a":{"samples":[{"v":1},{"v":2}]},"b":{"samples":[{"v":3}]},"c":{}}}`, "v=float:1 | v=float:2 | v=float:3"},
	})
	check(t, each("sensors.*.samples", nil), "", []message{
		{`{"sensors":[{"samples":[{"v":1}]},{"samples":[2]}]}`, "v=float:1 | value=float:2"},
	})
	check(t, each("samples", map[string]Metric{"co2": {Unit: "ppm"}, "gain": {Path: "$.gain"}}), "co2", []message{{`{"gain":1,"samples":[400,{"co2":401}]}`, "co2=float:400 ppm | co2=float:401 ppm"}})
	check(t, each("samples", map[string]Metric{"value": {Path: "$.v"}, "*": {Path: "*"}}), "", []message{
		{`{"v":1,"samples":[{"value":2,"x":3},4]}`, "x=float:3 value=float:1"},
	})
	check(t, each("samples", map[string]Metric{"value": {Unit: "ppm"}, "gain": {Path: "$.gain"}}), "", []message{
		{`{"gain":1,"samples":[400,401]}`, "value=float:400 ppm gain=float:1 | value=float:401 ppm gain=float:1"},
	})
}

func TestKeep(t *testing.T) {
	p := each("", map[string]Metric{"temperature": {Path: "t", Unit: "°C"}, "n_*": {Path: "more.*.n"}})
	p.Time = &Time{Path: "ts", Format: "unix"}
	d := decoder(t, p).(*tree)
	d.keep = true
	for in, want := range map[string]string{
		`{"ts":1,"t":2,"u":3,"more":{"a":{"n":4,"m":5}}}`: "temperature=float:2 °C n_a=float:4 u=float:3 more_a_m=float:5 @1000000000",
		`{"t":2,"temperature":3}`:                         "temperature=float:2 °C",
		`{"temperature":3}`:                               "temperature=float:3",
		`{"u":[1,{"v":2}]}`:                               "u_0=float:1 u_1_v=float:2",
		`7`:                                               "value=float:7",
		`{"t":null,"u":null}`:                             "!missing",
	} {
		if got := show(t, d, in, ""); got != want {
			t.Errorf("%s:\n got %s\nwant %s", in, got, want)
		}
	}
	if got := show(t, d, `{"t":2,"temperature":3,"value":4}`, "co2"); got != "t=float:2 temperature=float:3 co2=float:4" {
		t.Errorf("with the metric of a topic: %s", got)
	}
	e := each("s", map[string]Metric{"g": {Path: "$.g"}})
	d = decoder(t, e).(*tree)
	d.keep = true
	if got := show(t, d, `{"g":1,"s":[{"a":2},{"g":3},{}]}`, ""); got != "a=float:2 g=float:1" {
		t.Errorf("what stands beside the readings: %s", got)
	}
}

// maxReadings follows from a reading having one metric at least.
const maxReadings = maxMetrics

func TestTreeLimits(t *testing.T) {
	d := decoder(t, each("$", nil))
	if got := show(t, d, "["+strings.Repeat("1,", maxReadings-1)+"1]", ""); strings.Count(got, "|") != maxReadings-1 {
		t.Errorf("at the limit of readings: %.80s", got)
	}
	for name, in := range map[string]string{
		"readings": "[" + strings.Repeat("1,", maxReadings) + "1]",
		"metrics":  "[" + strings.Repeat(`{"a":1,"b":2},`, maxMetrics/2) + `{"a":1}]`,
	} {
		if got := show(t, d, in, ""); got != "!size" {
			t.Errorf("beyond the limit of %s: %.80s", name, got)
		}
	}
	p := each("$", map[string]Metric{"a": {}, "b": {Path: "*.x"}})
	if got := show(t, decoder(t, p), "["+strings.Repeat(`{"a":1,"c":{"x":2}},`, maxMetrics/2)+`{"a":1}]`, ""); got != "!size" {
		t.Errorf("beyond the limit of metrics with a list: %.80s", got)
	}
}

// TestHostileTrees holds that a message costs a multiple of its size, whatever
// its shape.
func TestHostileTrees(t *testing.T) {
	many := map[string]Metric{"a": {Path: "a.a.a.a.a.a.a.a"}, "far": {Path: "*.*.*.*.*.*.*.*"}, "*_*_*_*": {Path: "*.*.*.*"}, "last": {Path: "z.999999"}}
	deep := strings.Repeat(`{"a":`, 60) + "1" + strings.Repeat("}", 60)
	bushy := "[" + strings.TrimSuffix(strings.Repeat("[[[],[]],[[],[]]],", 50_000), ",") + "]"
	long := `{"` + strings.Repeat("n", 400_000) + `":{"` + strings.Repeat("m", 200_000) + `":[` + strings.TrimSuffix(strings.Repeat("1,", 150_000), ",") + `]}}`
	outer := `{"s":[` + strings.TrimSuffix(strings.Repeat(`{"a":1},`, 4000), ",") + `]` + strings.Repeat(`,"k":1`, 150_000) + `,"ts":1}`
	for name, in := range map[string]string{
		"deep": "[" + strings.TrimSuffix(strings.Repeat(deep+",", 2000), ",") + "]", "bushy": bushy, "long": long, "outer": outer,
		"nulls": "[" + strings.TrimSuffix(strings.Repeat("[[[null]]],", 90_000), ",") + "]",
		"names": "{" + strings.TrimSuffix(strings.Repeat(`"a":{"b":{"c":{"d":[]}}},`, 40_000), ",") + "}",
	} {
		if len(in) > maxMessage {
			t.Fatalf("%s has %d bytes", name, len(in))
		}
		for _, path := range []string{"", "$", "s", "*.*"} {
			p := each(path, many)
			if path != "" {
				p.Metrics = map[string]Metric{"a": {}, "b": {Path: "*.*.*.x"}, "*_*": {Path: "*.*"}, "g": {Path: "$.ts"}}
			}
			p.Time = &Time{Path: "$.ts", Format: "unix"}
			d := decoder(t, p).(*tree)
			begin := time.Now()
			show(t, d, in, "")
			if took := time.Since(begin); took > 20*time.Second { // 10 to 70 ms; 100 s when it is not linear
				t.Errorf("%s, each %q: %v", name, path, took)
			}
		}
	}
}

func TestTreeAllocatesNothing(t *testing.T) {
	in := `{"ts":1763805600,"gain":2,"sensors":{"a":{"t":21.5,"rh":40},"b":{"t":22.5,"rh":41}},"x":{"y":1}}`
	p := each("", map[string]Metric{"t_*": {Path: "sensors.*.t"}, "gain": {}})
	p.Time = &Time{Path: "ts", Format: "unix"}
	wild := decoder(t, p).(*tree)
	wild.keep = true
	p = each("sensors", map[string]Metric{"t": {}, "rh": {Scale: ptr(0.1)}, "gain": {Path: "$.gain"}})
	p.Time = &Time{Path: "$.ts", Format: "unix"}
	for name, d := range map[string]Decoder{"wildcards": wild, "each": decoder(t, p)} {
		b := &protocol.Batch{}
		m := Message{Payload: []byte(in), Device: device, Received: 7}
		if n := testing.AllocsPerRun(100, func() {
			b.Reset()
			if err := d.Decode(b, m); err != nil {
				t.Fatal(err)
			}
		}); n != 0 {
			t.Errorf("%s: %v allocations, want 0", name, n)
		}
	}
}

func TestValidatePaths(t *testing.T) {
	for want, p := range map[string]Profile{
		`metrics.a_*.path is "x", where 0 steps are *, but the metric's name has 1`:            each("", map[string]Metric{"a_*": {Path: "x"}}),
		`metrics.a_*.path is "*.*", where 2 steps are *, but the metric's name has 1`:          each("", map[string]Metric{"a_*": {Path: "*.*"}}),
		`metrics.a.path is "$.*", but what stands beside the readings is one value, without *`: each("s", map[string]Metric{"a": {Path: "$.*"}}),
		`metrics.a.path is "*.*.*.*.*.*.*.*.*", want at most 8 steps that are *`:               each("", map[string]Metric{"a": {Path: strings.Repeat("*.", 8) + "*"}}),
		`decode.json.each is "a..b", want names joined by dots, such as a.b`:                   each("a..b", nil),
		`decode.json.each is "*.*.*.*.*.*.*.*.a", want less than 8 steps that are *`:           each(strings.Repeat("*.", 8)+"a", nil),
		`decode.json.each is "$.", want names joined by dots, such as a.b`:                     each("$.", nil),
		`time.path is not for senml, whose records say their time`:                             {Decode: Decode{SenML: &SenML{}}, Time: &Time{Path: "t", Format: "unix"}},
		`metrics.a.path is "", want names joined by dots, such as a.b`:                         {Decode: Decode{CBOR: &CBOR{}}, Metrics: map[string]Metric{"a": {Path: ""}}, Time: nil},
	} {
		var got []string
		p.Validate(func(field, problem string) { got = append(got, field+" "+problem) })
		if want == `metrics.a.path is "", want names joined by dots, such as a.b` {
			if len(got) != 0 { // the metric's name is the path
				t.Errorf("got %q, want none", got)
			}
			continue
		}
		if fmt.Sprint(got) != fmt.Sprint([]string{want}) {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// FuzzPaths holds that paths of any shape find what a plain walk finds, each node
// once.
func FuzzPaths(f *testing.F) {
	for _, path := range []string{"a.*", "*.b", "*.*.c", "a.b.*.0", "$.a.*", "*", "a.*.*.*.*", "*.a.b", "x.1.*"} {
		f.Add(path, `{"a":{"b":[{"c":1},[2]],"a.b":3},"a.b":{"c":4},"x":[5,{"y":6}]}`)
		f.Add(path, `[[1,[2,[3,{"b":4}]]],{"a":{"a":{"b":{"c":5}}}}]`)
	}
	f.Fuzz(func(t *testing.T, text, in string) {
		var d document
		if checkPath(text) != "" || d.parse([]byte(in), formJSON) != nil {
			return
		}
		p := newPath(text)
		seen := map[int]bool{}
		s := search{doc: &d, path: &p}
		s.visit = func(n int) bool {
			if seen[n] {
				t.Fatalf("%q in %q: node %d twice", text, in, n)
			}
			seen[n] = true
			for _, star := range s.stars[:p.stars] {
				if star.name >= 0 && (star.name >= n || d.nodes[star.name].kind != textNode) {
					t.Fatalf("%q in %q: %+v is no name before node %d", text, in, star, n)
				}
			}
			return true
		}
		s.run(0, 0, 0)
		n := d.find(&p, 0)
		switch {
		case n >= 0 && !seen[n]:
			t.Fatalf("%q in %q: find leads to node %d, search does not", text, in, n)
		case n < 0 && p.stars == 0 && len(seen) > 0:
			t.Fatalf("%q in %q: search leads to %v, find does not", text, in, seen)
		}
		if !strings.HasPrefix(text, fromRoot) {
			show(t, decoder(t, Profile{Decode: Decode{JSON: &JSON{}}, Metrics: map[string]Metric{strings.TrimSuffix(strings.Repeat("*_", p.stars), "_") + "m": {Path: text}}}), in, "")
		}
		if checkEach(text) == "" {
			show(t, decoder(t, each(text, nil)), in, "m")
		}
	})
}

// TestTreesTakeLittle holds that parsing takes at most 100 bytes for each byte of
// the message, whatever its heads promise.
func TestTreesTakeLittle(t *testing.T) {
	for name, f := range map[string]struct {
		form form
		in   string
	}{
		"json": {formJSON, "[" + strings.Repeat("0,", maxMessage/2-2) + "0]"}, "cbor": {formCBOR, "\x9f" + strings.Repeat("\x00", maxMessage-2) + "\xff"},
		"cbor that promises": {formCBOR, "\x9a\x00\x0f\xff\xf0" + strings.Repeat("\x80", 1000)}, "msgpack that promises": {formMsgPack, "\xdd\x00\x0f\xff\xf0" + strings.Repeat("\x90", 1000)},
		"msgpack": {formMsgPack, "\xdd\x00\x0f\xff\xf0" + strings.Repeat("\x00", 0xffff0)},
	} {
		in := []byte(f.in)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		d := document{}
		err := d.parse(in, f.form)
		runtime.ReadMemStats(&after)
		if took := after.TotalAlloc - before.TotalAlloc; took > uint64(100*len(in))+4096 {
			t.Errorf("%s: %d bytes for %d, %v", name, took, len(in), err)
		}
	}
}
