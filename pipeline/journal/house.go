package journal

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"path/filepath"
	"slices"
	"time"
)

// saveEvery is how often it is looked whether cursors are to be written down.
// After a crash at most what passed in this time and saveReadings are delivered
// again, under the same ids.
const saveEvery = 100 * time.Millisecond

// spareEvery is how often a spare is tried for that the disk has no room for.
const spareEvery = 2 * time.Second

// Tend keeps house until ctx ends: it writes cursors down, keeps a spare segment
// ready and deletes segments that every cursor has passed.
func (j *Journal) Tend(ctx context.Context) {
	tick := time.NewTicker(saveEvery)
	defer tick.Stop()
	clock := time.NewTicker(saveClockEvery)
	defer clock.Stop()
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
		case <-clock.C:
			// On a disk that fails the next minute tries again.
			_ = j.clock.save(j.fs)
		}
	}
}

// tidy evicts what is too old, saves the cursors, and deletes what they have all
// passed once that is durable.
func (j *Journal) tidy() {
	j.expire()
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
		// A cursor may have been turned back meanwhile.
		j.dropIf(s, func() bool { return slices.Contains(j.leftBehind(), s) })
	}
}

// expire makes the cursors pass what is too old for them. The last segment, which
// may take more, is never too old.
func (j *Journal) expire() {
	j.mu.Lock()
	defer j.mu.Unlock()
	for i, s := range j.segments[:max(0, len(j.segments)-1)] {
		rest := span{s.first, j.segments[i+1].first}
		age := j.clock.age() - j.segments[i+1].age
		if j.opts.MaxAge > 0 && age > j.opts.MaxAge {
			j.evict(rest, forAge, func(*Cursor) bool { return true })
		}
		j.evict(rest, forAge, func(c *Cursor) bool { return c.maxAge > 0 && age > c.maxAge })
		if j.opts.Unclaimed > 0 && age > j.opts.Unclaimed {
			j.evict(rest, forAge, func(c *Cursor) bool { return !c.claimed })
		}
	}
}

// passed returns the segments that every cursor has left behind and that need not
// be retained. The last one with a record stays: its notes are read at the next
// opening.
func (j *Journal) passed() []*segment {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.leftBehind()
}

// leftBehind is passed for when j.mu is held.
func (j *Journal) leftBehind() []*segment {
	least := j.next
	for _, c := range j.cursors {
		least = min(least, c.least())
	}
	last := len(j.segments) - 1
	if last > 0 && j.segments[last].end == segmentHeaderSize {
		last--
	}
	n := 0
	for n < last && j.segments[n+1].first <= least && j.clock.age()-j.segments[n+1].age >= j.opts.Retain {
		n++
	}
	// While memory takes over, the last one on disk is what a restart will find.
	return slices.DeleteFunc(slices.Clone(j.segments[:n]), func(s *segment) bool { return s == j.lastOnDisk() })
}

// lastOnDisk returns the last segment with a record that is on disk. j.mu is held.
func (j *Journal) lastOnDisk() *segment {
	for i := len(j.segments) - 1; i >= 0; i-- {
		if s := j.segments[i]; s.mem == nil && s.end > segmentHeaderSize {
			return s
		}
	}
	return nil
}

// drop deletes a segment, unless somebody else does.
func (j *Journal) drop(s *segment) { j.dropIf(s, func() bool { return true }) }

// dropIf deletes a segment if that is right, which is asked with j.mu held.
func (j *Journal) dropIf(s *segment, right func() bool) {
	j.mu.Lock()
	i := slices.Index(j.segments, s)
	if i < 0 || !right() {
		j.mu.Unlock()
		return
	}
	j.segments = slices.Delete(slices.Clone(j.segments), i, i+1)
	volatile := s.mem != nil
	j.mu.Unlock()
	if volatile {
		return
	}
	if err := j.fs.Remove(s.path); err != nil {
		j.opts.Log.Warn("journal cannot delete a segment", "segment", s.path, "err", err)
	}
}

// makeRoom deletes the oldest files until size more bytes fit into MaxSize. What
// a cursor has not read of them is evicted, counted by the cursor.
func (j *Journal) makeRoom(size int64) error {
	for {
		oldest := j.overfull(size)
		if oldest == nil {
			return nil
		}
		if err := j.giveUpFor(oldest, forSize); err != nil {
			return err
		}
		// A cursor that has passed it is not to be found in front of the log
		// after a crash. If that cannot be helped, room comes first.
		_ = j.saveCursors(true)
		j.drop(oldest)
	}
}

// overfull returns the oldest segment on disk if it has to go for size more bytes,
// else nil. The last segment stays.
func (j *Journal) overfull(size int64) (oldest *segment) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for i := len(j.segments) - 1; i >= 0; i-- {
		if s := j.segments[i]; s.mem == nil {
			size += s.size
			oldest = s
		}
	}
	if size <= j.opts.MaxSize || len(j.segments) < 2 || oldest == j.segments[len(j.segments)-1] || oldest == j.lastOnDisk() {
		return nil
	}
	return oldest
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
