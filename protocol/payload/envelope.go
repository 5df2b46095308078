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
	inside *inside       // nil: the message is what is decoded
	wraps  []wrap        // in the order in which they are undone
	skew   time.Duration // how far device time may be from the gateway's; 0: any distance
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
	if p.Inside != "" {
		e.inside = &inside{path: newPath(p.Inside)}
	}
	if e.inside == nil && e.wraps == nil && e.skew == 0 {
		return d
	}
	return e
}

// Decode implements Decoder.
func (e *envelope) Decode(b *protocol.Batch, m Message) error {
	if err := oversized(m.Payload); err != nil {
		return err
	}
	var err *protocol.Refusal
	if e.inside != nil {
		if m.Payload, err = e.inside.open(m.Payload); err != nil {
			return err
		}
	}
	for i := range e.wraps {
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

// inside finds the payload that stands as a text in a JSON message, as network
// servers forward what a device has sent.
type inside struct {
	doc  document
	path path
	text []byte // one with escapes in it, resolved
}

// open returns the text. It is valid until the next call.
func (i *inside) open(message []byte) ([]byte, *protocol.Refusal) {
	if err := i.doc.parse(message, formJSON); err != nil {
		return nil, err
	}
	n := i.doc.find(&i.path, 0)
	if n < 0 || i.doc.nodes[n].kind != textNode {
		return nil, protocol.Refuse("missing", "the message has no text at %s", i.path.text)
	}
	i.text = again(i.text)
	return i.doc.scalar(n, &i.text).src, nil
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
