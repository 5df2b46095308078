package pipeline

import (
	"context"

	"sluice/pipeline/journal"
	"sluice/protocol"
)

// Finding is something wrong in a journal.
type Finding = journal.Finding

// Totals are what a journal holds.
type Totals = journal.Totals

// Verify reads everything and calls found for whatever is wrong. progress is told
// how many bytes were checked, of how many.
func (a *Archive) Verify(ctx context.Context, found func(Finding), progress func(done, of int64)) (Totals, error) {
	var t Totals
	var done, of int64
	for _, s := range a.view.Segments {
		of += s.Size
	}
	a.view.VerifyFiles(found)
	for i, s := range a.view.Segments {
		if err := context.Cause(ctx); err != nil {
			return t, err
		}
		progress(done, of)
		part := a.view.VerifySegment(i, found)
		if part.Lost > 0 {
			part.Lost += a.verifyReadings(i, found)
		}
		t.Add(part)
		done += s.Size
	}
	progress(done, of)
	t.Lost += a.view.VerifyCursors(found)
	return t, nil
}

// verifyReadings finds the readings of segment i that cannot be told although their
// records are intact: their devices and metrics were declared in one that is
// damaged. Segments without damage need not be looked at.
func (a *Archive) verifyReadings(i int, found func(Finding)) (lost uint64) {
	d := newDecoder()
	f := Finding{File: a.view.Segments[i].File, Reason: "refers to devices or metrics that a damaged record declared"}
	tell := func() {
		if f.Readings > 0 {
			found(f)
		}
		lost += f.Readings
		f.Readings = 0
	}
	_ = a.view.SegmentRecords(i, func(p journal.Placed) error {
		n := untold(d, p.Record)
		switch {
		case n == 0:
			tell()
		case f.Readings == 0:
			f.Offset = p.Offset
		}
		f.Readings += n
		return nil
	})
	tell()
	return lost
}

// untold counts the readings of rec that cannot be decoded.
func untold(d *decoder, rec journal.Record) (n uint64) {
	if d.begin(rec) != nil {
		return uint64(rec.Count)
	}
	var r protocol.Reading
	for {
		r.Metrics = r.Metrics[:0]
		_, ok, err := d.next(&r)
		if !ok {
			return n
		}
		if err != nil {
			n++
		}
	}
}
