package payload

import (
	"encoding/json"
	"slices"
	"testing"

	"sluice/protocol"
)

func TestTemplate(t *testing.T) {
	number, text := protocol.Float(1e6), protocol.String(`a "b"`)
	for _, test := range []struct {
		text  string
		value protocol.Value
		want  string
	}{
		{"", number, ""},
		{"on", number, "on"},
		{"{value}", number, "1000000"},
		{"{value}", text, `a "b"`},
		{"D \"{value}\"\r\n", text, "D \"a \"b\"\"\r\n"},
		{`{"t": {value}}`, number, `{"t": 1000000}`},
		{`{"t":{value}}`, text, `{"t":"a \"b\""}`},
		{`{"t": "{value}"}`, number, `{"t": "1000000"}`},
		{`{"t": "is {value}!"}`, text, `{"t": "is a \"b\"!"}`},
		{`{"\"{": {value}, "n": "{name}"}`, protocol.Bool(true), `{"\"{": true, "n": "x<y"}`},
		{` [{value},{value}]`, protocol.Int(-3), ` [-3,-3]`},
		{`[{name}]`, number, `["x<y"]`},
		{"{name}:{value}", text, `x<y:a "b"`},
		{"{value", number, "{value"},
		{"{}{{value}}", number, "{}{1000000}"},
		{`{"t": {value}`, text, `{"t": a "b"`}, // no JSON, so text
		{"a{b c}{value}", protocol.Uint(1 << 63), "a{b c}9223372036854775808"},
	} {
		tmpl := ParseTemplate(test.text)
		got := string(tmpl.Append([]byte("> "), func(name string) protocol.Value {
			if name == ValueName {
				return test.value
			}
			return protocol.String("x<y")
		}))
		if got != "> "+test.want {
			t.Errorf("%q became %q, want %q", test.text, got, test.want)
		}
	}
	if got := ParseTemplate("{device}/{a-b}/{value}{value}{not this}").Names(); !slices.Equal(got, []string{"device", "a-b", "value", "value"}) {
		t.Errorf("names are %q", got)
	}
	for text, almost := range map[string]bool{`{"t": {value},}`: true, `{value}`: false, `[1,{value}`: true, `{"t":1}`: false, "T {": false, "": false} {
		if got := ParseTemplate(text).IsAlmostJSON(); got != almost {
			t.Errorf("%q is almost JSON: %v", text, got)
		}
	}
}

// FuzzTemplate holds that what is JSON with a digit stays JSON with any text.
func FuzzTemplate(f *testing.F) {
	f.Add(`{"t": {value}, "u": "x {value}"}`, "a\"\\\n")
	f.Add("[{value}]", "\xff")
	f.Fuzz(func(t *testing.T, text, value string) {
		tmpl := ParseTemplate(text)
		out := tmpl.Append(nil, func(string) protocol.Value { return protocol.String(value) })
		if tmpl.isJSON && !json.Valid(out) && json.Valid(tmpl.Append(nil, func(string) protocol.Value { return protocol.String("x") })) {
			t.Errorf("%q with %q became %q", text, value, out)
		}
		if len(tmpl.Names()) == 0 && string(out) != text {
			t.Errorf("%q became %q", text, out)
		}
	})
}
