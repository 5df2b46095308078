package pipeline

import (
	"slices"

	"sluice/protocol"
)

// entry is a batch on its way through the committer.
type entry struct {
	batch     *protocol.Batch
	source    *source
	readings  uint64
	size      int // about, in bytes
	session   uint64
	duplicate bool // kept already: acknowledged with the others, not written

	suppressed uint64 // of readings, by a report rule
	held       uint64 // of readings, to go out or be suppressed later
}

// source is the committer's side of one intake.
type source struct {
	intake  *Intake
	resent  *resent
	session uint64
	lost    bool              // the session began after the last note
	acked   []protocol.Origin // of the session, to be noted
	kept    []protocol.Origin // of the record being written; reused
	taken   []protocol.Origin // acknowledgements just taken from the intake; reused
}

// collect takes what the driver has noted about its messages.
func (s *source) collect() {
	session, acked := s.intake.takeNotes(s.taken[:0])
	s.taken = acked
	if len(acked) == 0 && len(s.intake.queue) > 0 {
		return // a new session begins with its first batch
	}
	s.enter(session)
	for _, o := range acked {
		s.resent.acknowledged(o)
	}
	s.acked = append(s.acked, acked...)
}

// enter begins another session, if it is another.
func (s *source) enter(session uint64) {
	if session == s.session {
		return
	}
	s.resent.lose()
	s.session, s.lost, s.acked = session, true, s.acked[:0]
}

// take returns the next batch of the intake, if there is one.
func (s *source) take() (entry, bool) {
	select {
	case q := <-s.intake.queue:
		e := entry{batch: q.batch, source: s, readings: uint64(len(q.batch.Readings)), size: q.size, session: q.session}
		if q.session > s.session {
			s.enter(q.session)
		}
		if o := q.batch.Origin; o.CanResend() && q.session == s.session {
			if e.duplicate = s.resent.has(o); !e.duplicate {
				s.resent.keep(o)
			}
		}
		return e, true
	default:
		return entry{}, false
	}
}

// note returns what the record of these entries has to say about the source. Its
// lists are valid until the next call, or until something is noted.
func (s *source) note(entries []entry) note {
	s.kept = s.kept[:0]
	for i := range entries {
		e := &entries[i]
		if e.source == s && e.session == s.session && !e.duplicate && e.batch.Origin.CanResend() {
			s.kept = append(s.kept, e.batch.Origin)
		}
	}
	return note{source: s, session: s.session, driver: s.intake.driver, lost: s.lost, acked: s.acked, kept: s.kept}
}

// noted takes over a note that is in the journal now.
func (s *source) noted(n note) {
	if n.session != s.session {
		return // what it said has no meaning any more
	}
	s.lost = false
	s.acked = slices.Delete(s.acked, 0, len(n.acked))
}

// refuse ends an entry that was not kept. If its message comes again, it is new.
func (s *source) refuse(e *entry, err error) {
	if o := e.batch.Origin; o.CanResend() && e.session == s.session && !e.duplicate {
		s.resent.acknowledged(o)
	}
	e.done(err)
}

// Superseded counts a reading that was held back as suppressed.
func (s *source) Superseded() { s.intake.leave(1, 0, suppressed) }

func suppressed(s *IntakeStats) *uint64 { return &s.Suppressed }

// done ends an entry: nil, it is kept. What is held back of it stays in the intake.
func (e *entry) done(err error) {
	n := e.readings - e.held
	if err == nil && e.suppressed > 0 {
		n -= e.suppressed
		e.source.intake.leave(e.suppressed, 0, suppressed)
	}
	e.source.intake.leave(n, e.size, func(s *IntakeStats) *uint64 {
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
