package payload

import "sluice/protocol"

// spare lets a message go on without a metric that is of another type than the
// profile says, and hands back what is wrong with all of it.
func (p *plan) spare(r *protocol.Reading, err *protocol.Refusal) *protocol.Refusal {
	if err == nil || err.Reason != "type" {
		return err
	}
	p.flaws = append(p.flaws, protocol.Flaw{Device: r.Device, Refusal: err})
	return nil
}

// settle ends a message whose readings were added to b from the first one on,
// unless err refuses it. Readings without a metric go. When none is left the
// message is refused, for the first of its metrics that could not be read if
// there was one.
func (p *plan) settle(b *protocol.Batch, first int, err *protocol.Refusal) error {
	flaws := p.flaws
	p.flaws = p.flaws[:0]
	if err == nil && !filled(b, first) {
		err = protocol.Refuse("missing", "the message holds none of the metrics")
		if len(flaws) > 0 {
			err = flaws[0].Refusal
		}
	}
	if err != nil {
		b.Readings = b.Readings[:first]
		return err
	}
	b.Flaws = append(b.Flaws, flaws...)
	return nil
}

// filled takes readings without a metric away and reports whether any is left.
func filled(b *protocol.Batch, first int) bool {
	kept := first
	for i := first; i < len(b.Readings); i++ {
		if len(b.Readings[i].Metrics) > 0 {
			b.Readings[kept], b.Readings[i] = b.Readings[i], b.Readings[kept] // a swap keeps the room of both
			kept++
		}
	}
	b.Readings = b.Readings[:kept]
	return kept > first
}
