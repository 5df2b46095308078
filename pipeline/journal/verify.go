package journal

import (
	"fmt"
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
	for _, a := range v.Aside {
		found(Finding{File: a.File, Reason: "is left aside: " + a.Reason})
	}
	tell := func(f Finding) {
		t.Lost += f.Readings
		found(f)
	}
	end := max(1, v.next) // sequence that follows the last reading
	for i := range v.Segments {
		end = v.verify(i, &t, tell)
	}
	first := end
	if len(v.Segments) > 0 {
		first = v.Segments[0].First
	}
	for _, c := range v.Cursors {
		file := c.Name + cursorSuffix
		switch {
		case c.Position == 0:
			found(Finding{File: file, Reason: "holds no intact place: the sink would begin at the oldest reading"})
		case c.Position < first:
			found(Finding{File: file, Reason: "is before the beginning of the log: what is between is missing", Readings: first - c.Position})
		case c.Position > end:
			found(Finding{File: file, Reason: "is beyond the end of the log, which has lost what is between", Readings: c.Position - end})
		}
	}
	return t
}

const newerRecord = "holds a record of a newer version"

// verify checks segment i and what lies between it and the next, and returns the
// sequence that follows.
func (v *View) verify(i int, t *Totals, tell func(Finding)) (next uint64) {
	s := v.Segments[i]
	expected, end, past := s.First, int64(segmentHeaderSize), uint64(0)
	f, err := s.segment.open(v.fs)
	if err == nil {
		defer f.Close()
		past, _ = v.scan(i, func(sc *scan, h recordHeader, payload []byte) error {
			begin := sc.off - int64(len(payload)) - recordHeaderSize
			if begin > end || h.seq > expected {
				reason := damage(f, end, begin)
				if sc.past > expected {
					reason = newerRecord
				}
				tell(Finding{s.File, end, reason, h.seq - expected})
			}
			t.Records++
			t.Readings += uint64(h.count)
			t.Bytes += sc.off - begin
			expected, end = h.seq+uint64(h.count), sc.off
			return nil
		})
	}
	limit := v.limit(i)
	switch {
	case err != nil:
		tell(Finding{s.File, 0, "cannot be opened: " + err.Error(), known(limit, expected)})
	case limit != math.MaxUint64 && expected < limit && i+1 < len(v.Segments) && v.Segments[i+1].Number > s.Number+1 && !torn(f, end, s.segment.end):
		tell(Finding{s.File, end, fmt.Sprintf("is followed by segment %d: what is between is missing", v.Segments[i+1].Number), limit - expected})
	case limit != math.MaxUint64 && expected < limit:
		tell(Finding{s.File, end, damage(f, end, s.segment.end), limit - expected})
	case past > expected:
		tell(Finding{s.File, end, newerRecord, past - expected})
	case limit == math.MaxUint64 && torn(f, end, s.segment.end):
		tell(Finding{s.File, end, "ends with an unfinished record, which was never acknowledged", 0})
	}
	if limit != math.MaxUint64 {
		return limit
	}
	return max(expected, past)
}

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
