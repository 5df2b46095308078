package payload

import (
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"sluice/protocol"
)

// Ask says how a device on a serial line is asked for what it reports, when it
// does not talk by itself.
type Ask struct {
	Before  []Prelude     `yaml:"before"`  // what goes before the request each time: a wake-up, the start of a measurement
	Request string        `yaml:"request"` // what is sent: text, or bytes such as "hex:0d0a"; {unit} stands for the device's address on the line
	Expect  string        `yaml:"expect"`  // how the answer begins, written as request; other frames are passed over; "": any frame is the answer
	Timeout time.Duration `yaml:"timeout"` // from the last bit of the request to the end of the answer, default 500ms
	Retries *int          `yaml:"retries"` // how often it is asked again when no answer came, default 1
}

// Prelude is something that is sent before a request.
type Prelude struct {
	Send   string        `yaml:"send"`   // written as request
	Answer bool          `yaml:"answer"` // a frame comes back, which is waited for and of no other interest
	Pause  time.Duration `yaml:"pause"`  // before what follows
}

// The defaults of Ask.
const (
	askTimeout = 500 * time.Millisecond
	askRetries = 1
)

// Patience returns how long an answer may take.
func (a *Ask) Patience() time.Duration {
	if a.Timeout == 0 {
		return askTimeout
	}
	return a.Timeout
}

// Repeats returns how often the device is asked again.
func (a *Ask) Repeats() int {
	if a.Retries == nil {
		return askRetries
	}
	return *a.Retries
}

// Spoken returns the bytes that text of an Ask or of a Command's Request and
// Expect stands for: {unit} and {value} are replaced, and behind "hex:" the
// whole is then hexadecimal digits with blanks anywhere. The error reads on
// after the name of what holds text.
func Spoken(text, unit string, value protocol.Value) ([]byte, error) {
	filled := ParseTemplate(text).Append(nil, func(name string) protocol.Value {
		switch name {
		case UnitName:
			return protocol.String(unit)
		case ValueName:
			return value
		}
		return protocol.String("{" + name + "}")
	})
	digits, isHex := strings.CutPrefix(string(filled), "hex:")
	if !isHex {
		return filled, nil
	}
	b, err := hex.DecodeString(strings.Join(strings.Fields(digits), ""))
	if err != nil {
		return nil, fmt.Errorf("is %q, want bytes in hexadecimal digits such as \"hex:0d0a\"", filled)
	}
	return b, nil
}

// spoken is a text that goes over the line and the field that holds it.
type spoken struct {
	field, text string
	required    bool
}

func (a *Ask) spoken() []spoken {
	var all []spoken
	for i := range a.Before {
		all = append(all, spoken{fmt.Sprintf("before.%d.send", i), a.Before[i].Send, true})
	}
	return append(all, spoken{"request", a.Request, true}, spoken{"expect", a.Expect, false})
}

// The bounds of an Ask.
const (
	maxPreludes = 16
	maxSpoken   = 1024 // bytes
	maxRepeats  = 10
	leastAsk    = 10 * time.Millisecond
	mostAsk     = 5 * time.Minute
)

// validateAsk reports what is wrong with how the profile's devices are asked.
func (p *Profile) validateAsk(report func(field, problem string)) {
	switch {
	case p.Ask == nil && p.Poll != 0:
		report("poll", "is how often a device is asked: want ask, which says how")
		return
	case p.Ask == nil:
		return
	case p.Poll == 0:
		report("poll", "is required: how often the device is asked, such as 10s")
	default:
		checkPoll(report, p.Poll)
	}
	p.Ask.validate(func(field, problem string) { report("ask."+field, problem) })
}

func (a *Ask) validate(report func(field, problem string)) {
	for _, s := range a.spoken() {
		s.validate(report)
	}
	for i, p := range a.Before {
		if p.Pause < 0 || p.Pause > mostAsk {
			report(fmt.Sprintf("before.%d.pause", i), fmt.Sprintf("is %v, want at most %v", p.Pause, mostAsk))
		}
	}
	if len(a.Before) > maxPreludes {
		report("before", fmt.Sprintf("has %d entries, want at most %d", len(a.Before), maxPreludes))
	}
	if a.Timeout != 0 && (a.Timeout < leastAsk || a.Timeout > mostAsk) {
		report("timeout", fmt.Sprintf("is %v, want %v to %v", a.Timeout, leastAsk, mostAsk))
	}
	if n := a.Repeats(); n < 0 || n > maxRepeats {
		report("retries", fmt.Sprintf("is %d, want 0 to %d", n, maxRepeats))
	}
}

func (s spoken) validate(report func(field, problem string)) {
	if s.text == "" {
		if s.required {
			report(s.field, "is required: what is sent, such as \"{unit}D0!\"")
		}
		return
	}
	for _, name := range ParseTemplate(s.text).Names() {
		if name != UnitName {
			report(s.field, fmt.Sprintf("has {%s}, want no name in braces but {unit}: other bytes may be written as hex:…", name))
			return
		}
	}
	// A unit of two digits fits where one of text or one of bytes does.
	b, err := Spoken(s.text, "00", protocol.Value{})
	switch {
	case err != nil:
		report(s.field, fmt.Sprintf("is %q, want text, or bytes in hexadecimal digits such as \"hex:0d0a\"", s.text))
	case len(b) == 0 || len(b) > maxSpoken:
		report(s.field, fmt.Sprintf("has %d bytes, want 1 to %d", len(b), maxSpoken))
	}
}
