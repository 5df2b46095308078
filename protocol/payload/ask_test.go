package payload

import (
	"slices"
	"testing"
	"time"

	"sluice/protocol"
)

func TestSpoken(t *testing.T) {
	for name, test := range map[string]struct{ text, unit, value, want string }{
		"text":     {"{unit}D0!", "3", "", "3D0!"},
		"twice":    {"#{unit}{unit}\r", "0A", "", "#0A0A\r"},
		"value":    {`D "{value}"` + "\r\n", "", "12.5", "D \"12.5\"\r\n"},
		"bytes":    {"hex:05 {unit} 0d", "1f", "", "\x05\x1f\x0d"},
		"braces":   {"{1,2}{ x }", "", "", "{1,2}{ x }"},
		"unclosed": {"{unit", "3", "", "{unit"},
		"others":   {"{gateway}", "3", "", "{gateway}"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := Spoken(test.text, test.unit, protocol.String(test.value))
			if err != nil || string(got) != test.want {
				t.Errorf("got %q, %v", got, err)
			}
		})
	}
	if _, err := Spoken("hex:{unit}", "3", protocol.Value{}); err == nil || err.Error() != `is "hex:3", want bytes in hexadecimal digits such as "hex:0d0a"` {
		t.Errorf("one digit: %v", err)
	}
}

func TestAskValidate(t *testing.T) {
	for name, test := range map[string]struct {
		poll time.Duration
		ask  *Ask
		want []string
	}{
		"good": {time.Minute, &Ask{
			Before:  []Prelude{{Send: "{unit}M!", Answer: true, Pause: time.Second}, {Send: "hex:00"}},
			Request: "{unit}D0!", Expect: "{unit}", Timeout: time.Second, Retries: ptr(0),
		}, nil},
		"bytes":       {time.Minute, &Ask{Request: "hex:02{unit}03"}, nil},
		"nothing":     {time.Minute, &Ask{}, []string{`ask.request is required: what is sent, such as "{unit}D0!"`}},
		"no poll":     {0, &Ask{Request: "?"}, []string{"poll is required: how often the device is asked, such as 10s"}},
		"no ask":      {time.Minute, nil, []string{"poll is how often a device is asked: want ask, which says how"}},
		"fast":        {time.Millisecond, &Ask{Request: "?"}, []string{"poll is 1ms, want 10ms to 24h0m0s"}},
		"other names": {time.Minute, &Ask{Request: "{device}?"}, []string{"ask.request has {device}, want no name in braces but {unit}: other bytes may be written as hex:…"}},
		"no digits":   {time.Minute, &Ask{Request: "hex:0g", Expect: "hex:"}, []string{`ask.request is "hex:0g", want text, or bytes in hexadecimal digits such as "hex:0d0a"`, "ask.expect has 0 bytes, want 1 to 1024"}},
		"prelude": {time.Minute, &Ask{Request: "?", Before: []Prelude{{Send: "x"}, {Pause: time.Hour}}}, []string{
			`ask.before.1.send is required: what is sent, such as "{unit}D0!"`, "ask.before.1.pause is 1h0m0s, want at most 5m0s",
		}},
		"numbers": {time.Minute, &Ask{Request: "?", Timeout: time.Millisecond, Retries: ptr(11)}, []string{"ask.timeout is 1ms, want 10ms to 5m0s", "ask.retries is 11, want 0 to 10"}},
	} {
		t.Run(name, func(t *testing.T) {
			p := Profile{Decode: Decode{JSON: &JSON{}}, Poll: test.poll, Ask: test.ask}
			var got []string
			p.Validate(func(field, problem string) { got = append(got, field+" "+problem) })
			if !slices.Equal(got, test.want) {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
	if a := (&Ask{}); a.Patience() != 500*time.Millisecond || a.Repeats() != 1 {
		t.Errorf("by default %v and %d", a.Patience(), a.Repeats())
	}
}

func FuzzSpoken(f *testing.F) {
	f.Add("{unit}D0!", "3", "1")
	f.Add("hex:02 {unit}{value}03", "0a", "ff")
	f.Add("{{unit}}{", "{value}", "\r\n")
	f.Fuzz(func(t *testing.T, text, unit, value string) {
		b, err := Spoken(text, unit, protocol.String(value))
		if err == nil && len(b) > len(text)+(len(text)+1)*6*(len(unit)+len(value)) {
			t.Errorf("%q gave %d bytes", text, len(b))
		}
	})
}
