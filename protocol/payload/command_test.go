package payload

import (
	"slices"
	"testing"
	"time"

	"sluice/protocol"
)

func TestTold(t *testing.T) {
	message := func(m Metric) Command { return Command{Metric: m, Topic: "x", Payload: "{value}"} }
	float := message(Metric{Type: "float", Scale: ptr(0.1), Offset: ptr(-40.0), Range: []float64{5, 30}, Unit: "°C"})
	whole, count := message(Metric{Type: "int"}), message(Metric{Type: "uint"})
	relay, free := message(Metric{Map: map[string]string{"ON": "on", "OFF": "off"}}), message(Metric{})
	switched := message(Metric{Type: "bool", Map: map[string]string{"1": "true", "0": "false"}})
	mode := message(Metric{Type: "int", Map: map[string]string{"-1": "auto"}})
	text := message(Metric{Type: "string"})
	for _, test := range []struct {
		command     Command
		text        string
		means, sent protocol.Value
		problem     string
	}{
		{float, "21.5", protocol.Float(21.5), protocol.Float(615), ""},
		{float, " 20 ", protocol.Int(20), protocol.Float(600), ""},
		{float, "4.9", protocol.Value{}, protocol.Value{}, "is 4.9, want 5 to 30"},
		{float, "warm", protocol.Value{}, protocol.Value{}, `is "warm", want a number`},
		{float, "NaN", protocol.Value{}, protocol.Value{}, `is "NaN", want a number`},
		{whole, "-7", protocol.Int(-7), protocol.Int(-7), ""},
		{whole, "7.5", protocol.Value{}, protocol.Value{}, "is 7.5, want a whole number that fits int"},
		{whole, "9223372036854775808", protocol.Value{}, protocol.Value{}, "is 9223372036854775808, want a whole number that fits int"},
		{count, "18446744073709551615", protocol.Uint(1<<64 - 1), protocol.Uint(1<<64 - 1), ""},
		{count, "-1", protocol.Value{}, protocol.Value{}, "is -1, want a whole number that fits uint"},
		{relay, "on", protocol.String("on"), protocol.String("ON"), ""},
		{relay, "ON", protocol.Value{}, protocol.Value{}, `is "ON", want off or on`},
		{switched, "on", protocol.Bool(true), protocol.Int(1), ""},
		{switched, "maybe", protocol.Value{}, protocol.Value{}, `is "maybe", want false or true`},
		{mode, "auto", protocol.String("auto"), protocol.Int(-1), ""},
		{mode, "3", protocol.Int(3), protocol.Int(3), ""},
		{text, "007", protocol.String("007"), protocol.String("007"), ""},
		{text, "21", protocol.String("21"), protocol.String("21"), ""},
		{free, "21", protocol.Int(21), protocol.Int(21), ""},
		{free, "true", protocol.Bool(true), protocol.Bool(true), ""},
		{free, "007", protocol.String("007"), protocol.String("007"), ""},
		{free, "12345678901234567890123", protocol.String("12345678901234567890123"), protocol.String("12345678901234567890123"), ""},
		{free, "1.50", protocol.Float(1.5), protocol.Float(1.5), ""},
		{free, "a b", protocol.String("a b"), protocol.String("a b"), ""},
	} {
		got, err := test.command.Told(test.text)
		problem := ""
		if err != nil {
			problem = err.Error()
		}
		if problem != test.problem || err == nil && got != (Told{test.means, test.sent}) {
			t.Errorf("%q became %v and %v, %q, want %v and %v, %q", test.text, got.Means, got.Sent, problem, test.means, test.sent, test.problem)
		}
	}
	for want, c := range map[string]Command{
		"5 to 30 °C": float, "a number": whole, "off or on": relay, "false or true": switched, "auto or a number": mode, "a text": text, "": {Topic: "x"},
	} {
		if got := c.Wanted(); got != want {
			t.Errorf("want %q, is %q", want, got)
		}
	}
}

func TestCheck(t *testing.T) {
	wants, fixed := Command{Topic: "x", Payload: "{value}", Metric: Metric{Type: "int"}}, Command{Topic: "x", Payload: "{value}", Value: "7"}
	for _, test := range []struct {
		command    Command
		text, want string
	}{
		{wants, "3", ""}, {wants, "", "c wants a value: a number"}, {wants, "x", `the value of c is "x", want a number`},
		{fixed, "", ""}, {fixed, "7", ""}, {fixed, "8", "c takes no value"}, {Command{Request: "T\r\n"}, "1", "c takes no value"},
	} {
		got := ""
		if err := test.command.Check("c", test.text); err != nil {
			got = err.Error()
		}
		if got != test.want {
			t.Errorf("%q: %q, want %q", test.text, got, test.want)
		}
	}
}

func TestAgrees(t *testing.T) {
	for _, test := range []struct {
		means, sent, shows protocol.Value
		want               bool
	}{
		{protocol.Float(21.3), protocol.Float(213), protocol.Float(21.299999237060547), true},
		{protocol.Float(21.3), protocol.Float(213), protocol.Float(21.5), false},
		{protocol.Int(21), protocol.Int(21), protocol.Float(21), true},
		{protocol.Int(0), protocol.Int(0), protocol.Float(1e-9), false},
		{protocol.Float(21.5), protocol.Float(215), protocol.Int(215), true},
		{protocol.String("on"), protocol.String("ON"), protocol.String("ON"), true},
		{protocol.String("on"), protocol.String("ON"), protocol.Bool(true), true},
		{protocol.String("on"), protocol.String("ON"), protocol.String("OFF"), false},
		{protocol.Bool(false), protocol.Int(0), protocol.String("off"), true},
		{protocol.Float(21.5), protocol.Float(21.5), protocol.String("21.5"), true},
		{protocol.String(""), protocol.Value{}, protocol.Value{}, false},
	} {
		if got := (Told{test.means, test.sent}).Agrees(test.shows); got != test.want {
			t.Errorf("%v sent as %v, shows %v: %v", test.means, test.sent, test.shows, got)
		}
	}
}

func TestValidateCommands(t *testing.T) {
	const noUse = " is of no use: payload has no {value}"
	for name, test := range map[string]struct {
		command Command
		want    []string
	}{
		"topic":     {Command{Topic: "a/{device}", Payload: `{"t": {value}}`, Metric: Metric{Type: "float"}, QoS: ptr(0), Reads: "t"}, nil},
		"reads":     {Command{Topic: "a", Payload: "ON", Value: "on", Reads: "power"}, nil},
		"request":   {Command{Request: "T\r\n", Expect: "T S", Timeout: 2 * time.Second}, nil},
		"nothing":   {Command{}, []string{"commands.c goes nowhere: want topic (MQTT), request (serial), or coil or holding (Modbus)"}},
		"two":       {Command{Topic: "a", Request: "b"}, []string{"commands.c has both topic and request, want one"}},
		"wildcard":  {Command{Topic: "a/#"}, []string{`commands.c.topic is "a/#", want one topic without wildcards`}},
		"qos":       {Command{Topic: "a", QoS: ptr(2)}, []string{"commands.c.qos is 2, want 0 or 1: a command is never sent twice"}},
		"json":      {Command{Topic: "a", Payload: `{"t": {value}`}, []string{"commands.c.payload begins like JSON and is none, not even when names in braces stand for numbers and texts"}},
		"no value":  {Command{Topic: "a", Payload: "x", Metric: Metric{Type: "int", Unit: "x"}}, []string{"commands.c.type" + noUse, "commands.c.unit" + noUse}},
		"unknown":   {Command{Topic: "a", Reads: "power"}, []string{"commands.c.reads needs to know what power becomes: want value"}},
		"type":      {Command{Topic: "a", Payload: "{value}", Metric: Metric{Type: "int16"}}, []string{`commands.c.type is "int16", want float, int, uint, bool or string`}},
		"registers": {Command{Topic: "a", Blind: true, Metric: Metric{Path: "p", Register: Register{Bits: "3"}}}, []string{"commands.c.bits is for a command that writes a coil or registers", "commands.c.blind is for a command that writes a coil or registers", "commands.c.path is for a metric"}},
		"value":     {Command{Topic: "a", Payload: "{value}", Value: "x", Metric: Metric{Range: []float64{1, 2}}}, []string{`commands.c.value is "x", want a number`}},
		"word":      {Command{Topic: "a", Payload: "{value}", Value: "on", Metric: Metric{Map: map[string]string{"1": "open"}}}, []string{`commands.c.value is "on", want open`}},
		"range":     {Command{Topic: "a", Payload: "{value}", Value: "3", Metric: Metric{Range: []float64{1}}}, []string{"commands.c.range has 1 numbers, want two: the least and the largest plausible value"}},
		"timeout":   {Command{Request: "T", Timeout: time.Second}, []string{"commands.c.timeout is for an answer: want expect too"}},
	} {
		t.Run(name, func(t *testing.T) {
			p := Profile{Decode: Decode{JSON: &JSON{}}, Commands: map[string]Command{"c": test.command}}
			if got := problems(p); !slices.Equal(got, test.want) {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
	p := Profile{Poll: time.Second, Metrics: map[string]Metric{"m": {Register: at("coil", 1)}}, Commands: map[string]Command{
		"a": {Topic: "x"}, "b": {Metric: Metric{Register: at("coil", 1)}, Retain: true},
	}}
	want := []string{"commands.a has no address: want coil or holding", "commands.b.retain is not for a command that writes a coil or registers"}
	if got := problems(p); !slices.Equal(got, want) {
		t.Errorf("of registers: %q, want %q", got, want)
	}
}
