package journal

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
)

// Finding is something wrong in a journal.
type Finding struct {
	File     string // of the segment
	Offset   int64  // in it, where the damage begins
	Reason   string
	Readings uint64 // lost; 0 when they were never acknowledged, or are not lost
}

// Totals are what a journal holds.
type Totals struct {
	Records, Readings uint64
	Bytes             int64 // of intact records
	Lost              uint64
}

// Verify reads everything, checks it against its checksums and calls found for
// whatever is wrong, in the order of the log.
func (v *View) Verify(found func(Finding)) Totals {
	var t Totals
	v.VerifyFiles(found)
	for i := range v.Segments {
		t.Add(v.VerifySegment(i, found))
	}
	t.Lost += v.VerifyCursors(found)
	return t
}

// Add adds what another part holds.
func (t *Totals) Add(more Totals) {
	t.Records += more.Records
	t.Readings += more.Readings
	t.Bytes += more.Bytes
	t.Lost += more.Lost
}

// VerifyFiles is the part of Verify for files that are no segments.
func (v *View) VerifyFiles(found func(Finding)) {
	for _, a := range v.Aside {
		found(Finding{File: a.File, Reason: "is left aside: " + a.Reason})
	}
}

// VerifySegment is the part of Verify for segment i and what lies between it and
// the next. One that an open journal has deleted since is passed over.
func (v *View) VerifySegment(i int, found func(Finding)) (t Totals) {
	s := v.Segments[i]
	f, err := s.segment.open(v.fs)
	if errors.Is(err, fs.ErrNotExist) && v.dropped(i) {
		return t
	}
	tell := func(offset int64, reason string, readings uint64) {
		t.Lost += readings
		found(Finding{s.File, offset, reason, readings})
	}
	limit := v.limit(i)
	if err != nil {
		tell(0, "cannot be opened: "+err.Error(), known(limit, s.First))
		return t
	}
	defer f.Close()
	expected, end := s.First, int64(segmentHeaderSize)
	past, _ := v.scanFile(i, f, segmentHeaderSize, func(r Placed) error {
		if r.Offset > end || r.Seq > expected {
			reason := damage(f, end, r.Offset)
			if r.past > expected {
				reason = newerRecord
			}
			tell(end, reason, r.Seq-expected)
		}
		t.Records++
		t.Readings += uint64(r.Count)
		t.Bytes += r.Bytes
		expected, end = r.Seq+uint64(r.Count), r.Offset+r.Bytes
		return nil
	})
	switch {
	case limit == math.MaxUint64:
		if past > expected {
			tell(end, newerRecord, past-expected)
		} else if torn(f, end, s.segment.end) {
			tell(end, "ends with an unfinished record, which was never acknowledged", 0)
		}
	case expected >= limit:
	case i+1 < len(v.Segments) && v.Segments[i+1].Number > s.Number+1 && !torn(f, end, s.segment.end):
		tell(end, fmt.Sprintf("is followed by segment %d: what is between is missing", v.Segments[i+1].Number), limit-expected)
	default:
		tell(end, damage(f, end, s.segment.end), limit-expected)
	}
	return t
}

// VerifyCursors is the part of Verify for the places of cursors. It returns how
// many readings the log must have lost, going by them. Those of an open journal
// were verified when it was opened.
func (v *View) VerifyCursors(found func(Finding)) (lost uint64) {
	if v.j != nil {
		return 0
	}
	first, next := v.First(), v.Next()
	for _, c := range v.Cursors {
		f := Finding{File: c.Name + cursorSuffix}
		switch {
		case c.Position == 0:
			f.Reason = "holds no intact place: the sink would begin at the oldest reading"
		case c.Position < first:
			f.Readings = first - c.Position
			f.Reason = fmt.Sprintf("stands at %d, before the beginning of the log at %d: what is between was evicted or is missing", c.Position, first)
		case c.Position > next:
			f.Readings = c.Position - next
			f.Reason = fmt.Sprintf("stands at %d, beyond the end of the log at %d: what is between was delivered to the sink, and the log has lost it", c.Position, next)
		default:
			continue
		}
		lost = max(lost, f.Readings)
		found(f)
	}
	return lost
}

const newerRecord = "holds a record of a newer version"

func known(limit, expected uint64) uint64 {
	if limit == math.MaxUint64 {
		return 0
	}
	return limit - expected
}

// damage says what kind of damage lies in f from from to to.
func damage(f File, from, to int64) string {
	if from >= to {
		return "ends early"
	}
	b := make([]byte, min(to-from, page))
	if _, err := f.ReadAt(b, from); err != nil {
		return "cannot be read: " + err.Error()
	}
	if !torn(f, from, to) {
		return "is zeros where a record was"
	}
	return "holds a damaged record"
}
