package pipeline

import "sluice/protocol"

// entry is a batch on its way through the committer.
type entry struct {
	batch     *protocol.Batch
	source    *source
	readings  uint64
	duplicate bool // kept already: acknowledged with the others, not written
}

// source is the committer's side of one intake.
type source struct {
	intake *Intake
	resent *resent
	taken  uint64            // batches that left the queue
	lost   bool              // to be noted
	acked  []protocol.Origin // to be noted
}

// take returns the next batch of the intake, if there is one.
func (s *source) take() (entry, bool) {
	if s.intake.takeLost(s.taken + 1) {
		s.resent.lose()
		s.lost, s.acked = true, nil
	}
	select {
	case b := <-s.intake.queue:
		s.taken++
		e := entry{batch: b, source: s, readings: uint64(len(b.Readings))}
		if o := b.Origin; o.CanResend() {
			e.duplicate = s.resent.has(o)
			s.resent.keep(o)
		}
		return e, true
	default:
		return entry{}, false
	}
}

// note returns what the record of these entries has to say about the source.
func (s *source) note(entries []entry) note {
	n := note{source: s, driver: s.intake.driver, lost: s.lost, acked: s.acked}
	for i := range entries {
		e := &entries[i]
		if e.source == s && !e.duplicate && e.batch.Origin.CanResend() {
			n.kept = append(n.kept, e.batch.Origin)
		}
	}
	return n
}

// noted takes over a note that is in the journal now.
func (s *source) noted(n note) {
	s.resent.apply(note{acked: n.acked, kept: n.kept})
	s.lost = s.lost && !n.lost
	s.acked = s.acked[len(n.acked):]
}

// done ends an entry: nil, it is kept.
func (e *entry) done(err error) {
	e.source.intake.leave(e.readings, func(s *IntakeStats) *uint64 {
		switch {
		case err == nil && e.duplicate:
			return &s.Duplicate
		case err == nil:
			return &s.Journaled
		case e.batch.Origin.CanResend():
			return &s.Refused
		}
		return &s.Dropped
	})
	if e.batch.Done != nil {
		e.batch.Done(err)
	}
}
