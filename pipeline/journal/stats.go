package journal

import (
	"maps"
	"sort"
)

// Stats is the journal at one moment. Sequences count readings.
type Stats struct {
	First    uint64 // oldest sequence that is there
	Next     uint64 // sequence that follows the last committed reading
	Segments int
	Bytes    int64  // of all segments on disk, zeros included
	InMemory int64  // bytes of volatile segments
	Appended uint64 // bytes since the journal was opened
	Fsyncs   uint64 // commits since the journal was opened
	Commits  Histogram
	Volatile uint64 // readings accepted into memory since the journal was opened
	Repairs  map[Repair]uint64
	Cursors  []CursorStats
}

// Repair is something that the journal found wrong and went on from.
type Repair string

// What can be wrong, and in which unit it is counted.
const (
	TailTorn       Repair = "tail_torn"       // unfinished records at the end, cut off when opened
	RecordDamaged  Repair = "record_damaged"  // readings in damaged records, found when opened
	FileAside      Repair = "file_aside"      // files that are no segments of this log
	SegmentMissing Repair = "segment_missing" // files that have vanished
	CursorLost     Repair = "cursor_lost"     // cursors that had to begin at the oldest reading
	EndMissing     Repair = "end_missing"     // readings that a cursor has passed and the log has lost
)

// CursorStats is one cursor at the same moment. All but Position count readings
// since the journal was opened, and
//
//	Carried + Journaled + Backfilled = Delivered + Diverted + DeadLettered + Evicted + Damaged + InJournal
type CursorStats struct {
	Name       string
	Claimed    bool // somebody reads it
	Position   uint64
	Carried    uint64 // waiting when the journal was opened
	Journaled  uint64
	Backfilled uint64 // wanted again by Replay
	Outcome
	Evicted   Evictions
	InJournal uint64 // waiting now
	Backlog   uint64 // of these, since the last Split
	Bytes     int64  // about what waits takes on disk
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
		Commits:  j.tally.commits,
		Volatile: j.tally.volatile,
		Repairs:  maps.Clone(j.tally.repairs),
	}
	for _, seg := range j.segments {
		if seg.mem != nil {
			s.InMemory += seg.end
		} else {
			s.Bytes += seg.size
		}
	}
	for _, c := range j.cursors {
		s.Cursors = append(s.Cursors, c.stats())
	}
	sort.Slice(s.Cursors, func(a, b int) bool { return s.Cursors[a].Name < s.Cursors[b].Name })
	return s
}

func (c *Cursor) stats() CursorStats {
	outcome := c.outcome
	outcome.Damaged += c.damaged
	return CursorStats{
		Name:       c.name,
		Claimed:    c.claimed,
		Position:   c.least(),
		Carried:    c.carried,
		Journaled:  c.j.next - c.begin,
		Backfilled: c.backfilled,
		Outcome:    outcome,
		Evicted:    c.evicted,
		InJournal:  c.waiting(),
		Backlog:    c.backlog.waiting(c.backlog.until),
		Bytes:      c.Lane.behind(c.j.next) + c.backlog.behind(c.backlog.until),
	}
}

// behind returns about how many bytes before the sequence end are yet to be read.
// j.mu is held.
func (l *Lane) behind(end uint64) (bytes int64) {
	segments := l.c.j.segments
	for i := len(segments) - 1; i >= 0 && l.read < end; i-- {
		s := segments[i]
		if s.first >= end {
			continue
		}
		from := int64(segmentHeaderSize)
		if s == l.seg {
			from = l.offset
		}
		bytes += s.end - from
		if s.first <= l.read {
			break
		}
	}
	return bytes
}

// oldest returns the first sequence that is there. j.mu is held.
func (j *Journal) oldest() uint64 {
	if len(j.segments) == 0 {
		return j.next
	}
	return j.segments[0].first
}
