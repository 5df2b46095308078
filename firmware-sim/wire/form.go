// Package wire says how a simulated device puts its values on the wire: the
// inverse of a profile, written without looking at the gateway's decoders.
//
// A Form is made from a profile and knows which values a message holds. It
// turns whole numbers (ticks) into a message and into what the gateway should
// make of it. Sent numbers are chosen so that there is one right answer: the
// float64 nearest to the exact decimal result of scale and offset.
package wire

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"sluice/protocol"
	"sluice/protocol/payload"
)

// Form is how one device model reports. It never changes and is safe for
// concurrent use.
type Form struct {
	slots  []Slot
	clock  *clock   // nil: messages carry no time
	stamps []target // metrics that are read from the time
	layout layout
	spell  spelling
	wraps  *wraps                             // what stands around the message; nil: nothing
	tags   func(device string) []protocol.Tag // that messages say about their device; nil: none
}

// layout puts texts in their places.
type layout interface {
	// compose appends a message with these texts, one per slot. It sets the
	// texts that found no place to "" and returns false when the message would
	// not read back.
	compose(dst []byte, m *message) ([]byte, bool)
}

// message is what a layout puts in its places.
type message struct {
	texts  []string
	time   string             // as the clock writes it, "" without one
	at     protocol.Timestamp // that time, 0 without one
	device string
	rand   *rand.Rand
}

// Input is what one message is made of.
type Input struct {
	Ticks    []int64            // one per slot, within its bounds
	At, Last protocol.Timestamp // now, and the time of the device's message before
	Device   string             // its name, for messages that tell it
	Rand     *rand.Rand         // for what a device is free to choose, such as blanks
}

// Sample is one message and what the gateway should deliver for it.
type Sample struct {
	Payload []byte             // without a line end
	Time    protocol.Timestamp // the device's time as it will be read, 0 when the message has none
	Metrics []protocol.Metric  // sorted by name
}

// Slots returns the places for values. The caller does not change them.
func (f *Form) Slots() []Slot { return f.slots }

// Timed reports whether messages carry the device's time.
func (f *Form) Timed() bool { return f.clock != nil && !f.clock.untold }

// Space returns how many different samples there can be, apart from their time.
func (f *Form) Space() float64 {
	space := 1.0
	for i := range f.slots {
		space *= f.slots[i].distinct()
	}
	return space
}

// Tags returns what messages say about the device of that name, beside its
// name.
func (f *Form) Tags(device string) []protocol.Tag {
	if f.tags == nil {
		return nil
	}
	return f.tags(device)
}

// Encode makes a message. It returns false when these ticks have no unambiguous
// message; the caller then tries others. The sample's slices are new.
func (f *Form) Encode(in Input) (Sample, bool) {
	m := message{texts: make([]string, len(f.slots)), device: in.Device, rand: in.Rand}
	for i := range f.slots {
		m.texts[i] = f.slots[i].text(in.Ticks[i])
	}
	var s Sample
	if f.clock != nil {
		m.time, m.at = f.clock.stamp(in.At, in.Last)
	}
	if f.Timed() {
		s.Time = m.at
	}
	var ok bool
	if s.Payload, ok = f.layout.compose(nil, &m); !ok {
		return Sample{}, false
	}
	if s.Metrics, ok = f.expect(m.texts, m.time); !ok || len(s.Metrics) == 0 {
		return Sample{}, false
	}
	slices.SortFunc(s.Metrics, func(a, b protocol.Metric) int { return strings.Compare(a.Name, b.Name) })
	if f.wraps != nil {
		s.Payload, ok = f.wraps.around(s.Payload, in.Rand)
	}
	return s, ok
}

// expect returns what the gateway should make of the texts that were sent, and
// whether there is one right answer.
func (f *Form) expect(texts []string, time string) ([]protocol.Metric, bool) {
	var metrics []protocol.Metric
	add := func(targets []target, text string, kind Kind) bool {
		for i := range targets {
			v, ok := targets[i].expect(text, kind, f.spell)
			if !ok {
				return false
			}
			metrics = append(metrics, protocol.Metric{Name: targets[i].name, Value: v, Unit: targets[i].unit})
		}
		return true
	}
	for i := range f.slots {
		s := &f.slots[i]
		if texts[i] != "" && !add(s.targets, s.meant(texts[i]), f.shown(s)) {
			return nil, false
		}
	}
	if len(f.stamps) == 0 {
		return metrics, true
	}
	kind := Number
	if f.clock.quoted() {
		kind = Word
	}
	return metrics, add(f.stamps, time, kind)
}

// try makes sure that messages can be made at all.
func (f *Form) try() error {
	if len(f.slots)+len(f.stamps) == 0 {
		return errors.New("no metric has a place in the message")
	}
	r := rand.New(rand.NewPCG(1, 2))
	made := 0
	for range tries {
		if _, ok := f.Encode(Input{Ticks: f.draw(r), At: sampleTime, Rand: r}); ok {
			made++
		}
	}
	if made < tries/20 {
		return fmt.Errorf("no message reads back as it was meant (%d of %d tries)", made, tries)
	}
	return nil
}

const tries = 100

// draw returns random ticks within the bounds.
func (f *Form) draw(r *rand.Rand) []int64 {
	ticks := make([]int64, len(f.slots))
	for i := range f.slots {
		s := &f.slots[i]
		ticks[i] = s.Min + r.Int64N(s.Max-s.Min+1)
	}
	return ticks
}

// shown returns the kind that a slot has on the wire.
func (f *Form) shown(s *Slot) Kind {
	if f.spell == typed {
		return s.shown
	}
	return s.Kind
}

// sources groups the metrics of a profile by the place they are read from, in a
// fixed order.
func sources(p *payload.Profile) (paths []string, targets map[string][]target, err error) {
	targets = make(map[string][]target)
	for name, m := range p.Metrics {
		t, err := newTarget(name, m)
		if err != nil {
			return nil, nil, err
		}
		path := m.Path
		if path == "" {
			path = name
		}
		targets[path] = append(targets[path], t)
	}
	for path, list := range targets {
		paths = append(paths, path)
		slices.SortFunc(list, func(a, b target) int { return strings.Compare(a.name, b.name) })
	}
	slices.Sort(paths)
	return paths, targets, nil
}
