package journal

import (
	"fmt"
	"slices"
)

// Degrade turns to memory after an error of Append or Commit: segments begin
// there until Restore has succeeded. What is committed meanwhile is volatile: it
// reaches the cursors, and ends with the process. When there is more than
// Options.Volatile, the oldest of it is evicted.
func (j *Journal) Degrade() {
	j.revert()
	j.broken, j.volatile = true, true
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.solid == 0 {
		j.solid = j.next
	}
}

// Volatile reports whether the journal has turned to memory. It belongs to the
// appender.
func (j *Journal) Volatile() bool { return j.volatile }

// Restore turns back to the disk. It writes what is in memory to segments there
// and begins another; on an error it may have written a part, and memory goes on
// being used. Everything appended must be committed. Without Degrade it does
// nothing.
func (j *Journal) Restore() error {
	if !j.volatile || j.opts.Memory {
		return nil
	}
	// What was delivered from memory alone is not to look lost after a crash.
	err := j.restore()
	if saving := j.saveCursors(true); err == nil && saving != nil {
		j.opts.Log.Warn("journal cannot save its cursors", "err", saving)
	}
	return err
}

func (j *Journal) restore() error {
	for _, s := range j.inMemory() {
		if err := j.rescue(s); err != nil {
			return fmt.Errorf("write to disk what is in memory: %w", err)
		}
	}
	j.volatile, j.broken = false, true
	if err := j.begin(0); err != nil {
		j.volatile = true
		return err
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.solid = 0
	return nil
}

// inMemory returns the volatile segments, oldest first.
func (j *Journal) inMemory() (list []*segment) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, s := range j.segments {
		if s.mem != nil {
			list = append(list, s)
		}
	}
	return list
}

// rescue writes a volatile segment to the disk. Cursors that read it in memory go
// on doing so.
func (j *Journal) rescue(s *segment) error {
	if s.end == segmentHeaderSize {
		j.leave(s)
		return nil
	}
	if err := j.makeRoom(s.end); err != nil {
		return err
	}
	if err := j.ensureSpare(s.end); err != nil {
		return err
	}
	onDisk, f, err := beginSegment(j.fs, j.dir, s.segmentHeader, s.mem.b[segmentHeaderSize:s.end])
	if err != nil {
		return err
	}
	j.leave(s)
	j.mu.Lock()
	s.path, s.size, s.mem = onDisk.path, onDisk.size, nil
	j.solid = j.next
	if i := slices.Index(j.segments, s); i >= 0 && i+1 < len(j.segments) {
		j.solid = j.segments[i+1].first
	}
	j.mu.Unlock()
	j.seal(s, f)
	return nil
}

// leave makes sure that s is not the active segment.
func (j *Journal) leave(s *segment) {
	if s == j.active {
		j.active, j.file, j.broken = nil, nil, true
		if s.end == segmentHeaderSize {
			j.drop(s)
		}
	}
}

// beginVolatile starts a segment of at least size bytes in memory.
func (j *Journal) beginVolatile(size int64) error {
	bound := j.opts.Volatile
	if j.opts.Memory {
		bound = j.opts.MaxSize
	}
	size = max(size, min(j.opts.SegmentSize, bound/4))
	if size > bound {
		return fmt.Errorf("append to journal: a record of %d bytes, more than %d can be held in memory", size, bound)
	}
	if err := j.makeRoomInMemory(size, bound); err != nil {
		return err
	}
	s := &segment{segmentHeader: j.header(), seed: checksumSeed(j.epoch), size: size, end: segmentHeaderSize, mem: &memory{}}
	_, _ = s.mem.WriteAt(s.encode(), 0) // memory takes everything
	j.turnTo(s, s.mem)
	return nil
}

// makeRoomInMemory evicts the oldest volatile segments until size more bytes fit
// into bound.
func (j *Journal) makeRoomInMemory(size, bound int64) error {
	list := j.inMemory()
	for _, s := range list {
		size += s.size
	}
	for _, s := range list {
		if size <= bound {
			return nil
		}
		if err := j.giveUp(s, forMemory); err != nil {
			return err
		}
		size -= s.size
	}
	return nil
}
