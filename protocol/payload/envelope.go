package payload

import (
	"strings"
	"time"

	"sluice/protocol"
)

// envelope is what stands around a decoder: the encodings that it does not see,
// and the check of the times that it finds.
type envelope struct {
	Decoder
	wraps []wrap        // in the order in which they are undone
	skew  time.Duration // how far device time may be from the gateway's; 0: any distance
}

// enclose puts around d what p asks for.
func enclose(p Profile, d Decoder) Decoder {
	e := &envelope{Decoder: d}
	for _, name := range strings.Fields(p.Encoding) {
		e.wraps = append(e.wraps, newWrap(name))
	}
	if p.Time != nil {
		e.skew = p.Time.MaxSkew
	}
	if e.wraps == nil && e.skew == 0 {
		return d
	}
	return e
}

// Decode implements Decoder.
func (e *envelope) Decode(b *protocol.Batch, m Message) error {
	if err := oversized(m.Payload); err != nil {
		return err
	}
	for i := range e.wraps {
		var err *protocol.Refusal
		if m.Payload, err = e.wraps[i].open(m.Payload); err != nil {
			return err
		}
	}
	first := len(b.Readings)
	if err := e.Decoder.Decode(b, m); err != nil {
		return err
	}
	for i := first; i < len(b.Readings); i++ {
		e.check(&b.Readings[i])
	}
	return nil
}

// Reply implements Replier for a decoder that is one.
func (e *envelope) Reply() (topic string, payload []byte, ok bool) {
	if r, is := e.Decoder.(Replier); is {
		return r.Reply()
	}
	return "", nil, false
}

// check takes a device time away that is too far from the gateway's clock, as
// long as that is set itself, and marks the reading.
func (e *envelope) check(r *protocol.Reading) {
	if e.skew == 0 || r.SourceTime == 0 || !protocol.ClockIsSet(r.ReceivedTime) {
		return
	}
	if r.SourceTime.Time().Sub(r.ReceivedTime.Time()).Abs() > e.skew {
		r.SourceTime, r.Skewed = 0, true
	}
}
