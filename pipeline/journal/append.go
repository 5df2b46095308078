package journal

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// ErrFull is returned by Append when a new segment has to begin while there is
// something to commit.
var ErrFull = errors.New("journal segment is full")

var errBroken = errors.New("journal segment is broken")

// BlockedError is returned by Append when the journal has reached its size and
// cursors that must lose nothing stand in the way.
type BlockedError struct{ Cursors []string }

func (e *BlockedError) Error() string {
	return "journal is full of what is not delivered to " + strings.Join(e.Cursors, ", ")
}

// Append writes a record of count readings and returns the sequence of the
// first. encode appends the payload to dst; fresh says that the record begins a
// segment, so that whatever it refers to must be in it. encode may be called
// several times. The record is kept only once Commit has returned nil; after an
// error from either, everything appended since the last successful Commit is
// void and must be appended again. ErrFull alone says nothing about what was
// appended before: Commit that, and append the record again. A BlockedError
// passes when the cursors move on.
func (j *Journal) Append(count int, encode func(dst []byte, fresh bool) []byte) (uint64, error) {
	if err := j.appendable(); err != nil {
		return 0, err
	}
	j.buf = encode(j.room(), j.off == segmentHeaderSize)
	if j.off != segmentHeaderSize && (j.off+int64(len(j.buf)) > j.active.size || j.aged()) {
		if j.dirty {
			return 0, ErrFull
		}
		if err := j.begin(int64(segmentHeaderSize + len(j.buf))); err != nil {
			return 0, err
		}
		j.buf = encode(j.room(), true)
	}
	if len(j.buf) > maxRecord {
		return 0, fmt.Errorf("append to journal: a record of %d bytes, more than %d", len(j.buf), maxRecord)
	}
	if need := int64(segmentHeaderSize + len(j.buf)); need > j.active.size {
		if err := j.begin(need); err != nil {
			return 0, err
		}
	}
	return j.write(count)
}

// write writes the record in j.buf.
func (j *Journal) write(count int) (first uint64, err error) {
	first = j.seq
	putRecordHeader(j.buf, recordHeader{seq: first, count: uint32(count), accepted: j.opts.Now().UnixNano()}, seedAt(j.active.seed, j.off))
	if _, err := j.file.WriteAt(j.buf, j.off); err != nil {
		j.broken = true
		return 0, fmt.Errorf("append to journal: %w", err)
	}
	if t := j.active.tail; t != nil {
		t.append(j.off, j.buf)
	}
	j.off += int64(len(j.buf))
	j.seq += uint64(count)
	j.dirty = true
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.active.mem != nil {
		j.tally.volatile += uint64(count)
	} else {
		j.tally.appended += uint64(len(j.buf))
	}
	return first, nil
}

// room returns the record buffer with space for the header.
func (j *Journal) room() []byte {
	if cap(j.buf) < recordHeaderSize || cap(j.buf) > 4*window {
		j.buf = make([]byte, recordHeaderSize, window)
	}
	return j.buf[:recordHeaderSize]
}

// Commit makes everything appended as durable as the journal's level says and
// lets the cursors read it.
func (j *Journal) Commit() error {
	if !j.dirty {
		return nil
	}
	if j.broken {
		return errBroken
	}
	syncs := !j.opts.NoSync && j.active.mem == nil
	before := time.Now()
	if syncs {
		if err := j.file.Sync(); err != nil {
			// The kernel may have dropped the dirty pages: what was
			// written since the last commit is not to be trusted.
			j.broken = true
			return fmt.Errorf("sync journal: %w", err)
		}
	}
	j.dirty = false
	j.mu.Lock()
	defer j.mu.Unlock()
	if syncs {
		j.tally.fsyncs++
		j.tally.commits.Add(time.Since(before), 1)
	}
	j.active.end = j.off
	j.next = j.seq
	for _, c := range j.cursors {
		c.wake()
	}
	return nil
}

// appendable leaves a broken segment at its last committed record.
func (j *Journal) appendable() error {
	if !j.broken {
		return nil
	}
	j.revert()
	return j.begin(0)
}

// revert forgets what was appended and not committed.
func (j *Journal) revert() {
	j.dirty = false
	j.mu.Lock()
	j.seq = j.next
	j.mu.Unlock()
}

// aged reports whether the active segment is to end for its age, so that the
// bounds by age can let go of it.
func (j *Journal) aged() bool {
	var bound time.Duration
	for _, b := range []time.Duration{j.opts.MaxAge, j.opts.Retain, j.opts.Unclaimed} {
		if b > 0 && (bound == 0 || b < bound) {
			bound = b
		}
	}
	return bound > 0 && j.clock.age()-j.active.age > bound/4
}

// begin starts a segment of at least size bytes. A segment that follows a broken
// one has an epoch of its own: what the broken one may hold beyond its last
// commit never becomes valid again.
func (j *Journal) begin(size int64) error {
	if j.broken {
		j.epoch = newEpoch()
	}
	if j.volatile {
		return j.beginVolatile(size)
	}
	size = max(size, j.opts.SegmentSize)
	// A segment that broke before anything was committed to it makes way.
	barren := j.active
	if barren != nil && (!j.broken || barren.end > segmentHeaderSize) {
		barren = nil
	}
	if barren == nil {
		if err := j.makeRoom(size); err != nil {
			return err
		}
	}
	// Until all of it has succeeded, nothing is to be written to the segment
	// before: there may be a file already that ends it.
	j.broken = true
	if err := j.ensureSpare(size); err != nil {
		return fmt.Errorf("begin segment: %w", err)
	}
	s, f, err := beginSegment(j.fs, j.dir, j.header(), nil)
	if err != nil {
		return fmt.Errorf("begin segment: %w", err)
	}
	s.tail = &j.tails[s.number%2]
	s.tail.reset(s.number)
	j.turnTo(s, f)
	if barren != nil {
		j.drop(barren)
	}
	j.dropEmpty()
	select {
	case j.want <- struct{}{}:
	default:
	}
	return nil
}

// header returns the next segment's.
func (j *Journal) header() segmentHeader {
	return segmentHeader{number: j.number, first: j.seq, epoch: j.epoch, age: j.clock.age()}
}

// turnTo makes s the active segment.
func (j *Journal) turnTo(s *segment, f File) {
	if j.file != nil {
		j.seal(j.active, j.file)
	}
	j.active, j.file, j.off, j.broken = s, f, segmentHeaderSize, false
	j.number++
	j.mu.Lock()
	j.segments = append(j.segments, s)
	j.mu.Unlock()
}

// worthCutting is how many zeros at the end of a sealed segment are given back.
const worthCutting = 64 << 10

// seal closes a segment that takes no more, and gives back what it did not need.
func (j *Journal) seal(s *segment, f File) {
	defer f.Close()
	if s.size-s.end < worthCutting || f.Truncate(s.end) != nil {
		return
	}
	j.mu.Lock()
	s.size = s.end
	j.mu.Unlock()
}

// dropEmpty deletes the segments that were found without a record, now that
// another one says where the log goes on.
func (j *Journal) dropEmpty() {
	for _, s := range j.empty {
		if err := j.fs.Remove(s.path); err != nil {
			j.opts.Log.Warn("journal cannot delete an empty segment", "segment", s.path, "err", err)
		}
	}
	j.empty = nil
}
