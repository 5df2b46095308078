package serial

import (
	"bytes"
	"fmt"
	"time"

	"sluice/protocol"
	"sluice/protocol/payload"
)

// station is a device on the line, as far as it talks.
type station struct {
	device  *protocol.Device
	unit    string
	profile *payload.Profile
	decoder payload.Decoder

	// Of one that is asked:
	steps    []step // what is sent, the request last; nil: it talks by itself
	timeout  time.Duration
	retries  int
	rivals   []*station    // for whose answers one of its own could be taken, if it came late; itself among them
	every    time.Duration // how often it is asked
	phase    time.Duration // from the start to the first poll
	due      time.Time     // when the poll has its place, however late it is done
	ready    time.Time     // when it may be asked
	tries    int           // how often it was asked in vain during this poll
	misses   int           // polls in a row without any answer
	demoted  bool          // it is asked only once in a while
	deferred time.Time     // until then an answer may come that nobody waits for any more
}

// step is one thing that is sent to a device, and what follows.
type step struct {
	text   []byte
	waits  bool   // for a frame
	begins []byte // how that begins
	use    purpose
	pause  time.Duration // before the next step
}

// newStation compiles a device of a driver, which is valid.
func newStation(driver string, d *Device) (*station, error) {
	if d.Decode == nil {
		return nil, fmt.Errorf("device %s has no profile", d.Name)
	}
	decoder, err := payload.New(*d.Decode)
	if err != nil {
		return nil, fmt.Errorf("profile %s: %w", d.Profile, err)
	}
	s := &station{
		device:  &protocol.Device{Name: d.Name, Profile: d.Profile, Driver: driver, Tags: d.Tags, Reports: d.Decode.Reports()},
		unit:    d.Unit,
		profile: d.Decode,
		decoder: decoder,
		timeout: (&payload.Ask{}).Patience(),
	}
	if ask := d.Decode.Ask; ask != nil {
		s.timeout, s.retries, s.every = ask.Patience(), ask.Repeats(), d.Decode.Poll
		if s.steps, err = newSteps(ask, d.Unit); err != nil {
			return nil, fmt.Errorf("device %s: ask %w", d.Name, err)
		}
	}
	return s, nil
}

func newSteps(ask *payload.Ask, unit string) ([]step, error) {
	expect, err := payload.Spoken(ask.Expect, unit, protocol.Value{})
	if err != nil {
		return nil, err
	}
	var steps []step
	for _, p := range ask.Before {
		text, err := payload.Spoken(p.Send, unit, protocol.Value{})
		if err != nil {
			return nil, err
		}
		steps = append(steps, step{text: text, waits: p.Answer, use: passes, pause: p.Pause})
	}
	text, err := payload.Spoken(ask.Request, unit, protocol.Value{})
	return append(steps, step{text: text, waits: true, begins: expect, use: reads}), err
}

// asks reports whether the device is asked.
func (s *station) asks() bool { return s.steps != nil }

// expects returns how the device's answers begin.
func (s *station) expects() []byte { return s.steps[len(s.steps)-1].begins }

// answersAlike says that all that the device answers begins as its last answer
// does, beside one that talks by itself.
func (s *station) answersAlike() {
	for i := range s.steps {
		s.steps[i].begins = s.expects()
	}
}

// resembles reports whether an answer of s could be taken for one of o. tells
// says that frames have a unit.
func (s *station) resembles(o *station, tells bool) bool {
	return s == o || !tells && (begins(s.expects(), o.expects()) || begins(o.expects(), s.expects()))
}

func begins(frame, with []byte) bool { return bytes.HasPrefix(frame, with) }
