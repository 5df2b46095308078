package journal

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"time"
)

// Cursor is one reader's place in the journal. Next, Ack, Damaged and Replayed
// belong to one goroutine.
type Cursor struct {
	j       *Journal
	name    string
	claimed bool // opened by Journal.Cursor; guarded by j.mu
	block   bool // nothing is evicted for want of room; guarded by j.mu

	// Guarded by j.mu.
	position   uint64  // everything before it is done with
	read       uint64  // the next sequence to hand out
	skips      []span  // of [position, ∞): evicted or damaged, ascending, apart
	back       *uint64 // where Replay wants reading to go on; nil: where it is
	outcome    Outcome
	evicted    Evictions
	damaged    uint64
	carried    uint64 // waiting when the journal was opened
	begin      uint64 // sequence at which carried ends and journaled begins
	backfilled uint64 // wanted again by Replay
	losing     bool   // is being evicted from, since it last read all
	offset     int64  // in seg, behind what was read
	saved      uint64 // position as last written down
	savedAt    time.Time
	synced     bool // what is written down is synced
	slots      slots

	// Owned by the reader.
	seg      *segment
	file     File
	scan     scan
	failures int // reads in a row

	ready chan struct{} // sent by Commit, never closed; one signal says "look again"
}

// span is the sequences from, from+1, … before to.
type span struct{ from, to uint64 }

// Outcome says what became of readings that a cursor passes.
type Outcome struct {
	Delivered    uint64 // confirmed by the sink
	DeadLettered uint64 // set aside for good
	Damaged      uint64 // could not be read; the journal counts them
}

// Start says where a cursor begins that the journal does not know yet.
type Start int

// The places to start from.
const (
	Now    Start = iota // behind what is there
	Oldest              // at the oldest reading that is still there
)

// CursorOptions say how a cursor is to behave.
type CursorOptions struct {
	Start Start  // of one that is new
	Was   string // the cursor whose place a new one takes over, if there is one
	Block bool   // appending fails rather than evict what the cursor has yet to pass
}

// Cursor opens the cursor of the given name, which becomes part of a file name.
// A known one goes on where it was, wherever a new one would begin. It must not be
// opened twice.
func (j *Journal) Cursor(name string, o CursorOptions) (*Cursor, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	c, known := j.cursors[name]
	if !known {
		var err error
		if c, err = j.createCursor(name, o); err != nil {
			return nil, fmt.Errorf("open cursor %s: %w", name, err)
		}
	}
	c.claimed, c.block = true, o.Block
	c.wake()
	return c, nil
}

// createCursor makes a cursor that is known after a crash too. j.mu is held.
func (j *Journal) createCursor(name string, o CursorOptions) (*Cursor, error) {
	path := j.cursorPath(name)
	dir := filepath.Dir(path)
	if was, known := j.cursors[o.Was]; known && !was.claimed {
		if err := j.fs.Rename(j.cursorPath(o.Was), path); err != nil {
			return nil, err
		}
		delete(j.cursors, o.Was)
		was.name, j.cursors[name] = name, was
		return was, j.fs.SyncDir(dir)
	}
	position := j.next
	if o.Start == Oldest {
		position = j.oldest()
	}
	var s slots
	if err := s.save(j.fs, path, place{position}.encode(), true); err != nil {
		return nil, err
	}
	if err := j.fs.SyncDir(dir); err != nil {
		return nil, err
	}
	c := j.newCursor(name, position)
	c.slots, c.synced = s, true
	return c, nil
}

// newCursor makes a cursor that stands at position. j.mu is held, or nobody else
// knows j yet.
func (j *Journal) newCursor(name string, position uint64) *Cursor {
	c := &Cursor{
		j: j, name: name, position: position, read: position, saved: position,
		carried: j.next - position, begin: j.next,
		ready: make(chan struct{}, 1),
	}
	j.cursors[name] = c
	return c
}

// Ready is sent to when there may be more to read.
func (c *Cursor) Ready() <-chan struct{} { return c.ready }

func (c *Cursor) wake() {
	select {
	case c.ready <- struct{}{}:
	default:
	}
}

// Next returns the next record, and false when all that is committed was read.
// The record may begin before From, and a record whose readings are all before
// From is there for its dictionary: reading begins with the first record of a
// segment, wherever in it the cursor stands.
func (c *Cursor) Next() (Record, bool, error) {
	for {
		sealed, err := c.prepare()
		if errors.Is(err, fs.ErrNotExist) && c.forgo(err) {
			continue
		}
		if err != nil || c.seg == nil {
			return Record{}, false, err
		}
		h, payload, ok := c.scan.next()
		switch {
		case ok:
			c.failures = 0
			r := newRecord(c.seg, h, payload)
			c.take(&r)
			return r, true, nil
		case c.scan.err != nil && c.again():
			return Record{}, false, fmt.Errorf("read journal: %w", c.scan.err)
		case c.scan.err != nil:
			c.scan.skipPage()
		case !c.endOf(sealed):
			return Record{}, false, nil
		}
	}
}

// patience is how often a read that fails is tried before its page is stepped over.
const patience = 5

// again counts a read that failed, and reports whether it is worth another try.
// Once one page was given up, others are without one, until something was read.
func (c *Cursor) again() bool {
	c.failures++
	return c.failures <= patience
}

// forgo gives up a segment whose file is gone, unless it is the last one.
func (c *Cursor) forgo(err error) bool {
	j := c.j
	j.mu.Lock()
	defer j.mu.Unlock()
	for i, s := range j.segments[:max(0, len(j.segments)-1)] {
		if j.segments[i+1].first <= c.read {
			continue
		}
		j.opts.Log.Error("journal has lost a segment", "segment", s.path, "err", err)
		j.tally.repairs[SegmentMissing]++
		j.segments = slices.Delete(slices.Clone(j.segments), i, i+1)
		return true
	}
	return false
}

// prepare opens the segment that holds the next reading and sets how far it may
// be read. sealed is the first sequence of the segment that follows, 0 when the
// segment is being written.
func (c *Cursor) prepare() (sealed uint64, err error) {
	j := c.j
	j.mu.Lock()
	defer j.mu.Unlock()
	i := len(j.segments) - 1
	if i < 0 { // the disk had no room for the first one yet
		return 0, nil
	}
	for i > 0 && j.segments[i].first > c.read {
		i--
	}
	s := j.segments[i]
	if c.read < s.first {
		c.skip(s.first, &c.damaged)
	}
	if s != c.seg {
		c.close()
		if c.file, err = s.open(j.fs); err != nil {
			return 0, fmt.Errorf("read journal: %w", err)
		}
		c.seg, c.scan, c.offset = s, s.scanner(c.file, s.end, j.next), segmentHeaderSize
	}
	c.scan.limit, c.scan.max = s.end, j.next
	if i+1 < len(j.segments) {
		sealed = j.segments[i+1].first
		c.scan.max = sealed
	}
	return sealed, nil
}

// take moves the cursor's reading place behind r and says from where r is
// wanted: it may have been evicted while it was being read.
func (c *Cursor) take(r *Record) {
	c.j.mu.Lock()
	defer c.j.mu.Unlock()
	if c.read < r.Seq {
		c.skip(r.Seq, &c.damaged)
	}
	r.From = c.read
	c.offset = c.scan.off
	c.read = max(c.read, r.Seq+uint64(r.Count))
}

// endOf accounts for what the end of the segment should have held, and reports
// whether it is worth reading on.
func (c *Cursor) endOf(sealed uint64) bool {
	c.j.mu.Lock()
	defer c.j.mu.Unlock()
	if sealed != 0 {
		if c.read < sealed {
			c.skip(sealed, &c.damaged)
		}
		return true
	}
	if last := c.j.segments[len(c.j.segments)-1]; last != c.seg || c.scan.limit != c.seg.end {
		return true // committed or rolled meanwhile
	}
	if c.scan.want < c.j.next { // the last committed records are damaged
		c.scan.off, c.scan.want = c.scan.limit, c.j.next
		if c.read < c.j.next {
			c.skip(c.j.next, &c.damaged)
		}
	}
	c.losing = false
	return false
}

// skip passes over the readings before to, counting those that nobody has counted.
// j.mu is held.
func (c *Cursor) skip(to uint64, count *uint64) { c.pass(span{c.read, to}, count) }

// pass takes s, from the place of reading on, for done with, and returns how many
// readings were added to count by that: what was passed before is in it already.
// j.mu is held.
func (c *Cursor) pass(s span, count *uint64) uint64 {
	s.from = max(s.from, c.read)
	if s.from >= s.to {
		return 0
	}
	n := c.forget(s)
	*count += n
	if s.from == c.read {
		c.read = s.to
	}
	c.settle()
	return n
}

// forget adds s to the spans that need no acknowledgement, and returns how many
// readings of it were not among them. j.mu is held.
func (c *Cursor) forget(s span) (fresh uint64) {
	fresh = s.to - s.from
	var list []span
	for _, have := range c.skips {
		if have.to < s.from || s.to < have.from {
			list = append(list, have)
			continue
		}
		if from, to := max(have.from, s.from), min(have.to, s.to); from < to {
			fresh -= to - from
		}
		s = span{min(have.from, s.from), max(have.to, s.to)}
	}
	i := 0
	for i < len(list) && list[i].from < s.from {
		i++
	}
	c.skips = slices.Insert(list, i, s)
	return fresh
}

// Damaged says that n readings from seq on, which were handed out, turned out to
// be unreadable. They need no acknowledgement.
func (c *Cursor) Damaged(seq, n uint64) {
	c.j.mu.Lock()
	defer c.j.mu.Unlock()
	c.damaged += c.forget(span{seq, seq + n})
	c.settle()
}

// settle moves the position over what needs no acknowledgement. j.mu is held.
func (c *Cursor) settle() {
	for len(c.skips) > 0 && c.skips[0].from <= c.position {
		c.position = max(c.position, c.skips[0].to)
		c.skips = c.skips[1:]
	}
}

// Ack says that every reading before to is done with, and what became of those
// that were not acknowledged before.
func (c *Cursor) Ack(to uint64, o Outcome) {
	c.j.mu.Lock()
	defer c.j.mu.Unlock()
	c.position = max(c.position, to)
	c.settle()
	c.outcome.Delivered += o.Delivered
	c.outcome.DeadLettered += o.DeadLettered
}

// close lets go of the segment being read.
func (c *Cursor) close() {
	if c.file != nil {
		c.file.Close()
	}
	c.file, c.seg = nil, nil
}
