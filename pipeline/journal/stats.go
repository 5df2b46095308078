package journal

import "sort"

// Stats is the journal at one moment. Sequences count readings.
type Stats struct {
	First    uint64 // oldest sequence that is there
	Next     uint64 // sequence that follows the last committed reading
	Segments int
	Bytes    int64  // of all segments on disk, zeros included
	Appended uint64 // bytes since the journal was opened
	Fsyncs   uint64 // commits since the journal was opened
	Cursors  []CursorStats
}

// CursorStats is one cursor at the same moment. All but Position count readings
// since the journal was opened, and
//
//	Carried + Journaled = Delivered + DeadLettered + Evicted + Damaged + InJournal
type CursorStats struct {
	Name      string
	Position  uint64
	Carried   uint64 // waiting when the journal was opened
	Journaled uint64
	Outcome
	Evicted   uint64 // gone because the journal was full
	InJournal uint64 // waiting now
}

// Stats returns the journal's state, all of it taken at the same moment.
func (j *Journal) Stats() Stats {
	j.mu.Lock()
	defer j.mu.Unlock()
	s := Stats{
		First:    j.oldest(),
		Next:     j.next,
		Segments: len(j.segments),
		Appended: j.tally.appended,
		Fsyncs:   j.tally.fsyncs,
	}
	for _, seg := range j.segments {
		s.Bytes += seg.size
	}
	for _, c := range j.cursors {
		s.Cursors = append(s.Cursors, c.stats())
	}
	sort.Slice(s.Cursors, func(a, b int) bool { return s.Cursors[a].Name < s.Cursors[b].Name })
	return s
}

func (c *Cursor) stats() CursorStats {
	waiting := c.j.next - c.position
	for _, s := range c.skips {
		waiting -= s.to - s.from
	}
	outcome := c.outcome
	outcome.Damaged += c.damaged
	return CursorStats{
		Name:      c.name,
		Position:  c.position,
		Carried:   c.carried,
		Journaled: c.j.next - c.begin,
		Outcome:   outcome,
		Evicted:   c.evicted,
		InJournal: waiting,
	}
}

// oldest returns the first sequence that is there. j.mu is held.
func (j *Journal) oldest() uint64 {
	if len(j.segments) == 0 {
		return j.next
	}
	return j.segments[0].first
}
