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
	for i := range v.Segments {
		v.verify(i, &t, tell)
	}
	for _, c := range v.Cursors {
		if c.Position == 0 {
			found(Finding{File: c.Name + cursorSuffix, Reason: "holds no intact place: the sink would begin at the oldest reading"})
		}
	}
	return t
}

// verify checks segment i and what lies between it and the next.
func (v *View) verify(i int, t *Totals, tell func(Finding)) {
	s := v.Segments[i]
	expected, end := s.First, int64(segmentHeaderSize)
	f, err := s.segment.open(v.fs)
	if err == nil {
		defer f.Close()
		_ = v.scan(i, func(sc *scan, h recordHeader, payload []byte) error {
			begin := sc.off - int64(len(payload)) - recordHeaderSize
			if begin > end || h.seq > expected {
				tell(Finding{s.File, end, damage(f, end, begin), h.seq - expected})
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
	case limit == math.MaxUint64 && torn(f, end, s.segment.end):
		tell(Finding{s.File, end, "ends with an unfinished record, which was never acknowledged", 0})
	}
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
