package pipeline

import (
	"time"

	"sluice/protocol"
)

// stage looks at every batch between recognising duplicates and the journal, and
// may change or empty it. Stages run on the committer, in order, once per batch.
type stage interface {
	apply(b *protocol.Batch)
}

// unset marks readings that were received before the gateway's clock was set.
type unset struct{}

func (unset) apply(b *protocol.Batch) {
	for i := range b.Readings {
		r := &b.Readings[i]
		r.ClockUnset = !protocol.ClockIsSet(r.ReceivedTime)
	}
}

// rising makes received times of readings without a time of their own strictly
// increasing, so that two readings of one device never share an instant: a sink
// that stores by device and time would keep only one of them.
type rising struct{ last protocol.Timestamp }

// maxStep is how far a clock may have been set back and still be smoothed over.
// Beyond, the new time is taken as it is.
const maxStep = protocol.Timestamp(time.Second)

func (s *rising) apply(b *protocol.Batch) {
	for i := range b.Readings {
		r := &b.Readings[i]
		if r.ReceivedTime <= s.last && s.last-r.ReceivedTime < maxStep {
			r.ReceivedTime = s.last + 1
		}
		s.last = r.ReceivedTime
	}
}
