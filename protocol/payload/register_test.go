package payload

import (
	"errors"
	"slices"
	"testing"
	"time"

	"sluice/protocol"
)

func at(space string, n int) Register {
	switch space {
	case "coil":
		return Register{Coil: &n}
	case "discrete":
		return Register{Discrete: &n}
	case "input":
		return Register{Input: &n}
	}
	return Register{Holding: &n}
}

func TestValidateRegisters(t *testing.T) {
	metric := func(m Metric) Profile { return Profile{Poll: time.Second, Metrics: map[string]Metric{"m": m}} }
	with := func(m Metric, change func(*Metric)) Profile {
		change(&m)
		return metric(m)
	}
	whole := Metric{Type: "int16", Register: at("holding", 1)}
	coil := Metric{Register: at("coil", 1)}
	for name, test := range map[string]struct {
		p    Profile
		want []string
	}{
		"good":        {metric(whole), nil},
		"coil":        {metric(coil), nil},
		"own poll":    {Profile{Metrics: map[string]Metric{"m": {Type: "bool", Register: Register{Holding: ptr(0), Bits: "15", Poll: time.Second}}}}, nil},
		"no poll":     {Profile{Metrics: map[string]Metric{"m": whole}}, []string{"poll is required: how often the registers are read, such as 10s"}},
		"short poll":  {Profile{Poll: time.Millisecond, Metrics: map[string]Metric{"m": whole}}, []string{"poll is 1ms, want 10ms to 24h0m0s"}},
		"message":     {Profile{Poll: time.Second, Decode: Decode{JSON: &JSON{}}, Others: "drop", Metrics: map[string]Metric{"m": whole}}, []string{"decode is not for a profile whose metrics are registers: no message is decoded", "others is not for a profile whose metrics are registers: no message is decoded"}},
		"no address":  {Profile{Poll: time.Second, Metrics: map[string]Metric{"m": whole, "n": {Type: "int16"}}}, []string{"metrics.n has no address: want coil, discrete, input or holding, as the other metrics have"}},
		"two":         {with(whole, func(m *Metric) { m.Coil = ptr(1) }), []string{"metrics.m is both coil and holding, want one"}},
		"manual":      {metric(Metric{Type: "int16", Register: at("input", 300012)}), []string{"metrics.m.input is 300012, want 0 to 65535: they count from 0, so 300012 in a manual is 11"}},
		"no type":     {metric(Metric{Register: at("input", 1)}), []string{"metrics.m.type is required: int8, int16, int24, int32, int48, int64, uint8, uint16, uint24, uint32, uint48, uint64, float16, float32, float64, bool, bcd, string, bytes"}},
		"end":         {metric(Metric{Type: "int32", Register: at("input", 65535)}), []string{"metrics.m.input is 65535, but 4 bytes from there end behind register 65535"}},
		"coil's type": {with(coil, func(m *Metric) { m.Type, m.Bits = "int16", "3" }), []string{`metrics.m.type is "int16", but a coil is a bool: leave it out`, "metrics.m.bits is for registers, but a coil is one bit"}},
		"coil scaled": {with(coil, func(m *Metric) { m.Scale = ptr(2.0) }), []string{"metrics.m.scale needs a number, but type is bool"}},
		"path":        {with(whole, func(m *Metric) { m.Path = "a" }), []string{"metrics.m.path is not for a metric with an address"}},
		"order":       {with(whole, func(m *Metric) { m.Order = "ABCD" }), []string{`metrics.m.order is "ABCD", which is written big: want big (ABCD), little (DCBA), CDAB or BADC`}},
		"range":       {with(whole, func(m *Metric) { m.Range = []float64{1} }), []string{"metrics.m.range has 1 numbers, want two: the least and the largest plausible value"}},
		"reads":       {Profile{Poll: time.Second, Metrics: map[string]Metric{"m": whole}, Reads: Reads{MaxRegisters: 126, MaxGap: ptr(-1), Forbidden: Forbidden{Input: []string{"7-5"}}}}, []string{"reads.max_registers is 126, want 1 to 125", "reads.max_gap is -1, want 0 to 124 registers", `reads.forbidden.input is "7-5", want 5-7`}},
		"commands": {Profile{Commands: map[string]Command{
			"a": {Metric: whole}, "b": {Metric: Metric{Type: "int16", Register: at("input", 1)}}, "c": {Metric: whole, Value: "x"},
		}}, []string{"commands.b.input cannot be written, want coil or holding", `commands.c.value is "x", want a number`}},
	} {
		t.Run(name, func(t *testing.T) {
			got := problems(test.p)
			if !slices.Equal(got, test.want) {
				t.Errorf("got %q, want %q", got, test.want)
			}
			if _, err := NewRefiner(test.p); (err == nil) != (test.want == nil) {
				t.Errorf("NewRefiner: %v", err)
			}
			if _, err := New(test.p); err == nil {
				t.Error("New made a decoder of registers")
			}
		})
	}
}

func TestRefiner(t *testing.T) {
	r, err := NewRefiner(Profile{Poll: time.Second, Metrics: map[string]Metric{
		"a.b": {Type: "int16", Scale: ptr(0.1), Unit: "°C", Range: []float64{0, 20}, Register: at("holding", 0)},
		"on":  {Map: map[string]string{"true": "open"}, Register: at("coil", 0)},
		"z":   {Type: "string", Register: Register{Input: ptr(0), Length: 4}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	device := &protocol.Device{Name: "d"}
	raw := []protocol.Metric{{Name: "a.b", Value: protocol.Int(215)}, {Name: "on", Value: protocol.Bool(true)}, {Name: "z"}}
	want := []protocol.Metric{{Name: "a.b", Value: protocol.Float(21.5), Unit: "°C", Quality: protocol.Bad}, {Name: "on", Value: protocol.String("open")}, {Name: "z"}}
	b := &protocol.Batch{}
	refine := func(raw []protocol.Metric) error {
		first := len(b.Readings)
		reading := b.Add()
		reading.Metrics = append(reading.Metrics, raw...)
		return r.Refine(b, first, Message{Device: device, Received: 7})
	}
	for range 3 {
		if err := refine(raw); err != nil {
			t.Fatal(err)
		}
	}
	if err := refine(raw[1:]); err != nil {
		t.Fatal(err)
	}
	for i, reading := range b.Readings {
		if skip := i / 3; !slices.Equal(reading.Metrics, want[skip:]) || reading.Device != device || reading.ReceivedTime != 7 {
			t.Errorf("reading %d is %+v", i, reading)
		}
	}
	var refusal *protocol.Refusal
	if err := refine(nil); !errors.As(err, &refusal) || refusal.Reason != "missing" || len(b.Readings) != 4 {
		t.Errorf("nothing became %v", err)
	}
	if n := testing.AllocsPerRun(100, func() {
		b.Reset()
		_ = refine(raw[:1])
	}); n != 0 {
		t.Errorf("%v allocations, want 0", n)
	}
}

func TestSentByCommand(t *testing.T) {
	level := Command{Metric: Metric{Type: "int16", Scale: ptr(0.1), Offset: ptr(-40.0), Range: []float64{-40, 100}, Register: at("holding", 0)}}
	mode := Command{Metric: Metric{Type: "uint16", Map: map[string]string{"3": "auto", "1": "auto", "0": "off"}, Register: at("holding", 0)}}
	relay := Command{Metric: Metric{Register: at("coil", 0)}}
	big := Command{Metric: Metric{Type: "uint64", Register: at("holding", 0)}}
	text := Command{Metric: Metric{Type: "string", Register: Register{Holding: ptr(0), Length: 8}}}
	raw := Command{Metric: Metric{Type: "bytes", Register: Register{Holding: ptr(0), Length: 2}}}
	for _, test := range []struct {
		c    Command
		text string
		want protocol.Value
		err  string
	}{
		{level, "21.5", protocol.Float(615), ""},
		{level, "-40.1", protocol.Value{}, "is -40.1, want -40 to 100"},
		{level, "warm", protocol.Value{}, `is "warm", want a number`},
		{level, "NaN", protocol.Value{}, `is "NaN", want a number`},
		{mode, "auto", protocol.Int(1), ""},
		{mode, "5", protocol.Int(5), ""},
		{relay, "ON", protocol.Bool(true), ""},
		{relay, "", protocol.Value{}, `is "", want true or false`},
		{big, "18446744073709551615", protocol.Uint(18446744073709551615), ""},
		{text, " a ", protocol.String(" a "), ""},
		{raw, "01ff", protocol.Bytes("\x01\xff"), ""},
		{raw, "1", protocol.Value{}, `is "1", want bytes as hexadecimal digits`},
	} {
		got, err := test.c.Sent(test.text)
		if got != test.want || (err == nil) != (test.err == "") || err != nil && err.Error() != test.err {
			t.Errorf("%q: got %v %v, %v, want %v, %s", test.text, got.Kind(), got, err, test.want, test.err)
		}
	}
}
