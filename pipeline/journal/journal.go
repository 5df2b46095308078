package journal

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// Options are what a journal needs to know. Dir, SegmentSize and MaxSize are
// required.
type Options struct {
	Dir         string // holds LOCK, journal/ and cursors/
	SegmentSize int64  // bytes of one file, at least 4 KiB
	MaxSize     int64  // bytes of all files together, at least four segments
	NoSync      bool   // leave syncing to the operating system: a power cut may lose seconds
	FS          FS     // nil: the real one
	Log         *slog.Logger

	// Recovered, unless nil, is called by Open for every intact record of
	// the last segment, in order.
	Recovered func(Record)
}

// Record is one appended group of readings.
type Record struct {
	Epoch    uint64
	Segment  uint64    // number of the file; a new one begins with an empty dictionary
	Seq      uint64    // of its first reading
	Count    int       // of its readings
	From     uint64    // first sequence that the cursor still wants; at or after Seq+Count: only the dictionary is
	Accepted time.Time // by the gateway's clock
	Payload  []byte    // valid until the next call
}

// Journal is an open journal. Append, Commit and Close belong to one goroutine;
// everything else is safe for concurrent use.
type Journal struct {
	opts Options
	fs   FS
	dir  string // of the segments
	lock *os.File

	mu       sync.Mutex // guards all up to the blank line
	segments []*segment // ascending; the last one is being written
	next     uint64     // sequence that follows the last committed reading
	cursors  map[string]*Cursor
	tally    tally

	active *segment      // the last one; nil when none could begin yet
	file   File          // its file
	number uint64        // of the next segment
	epoch  uint64        // of the next segment
	off    int64         // behind what was appended to it
	seq    uint64        // sequence that follows the last appended reading
	dirty  bool          // appended but not committed
	broken bool          // a write or sync failed: this segment takes no more
	buf    []byte        // one record
	want   chan struct{} // asks Tend for a spare; sent by the appender, never closed; one request is enough

	unsaved bool // the cursors could not be saved last time; owned by tidy

	spareMu sync.Mutex // held while the spare is made or measured
}

// tally counts what happened since the journal was opened.
type tally struct {
	fsyncs, appended uint64
}

// Open opens the journal in opts.Dir, creating what is missing. It repairs the
// end of the log (a torn record is cut off, damage is stepped over), never
// refuses because of damage and never wipes. It fails when another process owns
// the folder or the folder cannot be written.
func Open(opts Options) (*Journal, error) {
	if opts.FS == nil {
		opts.FS = OS{}
	}
	j := &Journal{
		opts:    opts,
		fs:      opts.FS,
		dir:     filepath.Join(opts.Dir, "journal"),
		cursors: map[string]*Cursor{},
		want:    make(chan struct{}, 1),
	}
	for _, dir := range []string{j.dir, filepath.Join(opts.Dir, "cursors")} {
		if err := j.fs.MkdirAll(dir); err != nil {
			return nil, fmt.Errorf("open journal: %w", err)
		}
	}
	lock, err := acquire(filepath.Join(opts.Dir, "LOCK"))
	if err != nil {
		return nil, fmt.Errorf("open journal: %w", err)
	}
	j.lock = lock
	if err := j.recover(); err != nil {
		release(lock)
		return nil, fmt.Errorf("open journal: %w", err)
	}
	return j, nil
}

// Append writes a record of count readings and returns the sequence of the
// first. encode appends the payload to dst; fresh says that the record begins a
// segment, so that whatever it refers to must be in it. encode may be called
// twice. The record is kept only once Commit has returned nil; after an error
// from either, everything appended since the last successful Commit is void and
// must be appended again. ErrFull alone says nothing about what was appended
// before: Commit that, and append the record again.
func (j *Journal) Append(count int, encode func(dst []byte, fresh bool) []byte) (uint64, error) {
	if err := j.appendable(); err != nil {
		return 0, err
	}
	j.buf = encode(j.room(), j.off == segmentHeaderSize)
	if j.off != segmentHeaderSize && j.off+int64(len(j.buf)) > j.active.size {
		if j.dirty {
			return 0, ErrFull
		}
		if err := j.begin(0); err != nil {
			return 0, err
		}
		j.buf = encode(j.room(), true)
	}
	if len(j.buf) > maxRecord {
		return 0, fmt.Errorf("append to journal: a record of %d bytes, more than %d", len(j.buf), maxRecord)
	}
	if need := segmentHeaderSize + int64(len(j.buf)); need > j.active.size {
		if err := j.begin(need); err != nil {
			return 0, err
		}
	}
	first := j.seq
	putRecordHeader(j.buf, recordHeader{seq: first, count: uint32(count), accepted: time.Now().UnixNano()}, j.active.seed)
	if _, err := j.file.WriteAt(j.buf, j.off); err != nil {
		j.broken = true
		return 0, fmt.Errorf("append to journal: %w", err)
	}
	j.off += int64(len(j.buf))
	j.seq += uint64(count)
	j.dirty = true
	j.mu.Lock()
	j.tally.appended += uint64(len(j.buf))
	j.mu.Unlock()
	return first, nil
}

// ErrFull is returned by Append when a new segment has to begin while there is
// something to commit.
var ErrFull = errors.New("journal segment is full")

var errBroken = errors.New("journal segment is broken")

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
	if !j.opts.NoSync {
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
	if !j.opts.NoSync {
		j.tally.fsyncs++
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
	j.dirty = false
	j.mu.Lock()
	j.seq = j.next
	j.mu.Unlock()
	return j.begin(0)
}

// begin starts a segment of at least size bytes. A segment that follows a broken
// one has an epoch of its own: what the broken one may hold beyond its last
// commit never becomes valid again.
func (j *Journal) begin(size int64) error {
	if j.broken {
		j.epoch = newEpoch()
	}
	size = max(size, j.opts.SegmentSize)
	// A segment that broke before anything was committed to it makes way.
	empty := j.active
	if empty != nil && (!j.broken || empty.end > segmentHeaderSize) {
		empty = nil
	}
	if empty == nil {
		j.makeRoom(size)
	}
	// Until all of it has succeeded, nothing is to be written to the segment
	// before: there may be a file already that ends it.
	j.broken = true
	if err := j.ensureSpare(size); err != nil {
		return fmt.Errorf("begin segment: %w", err)
	}
	s, f, err := beginSegment(j.fs, j.dir, segmentHeader{number: j.number, first: j.seq, epoch: j.epoch})
	if err != nil {
		return fmt.Errorf("begin segment: %w", err)
	}
	if j.file != nil {
		j.file.Close()
	}
	j.active, j.file, j.off, j.broken = s, f, segmentHeaderSize, false
	j.number++
	j.mu.Lock()
	j.segments = append(j.segments, s)
	j.mu.Unlock()
	if empty != nil {
		j.drop(empty)
	}
	select {
	case j.want <- struct{}{}:
	default:
	}
	return nil
}

// Close commits, saves the cursors and gives the folder free.
func (j *Journal) Close() error {
	err := j.Commit()
	err = errors.Join(err, j.saveCursors(true))
	if j.file != nil {
		err = errors.Join(err, j.file.Close())
	}
	j.mu.Lock()
	for _, c := range j.cursors {
		c.close()
	}
	j.mu.Unlock()
	release(j.lock)
	return err
}
