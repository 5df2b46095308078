package bus

import (
	"cmp"
	"maps"
	"slices"
	"time"
)

// Speech is what a device says at a time, with its line end; nil says nothing.
// It must not call the bus.
type Speech func(at time.Time) []byte

// Say returns a Speech that is always the same.
func Say(text string) Speech { return func(time.Time) []byte { return []byte(text) } }

// Device is a device on a Text bus: one that answers, one that talks by itself,
// or both.
type Device struct {
	Unit uint8 // names it to Inject and to the ledger, on no line

	// Answers are what it answers to the requests, which are given with their
	// line ends. Where a request ends with another one the longer one counts.
	Answers            map[string]Speech
	Turnaround, Jitter time.Duration // both 0: those of the bus

	// Talk is said every so often, when nobody else talks.
	Talk  Speech
	Every time.Duration

	// Wake, when not "", has to come no longer than Awake before a request, or
	// the device sleeps through it. Every request keeps it awake.
	Wake  string
	Awake time.Duration
}

// device is a Device at work.
type device struct {
	Device
	next  time.Time // when it talks, zero for never or not yet known
	awake time.Time // until when it listens
}

// phrase is something that a device listens to.
type phrase struct {
	text   string
	device *device
	speech Speech // nil wakes it up
}

// phrases returns what the device listens to, in an order that is always the
// same.
func (d *device) phrases() []phrase {
	var all []phrase
	if d.Wake != "" {
		all = append(all, phrase{text: d.Wake, device: d})
	}
	for _, text := range slices.Sorted(maps.Keys(d.Answers)) {
		all = append(all, phrase{text: text, device: d, speech: d.Answers[text]})
	}
	return all
}

// hears reports whether the device is awake at a time, and keeps it so.
func (d *device) hears(at time.Time) bool {
	if d.Wake == "" {
		return true
	}
	if at.After(d.awake) {
		return false
	}
	d.awake = at.Add(d.Awake)
	return true
}

// book is what the devices of a bus listen to, longest first.
type book struct {
	phrases []phrase
}

func (b *book) add(d *device) {
	b.phrases = append(b.phrases, d.phrases()...)
	slices.SortStableFunc(b.phrases, func(x, y phrase) int { return cmp.Compare(len(y.text), len(x.text)) })
}
