package payload

import (
	"errors"
	"fmt"

	"sluice/protocol"
)

// The limits of a message; one that is beyond them is refused with the reason
// "size".
const (
	maxMessage = 1 << 20 // bytes
	maxMetrics = 4096    // found without a list
	maxName    = 256     // bytes in a metric's name that was put together
)

// unnamed is the name of a value that has none of its own. Devices use it for
// the same purpose.
const unnamed = "value"

// New returns the decoder of p. An error names the first problem that
// p.Validate reports.
//
// Where the topic names a metric (Message.Metric), it is the name of a value
// that has none of its own: of a JSON message that is one bare value, and of
// what the message calls "value". Other names are kept. Of a profile that lists
// metrics only the one that the topic names applies, so that many topics can
// share a profile.
func New(p Profile) (Decoder, error) {
	var err error
	p.Validate(func(field, problem string) {
		if err == nil {
			err = fmt.Errorf("compile profile: %s %s", field, problem)
		}
	})
	switch {
	case err != nil:
		return nil, err
	case p.HasRegisters():
		return nil, errors.New("compile profile: its metrics are registers, which only a modbus driver reads")
	}
	return enclose(p, newDecoder(newPlan(p), p.Decode)), nil
}

// newDecoder returns the decoder that d chooses: the one place that knows all.
func newDecoder(p plan, d Decode) Decoder {
	if f, ok := newFormat(d.complete()); ok {
		r := newRefined(p, f)
		if d.NMEA != nil { // a sentence without a date has that of one before it
			r.fresh = func() format { f, _ := newFormat(d.complete()); return f }
		}
		return r
	}
	switch {
	case d.Sparkplug != nil:
		return newSparkplug(p, *d.Sparkplug)
	case d.JSON != nil:
		return newTree(p, formJSON, d.JSON.Each)
	case d.CBOR != nil:
		return newTree(p, formCBOR, d.CBOR.Each)
	case d.MsgPack != nil:
		return newTree(p, formMsgPack, d.MsgPack.Each)
	case d.SenML != nil:
		return newSenML(p)
	case d.Value != nil:
		return &valueDecoder{plan: p}
	case d.CSV != nil:
		return newCSV(p, d.CSV)
	}
	return newRegex(p, d.Regex)
}

// plan is a profile, compiled.
type plan struct {
	rules []rule // by name
	keep  bool   // what no rule mentions is kept as sent
	when  *stamp // nil: no device time but what the decoder finds itself

	flaws []protocol.Flaw // of the message being decoded
}

func newPlan(p Profile) plan {
	c := plan{rules: newRules(p.Metrics), keep: p.Others == "keep" || p.Others == "" && len(p.Metrics) == 0}
	if p.Time != nil && p.Time.Path != "" {
		c.when = newStamp(p.Time)
	}
	return c
}

// listed returns the rules that apply to a message whose topic names metric.
func (p *plan) listed(metric string) []rule {
	if metric == "" {
		return p.rules
	}
	for i := range p.rules {
		if p.rules[i].name == metric {
			return p.rules[i : i+1]
		}
	}
	return nil
}

// begin adds the reading of m to b.
func begin(b *protocol.Batch, m Message) *protocol.Reading {
	r := b.Add()
	r.Device, r.ReceivedTime = m.Device, m.Received
	return r
}

// oversized refuses a message that is too long to look at.
func oversized(payload []byte) *protocol.Refusal {
	if len(payload) > maxMessage {
		return protocol.Refuse("size", "%d bytes, want at most %d", len(payload), maxMessage)
	}
	return nil
}

// keptNames is the memory that the names of metrics may take that a decoder
// remembers: it has to hold maxMetrics usual ones, or a device with so many would
// make them anew each time.
const keptNames = 1 << 20

// keptBytes is how large a buffer may be that is kept between messages.
const keptBytes = 4096

// again empties a buffer for the next message.
func again(buf []byte) []byte {
	if cap(buf) > keptBytes {
		return nil
	}
	return buf[:0]
}
