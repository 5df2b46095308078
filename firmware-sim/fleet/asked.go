package fleet

import (
	"bytes"
	"fmt"
	"regexp"
	"slices"
	"time"

	"sluice/firmware-sim/bus"
	"sluice/firmware-sim/wire"
	"sluice/protocol"
	"sluice/protocol/frame"
	"sluice/protocol/payload"
)

// Line is what a serial driver talks to whose devices are asked.
type Line struct {
	Driver string
	Line   string // "9600 8N1"
	Frame  frame.Config
	unit   *unitPlace // nil: frames do not tell whose they are
}

// Station is a row of the device list with one address on a line.
type Station struct {
	Row
	Unit string // "" when it has none
}

// mostAsked is how many devices a line has at most.
const mostAsked = 255

// AddLine adds the devices on one serial line that are asked.
func (m *Model) AddLine(l Line, stations []Station) error {
	found := busModel{Bus: Bus{Driver: l.Driver, Mode: bus.Text, Line: l.Line}}
	var all []*asked
	for i, s := range stations {
		m.reserve([]Row{s.Row})
		one, err := newAsked(l, s, m.opts.Seed)
		if err == nil && i >= mostAsked {
			err = &wire.Unknown{What: fmt.Sprintf("a device behind %d others on a line", mostAsked)}
		}
		if err == nil {
			one.address = uint8(i + 1)
			err = one.apart(all)
		}
		if m.leavesOut(s.Row, err) {
			continue
		}
		if err != nil {
			return fmt.Errorf("simulate driver %s: %w", l.Driver, err)
		}
		all = append(all, one)
		found.members = append(found.members, one)
		m.devices = append(m.devices, one.device())
	}
	m.buses = append(m.buses, found)
	return nil
}

// asked is a device on a serial line that answers when it is asked.
type asked struct {
	polled
	frame    frame.Config
	lead     string     // what an answer begins with, before what the profile reads
	unit     string     // that stands
	place    *unitPlace // here; nil: nowhere
	request  string     // to which it answers
	preludes []string   // what it hears before, and says nothing
	greeted  []string   // what it hears before, and answers somehow
	greeting []byte     // that answer, without its frame

	// Guarded by mu:
	fresh bool // the sample was not answered for yet
	said  bool // what was said last is the sample
}

// newAsked returns the device of a row. A wire.Unknown says that it cannot be
// simulated.
func newAsked(l Line, s Station, seed uint64) (*asked, error) {
	ask := s.Decode.Ask
	if ask == nil {
		return nil, &wire.Unknown{What: "a device that talks by itself on a line with others"}
	}
	voices, err := newVoices(s.Row, pattern{})
	if err == nil {
		err = checkFrame(l.Frame, s.Decode)
	}
	if err != nil {
		return nil, err
	}
	d := newDevice(protocol.Device{Name: s.Name, Profile: s.Profile, Driver: l.Driver, Tags: s.Tags}, voices, seed)
	a := &asked{frame: l.Frame, unit: s.Unit, place: l.unit}
	a.groups = []*group{{Device: d, every: s.Decode.Poll}}
	if err := a.learn(ask, s.Unit); err != nil {
		return nil, err
	}
	return a, a.findLead(l, s)
}

// learn notes what the device listens to.
func (a *asked) learn(ask *payload.Ask, unit string) error {
	for _, p := range ask.Before {
		text, err := payload.Spoken(p.Send, unit, protocol.Value{})
		switch {
		case err != nil:
			return fmt.Errorf("ask.before %w", err)
		case p.Answer:
			a.greeted = append(a.greeted, string(text))
		default:
			a.preludes = append(a.preludes, string(text))
		}
	}
	text, err := payload.Spoken(ask.Request, unit, protocol.Value{})
	if err != nil {
		return fmt.Errorf("ask.request %w", err)
	}
	a.request = string(text)
	return nil
}

// findLead finds what has to stand before the messages of the profile, so that
// they are the answers that the driver expects and read as they were meant.
func (a *asked) findLead(l Line, s Station) error {
	expect, err := payload.Spoken(s.Decode.Ask.Expect, s.Unit, protocol.Value{})
	if err != nil {
		return fmt.Errorf("ask.expect %w", err)
	}
	leads := []string{"", string(expect), s.Unit, s.Unit + " ", string(expect) + s.Unit}
	places := []*unitPlace{l.unit}
	if s.Unit != "" {
		places = append(places, &unitPlace{re: regexp.MustCompile(`\d+`)}) // a profile may read over it
	}
	for _, a.place = range places {
		for _, a.lead = range leads {
			if a.understood(l, s, expect) {
				return nil
			}
		}
	}
	return &wire.Unknown{What: fmt.Sprintf("an answer to ask.request %q with decode %s", s.Decode.Ask.Request, s.Decode.Decode.Kind())}
}

// understood reports whether a message with the lead is what the driver expects,
// and reads as it was meant. It looks at some messages of a device like a.
func (a *asked) understood(l Line, s Station, expect []byte) bool {
	decoder, err := payload.New(*s.Decode)
	voices, failed := newVoices(s.Row, pattern{})
	if err != nil || failed != nil {
		return false
	}
	d := newDevice(a.groups[0].Device.Device, voices, 0)
	for range 8 {
		now := protocol.At(time.Now())
		sample := d.Next(now)
		text := a.message(sample)
		if !bytes.HasPrefix(text, expect) || l.unit != nil && !l.unit.has(text, a.unit) {
			return false
		}
		var b protocol.Batch
		if decoder.Decode(&b, payload.Message{Payload: text, Device: &d.Device, Received: now}) != nil || len(b.Readings) != 1 {
			return false
		}
		metrics := slices.Clone(b.Readings[0].Metrics)
		slices.SortFunc(metrics, byName)
		if hashOf(metrics) != hashOf(sample.Metrics) {
			return false
		}
		a.greeting = text
	}
	return true
}

// message returns a sample as the device says it, without its frame.
func (a *asked) message(s Sample) []byte {
	text := slices.Concat([]byte(a.lead), s.Payload)
	if a.place == nil {
		return text
	}
	return a.place.put(text, a.unit)
}

func byName(a, b protocol.Metric) int { return bytes.Compare([]byte(a.Name), []byte(b.Name)) }

// apart returns a wire.Unknown when somebody else on the line could feel asked.
func (a *asked) apart(others []*asked) error {
	for _, o := range append(slices.Clone(others), a) {
		for _, mine := range a.phrases() {
			for _, yours := range o.phrases() {
				if o == a && mine == yours || o != a && slices.Contains(a.preludes, mine) && slices.Contains(o.preludes, yours) {
					continue
				}
				if mine == yours || within(mine, yours) || within(yours, mine) {
					return &wire.Unknown{What: fmt.Sprintf("what %s is asked, %q, beside %q", a.name(), mine, yours)}
				}
			}
		}
	}
	return nil
}

// within reports whether who listens to short feels asked before all of long was
// said.
func within(short, long string) bool {
	return len(short) < len(long) && bytes.Contains([]byte(long[:len(long)-1]), []byte(short))
}

// phrases returns all that the device listens to.
func (a *asked) phrases() []string { return slices.Concat(a.preludes, a.greeted, []string{a.request}) }

// join puts the device on the bus.
func (a *asked) join(b *bus.Bus) error {
	answers := map[string]bus.Speech{a.request: a.answer}
	for _, text := range a.preludes {
		answers[text] = func(time.Time) []byte { return nil }
	}
	for _, text := range a.greeted {
		answers[text] = a.greet
	}
	return b.AddDevice(bus.Device{Unit: a.address, Answers: answers})
}

// greet answers a prelude.
func (a *asked) greet(time.Time) []byte {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.said = false
	return frame.Append(a.frame, nil, a.greeting)
}

// answer says the sample of the device, a new one when the last one was heard.
func (a *asked) answer(time.Time) []byte {
	a.mu.Lock()
	defer a.mu.Unlock()
	if g := a.groups[0]; !a.fresh {
		g.sample, a.fresh = g.Next(protocol.At(time.Now())), true
	}
	a.said = true
	return frame.Append(a.frame, nil, a.message(a.groups[0].sample))
}

// answered notes what an answer said.
func (a *asked) answered(f *Fleet, what *bus.Answer) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.said || !a.fresh {
		return // it answered a prelude
	}
	a.groups[0].began, a.fresh = what.At, false
	a.complete(f, a.groups[0], what)
}
