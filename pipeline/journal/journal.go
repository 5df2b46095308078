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
	Volatile    int64  // bytes held in memory while the disk fails, at least one record
	Memory      bool   // write nothing to disk but what marks the place: MaxSize bytes of memory are all
	NoSync      bool   // leave syncing to the operating system: a power cut may lose seconds
	FS          FS     // nil: the real one
	Log         *slog.Logger

	// Bounds by age, which is the time that the journal was in use since; 0:
	// none. They hold for whole segments, so up to a quarter more is kept.
	MaxAge    time.Duration // older readings are evicted
	Retain    time.Duration // delivered readings are kept this long, while there is room
	Unclaimed time.Duration // as MaxAge, for cursors that nobody has opened

	Now func() time.Time // the gateway's clock; nil: time.Now

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

// Journal is an open journal. Append, Commit, Degrade, Restore and Close belong to
// one goroutine, the appender; everything else is safe for concurrent use.
type Journal struct {
	opts  Options
	fs    FS
	dir   string // of the segments
	lock  *os.File
	clock *clock

	mu       sync.Mutex // guards all up to the blank line
	segments []*segment // ascending; the last one is being written
	next     uint64     // sequence that follows the last committed reading
	cursors  map[string]*Cursor
	tally    tally
	aside    []AsideView // found at opening
	solid    uint64      // sequence at which memory takes over from the disk; 0: it does not
	hidden   uint64      // readings, at most, in files behind the last segment that cannot be used now

	// Owned by the appender.
	active   *segment   // the last one; nil until one begins
	file     File       // its file
	number   uint64     // of the next segment
	epoch    uint64     // of the next segment
	off      int64      // behind what was appended to it
	seq      uint64     // sequence that follows the last appended reading
	dirty    bool       // appended but not committed
	broken   bool       // active takes no more: a write or sync failed, or the journal was just opened
	volatile bool       // segments begin in memory
	empty    []*segment // found at opening without a record; deleted when another segment has begun
	tails    [2]tail    // of the active segment and the one before, in turn
	buf      []byte     // one record

	want    chan struct{} // asks Tend for a spare; sent by the appender, never closed; one request is enough
	unsaved bool          // the cursors could not be saved last time; owned by tidy
	spareMu sync.Mutex    // held while the spare is made or measured
	saveMu  sync.Mutex    // held while the cursors are saved
}

// tally counts what happened since the journal was opened.
type tally struct {
	fsyncs, appended uint64
	commits          Histogram
	volatile         uint64 // readings
	repairs          map[Repair]uint64
}

// HeldError says that another process has the journal open.
type HeldError struct {
	Path string // of the lock
	PID  string // of the process, as it wrote it down
}

func (e *HeldError) Error() string { return e.Path + " is held by process " + e.PID }

// Open opens the journal in opts.Dir, creating what is missing. It repairs the
// end of the log (a torn record is cut off, damage is stepped over), never
// refuses because of damage or for want of space, and never wipes. It fails when
// another process owns the folder or the folder cannot be written. Every opening
// writes to a segment of its own, under an epoch of its own, which begins with
// the first record.
func Open(opts Options) (*Journal, error) {
	if opts.FS == nil {
		opts.FS = OS{}
	}
	if opts.Now == nil {
		opts.Now = time.Now
	}
	j := &Journal{
		opts:    opts,
		fs:      opts.FS,
		dir:     filepath.Join(opts.Dir, "journal"),
		cursors: map[string]*Cursor{},
		tally:   tally{repairs: map[Repair]uint64{}},
		broken:  true,
		want:    make(chan struct{}, 1),
	}
	for _, dir := range []string{j.dir, filepath.Join(opts.Dir, "cursors")} {
		if err := j.fs.MkdirAll(dir); err != nil {
			return nil, fmt.Errorf("open journal: %w", err)
		}
	}
	lock, err := acquire(filepath.Join(opts.Dir, "LOCK"))
	if _, held := errors.AsType[*HeldError](err); held {
		return nil, fmt.Errorf("open journal: %w: stop it, or give this gateway a dir of its own", err)
	}
	if err != nil {
		return nil, fmt.Errorf("open journal: %w", err)
	}
	j.lock = lock
	if err := j.recover(); err != nil {
		release(lock)
		return nil, fmt.Errorf("open journal: %w", err)
	}
	j.tellSpace()
	return j, nil
}

// tellSpace warns of a disk that will be full before the journal is.
func (j *Journal) tellSpace() {
	free, ok := space(j.dir)
	var have int64
	for _, s := range j.segments {
		have += s.size
	}
	if ok && !j.opts.Memory && have+free < j.opts.MaxSize {
		j.opts.Log.Warn("the disk has less room than the journal may take: lower max_size, or readings are refused when it is full",
			"max_size", j.opts.MaxSize, "room", have+free)
	}
}

// Close commits, saves the cursors and gives the folder free.
func (j *Journal) Close() error {
	err := j.Commit()
	if j.volatile && !j.opts.Memory {
		err = errors.Join(err, j.Restore()) // the last moment
	}
	err = errors.Join(err, j.saveCursors(true), j.clock.save(j.fs))
	if j.file != nil {
		err = errors.Join(err, j.file.Close())
	}
	j.mu.Lock()
	for _, c := range j.cursors {
		c.Lane.close()
		c.backlog.close()
	}
	j.mu.Unlock()
	release(j.lock)
	return err
}
