package journal_test

import (
	"os"
	"path/filepath"
	"testing"

	"sluice/pipeline/journal"
)

// TestEndsAreThoseOfAllRecords compares what is read from the end of a segment with
// what reading all of it gives, in segments with records of every size, zeros
// behind them, and damage.
func TestEndsAreThoseOfAllRecords(t *testing.T) {
	for _, c := range []struct {
		segment int64
		records int
		size    int
	}{{4 * kib, 1, 8}, {4 * kib, 300, 40}, {2 << 20, 20_000, 100}, {2 << 20, 30, 300 * kib}, {4 << 20, 10, 2 << 20}, {4 << 20, 3, 40}} {
		o := options(t.TempDir())
		o.SegmentSize, o.MaxSize = c.segment, 1<<30
		j := open(t, o)
		cursor(t, j, "hub", journal.Oldest)
		for range c.records {
			put(t, j, 3, c.size)
		}
		commit(t, j)
		sameEnds(t, j.View())
		if next := j.View().Next(); next != uint64(3*c.records+1) {
			t.Errorf("%+v: goes on at %d", c, next)
		}
		if err := j.Close(); err != nil {
			t.Fatal(err)
		}
		// The last record of the last segment turns bad.
		v, done, err := journal.Look(o.Dir, journal.OS{})
		if err != nil {
			t.Fatal(err)
		}
		sameEnds(t, v)
		last := len(v.Segments) - 1
		if _, r, ok := v.Ends(last); ok {
			spoil(t, filepath.Join(o.Dir, "journal", v.Segments[last].File), r.Offset+r.Bytes-1)
		}
		sameEnds(t, v)
		done()
	}
}

func spoil(t *testing.T, path string, at int64) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	b := make([]byte, 1)
	if _, err := f.ReadAt(b, at); err != nil {
		t.Fatal(err)
	}
	b[0] ^= 1
	if _, err := f.WriteAt(b, at); err != nil {
		t.Fatal(err)
	}
}

func sameEnds(t *testing.T, v *journal.View) {
	t.Helper()
	for i := range v.Segments {
		var all []journal.Placed
		if err := v.SegmentRecords(i, func(r journal.Placed) error { all = append(all, r); return nil }); err != nil {
			t.Fatal(err)
		}
		first, last, ok := v.Ends(i)
		if ok != (len(all) > 0) {
			t.Fatalf("segment %d has %d records, ends: %v", i, len(all), ok)
		}
		if n := len(all); ok && (first.Seq != all[0].Seq || last.Seq != all[n-1].Seq || last.Offset != all[n-1].Offset || last.Bytes != all[n-1].Bytes) {
			t.Errorf("segment %d: ends at %d, %d; want %d, %d", i, first.Seq, last.Seq, all[0].Seq, all[n-1].Seq)
		}
	}
}
