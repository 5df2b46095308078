package journal

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"path/filepath"
	"time"
)

// saveEvery is how often moved cursors are written down. After a crash at most
// this much is delivered again, under the same ids.
const saveEvery = 100 * time.Millisecond

// spareEvery is how often a spare is tried for that the disk has no room for.
const spareEvery = 2 * time.Second

// Tend keeps house until ctx ends: it writes cursors down, keeps a spare segment
// ready and deletes segments that every cursor has passed.
func (j *Journal) Tend(ctx context.Context) {
	tick := time.NewTicker(saveEvery)
	defer tick.Stop()
	var again <-chan time.Time // tries once more to keep a spare
	for {
		select {
		case <-ctx.Done():
			return
		case <-j.want:
			again = j.prepareSpare()
		case <-again:
			again = j.prepareSpare()
		case <-tick.C:
			j.tidy()
		}
	}
}

// tidy saves the cursors, and deletes what they have all passed once that is
// durable.
func (j *Journal) tidy() {
	passed := j.passed()
	err := j.saveCursors(len(passed) > 0)
	if failing := err != nil; failing != j.unsaved { // said when it changes
		j.unsaved = failing
		if failing {
			j.opts.Log.Warn("journal cannot save its cursors: a restart would deliver again what was delivered since", "err", err)
		} else {
			j.opts.Log.Info("journal saves its cursors again")
		}
	}
	if err != nil {
		return
	}
	for _, s := range passed {
		j.drop(s)
	}
}

// passed returns the segments that every cursor has left behind. The last one
// with a record stays: its notes are read at the next opening.
func (j *Journal) passed() []*segment {
	j.mu.Lock()
	defer j.mu.Unlock()
	least := j.next
	for _, c := range j.cursors {
		least = min(least, c.position)
	}
	last := len(j.segments) - 1
	if last > 0 && j.segments[last].end == segmentHeaderSize {
		last--
	}
	n := 0
	for n < last && j.segments[n+1].first <= least {
		n++
	}
	return append([]*segment(nil), j.segments[:n]...)
}

// drop deletes a segment.
func (j *Journal) drop(s *segment) {
	j.mu.Lock()
	for i, have := range j.segments {
		if have == s {
			j.segments = append(j.segments[:i:i], j.segments[i+1:]...)
			break
		}
	}
	j.mu.Unlock()
	if err := j.fs.Remove(s.path); err != nil {
		j.opts.Log.Warn("journal cannot delete a segment", "segment", s.path, "err", err)
	}
}

// makeRoom deletes the oldest segments until size more bytes fit into MaxSize.
// What a cursor has not read of them is evicted, counted by the cursor.
func (j *Journal) makeRoom(size int64) {
	for {
		j.mu.Lock()
		total := size
		for _, s := range j.segments {
			total += s.size
		}
		if total <= j.opts.MaxSize || len(j.segments) < 2 {
			j.mu.Unlock()
			return
		}
		oldest, until := j.segments[0], j.segments[1].first
		var losing []string
		for _, c := range j.cursors {
			if c.evict(until) {
				losing = append(losing, c.name)
			}
		}
		j.mu.Unlock()
		j.drop(oldest)
		if losing != nil {
			j.opts.Log.Warn("journal is full: sinks that are behind lose their oldest readings", "sinks", losing, "max_size", j.opts.MaxSize)
		}
	}
}

// prepareSpare makes the next spare ahead of time. Without one the appender
// makes its own. It returns when to try again, nil when there is a spare.
func (j *Journal) prepareSpare() (again <-chan time.Time) {
	if err := j.ensureSpare(j.opts.SegmentSize); err != nil {
		j.opts.Log.Debug("journal cannot keep a spare segment ready", "err", err)
		return time.After(spareEvery)
	}
	return nil
}

// ensureSpare leaves a spare of at least size bytes.
func (j *Journal) ensureSpare(size int64) error {
	j.spareMu.Lock()
	defer j.spareMu.Unlock()
	if j.spareSize() >= size {
		return nil
	}
	return makeSpare(j.fs, j.dir, size)
}

func (j *Journal) spareSize() int64 {
	f, err := j.fs.Open(filepath.Join(j.dir, spareName))
	if err != nil {
		return 0
	}
	defer f.Close()
	size, err := f.Size()
	if err != nil {
		return 0
	}
	return size
}

// newEpoch draws the random part of the readings' ids; never zero.
func newEpoch() uint64 {
	var b [8]byte
	for {
		rand.Read(b[:]) // never fails
		if e := binary.LittleEndian.Uint64(b[:]); e != 0 {
			return e
		}
	}
}
