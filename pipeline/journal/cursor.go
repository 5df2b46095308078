package journal

import (
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"time"
)

// Cursor is one reader's place in the journal: a Lane, and after Split a second one
// for what lies behind. Everything but Ready belongs to one goroutine.
type Cursor struct {
	Lane // all of it, or what came since Split

	j       *Journal
	name    string
	claimed bool // opened by Journal.Cursor; guarded by j.mu
	left    bool // by its reader, for the next one; guarded by j.mu
	block   bool // nothing is evicted for want of room; guarded by j.mu
	maxAge  time.Duration

	// Guarded by j.mu.
	backlog    Lane    // what was waiting at Split
	back       *uint64 // where Replay wants reading to go on; nil: where it is
	outcome    Outcome
	evicted    Evictions
	damaged    uint64
	carried    uint64 // waiting when the journal was opened
	begin      uint64 // sequence at which carried ends and journaled begins
	backfilled uint64 // wanted again by Replay, or kept elsewhere
	losing     bool   // is being evicted from, since it last read all
	memory     []byte // what the sink wants to remember
	saved      place  // as last written down
	savedAt    time.Time
	synced     bool // what is written down is synced
	slots      slots

	ready chan struct{} // sent by Commit, never closed; one signal says "look again"
}

// span is the sequences from, from+1, … before to.
type span struct{ from, to uint64 }

// Outcome says what became of readings that a cursor passes.
type Outcome struct {
	Delivered    uint64 // confirmed by the sink
	Diverted     uint64 // confirmed by another sink in its place
	DeadLettered uint64 // set aside for good
	Damaged      uint64 // could not be read; the journal counts them

	// Memory is what the sink wants to remember from now on, at most 400
	// bytes; nil: what it remembered before.
	Memory []byte
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
	Start  Start         // of one that is new
	Was    string        // the cursor whose place a new one takes over, if there is one
	Block  bool          // appending fails rather than evict what the cursor has yet to pass
	MaxAge time.Duration // older readings are evicted, as Options.MaxAge; 0: none
}

// Cursor opens the cursor of the given name, which becomes part of a file name.
// A known one goes on where it was, wherever a new one would begin. It must not be
// opened twice unless its reader has left it.
func (j *Journal) Cursor(name string, o CursorOptions) (*Cursor, error) {
	j.saveMu.Lock() // no file of a cursor is written meanwhile
	defer j.saveMu.Unlock()
	j.mu.Lock()
	defer j.mu.Unlock()
	c, known := j.cursors[name]
	if !known {
		var err error
		if c, err = j.createCursor(name, o); err != nil {
			return nil, fmt.Errorf("open cursor %s: %w", name, err)
		}
	}
	c.claimed, c.left, c.block, c.maxAge = true, false, o.Block, o.MaxAge
	c.wake()
	return c, nil
}

// createCursor makes a cursor that is known after a crash too. j.mu is held.
func (j *Journal) createCursor(name string, o CursorOptions) (*Cursor, error) {
	path := j.cursorPath(name)
	dir := filepath.Dir(path)
	if was, known := j.cursors[o.Was]; known && (!was.claimed || was.left) {
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
	if err := s.save(j.fs, path, at(position).encode(), true); err != nil {
		return nil, err
	}
	if err := j.fs.SyncDir(dir); err != nil {
		return nil, err
	}
	c := j.newCursor(name, at(position))
	c.slots, c.synced = s, true
	return c, nil
}

// Has reports whether there is a cursor of that name.
func (j *Journal) Has(name string) bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.cursors[name] != nil
}

// Leave ends the reading, for whoever opens the cursor next: what was handed out and
// not acknowledged comes again. Meanwhile the journal keeps everything for it as
// before.
func (c *Cursor) Leave() {
	c.j.mu.Lock()
	defer c.j.mu.Unlock()
	c.left = true
	c.Lane.rewind()
	c.backlog.rewind()
}

// Disclaim says that nobody will open a cursor which its reader has left: it is kept
// as those are that nobody has opened.
func (j *Journal) Disclaim(name string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if c := j.cursors[name]; c != nil {
		c.claimed, c.block, c.maxAge = false, false, 0
	}
}

// newCursor makes a cursor that stands at p. j.mu is held, or nobody else knows j
// yet.
func (j *Journal) newCursor(name string, p place) *Cursor {
	c := &Cursor{
		j: j, name: name, begin: j.next, saved: p, memory: p.memory,
		ready: make(chan struct{}, 1),
	}
	c.Lane = Lane{c: c, position: p.c, read: p.c, until: math.MaxUint64}
	c.backlog = Lane{c: c, position: p.a, read: p.a, until: p.b}
	c.carried = c.waiting()
	j.cursors[name] = c
	return c
}

// least returns the first sequence that the cursor still needs. j.mu is held.
func (c *Cursor) least() uint64 {
	least := c.position
	if c.backlog.position < c.backlog.until {
		least = c.backlog.position
	}
	if c.back != nil {
		least = min(least, *c.back)
	}
	return least
}

// waiting returns how many readings are not done with. j.mu is held.
func (c *Cursor) waiting() uint64 {
	return c.Lane.waiting(c.j.next) + c.backlog.waiting(c.backlog.until)
}

// pass takes s, as far as it was not read, for done with, and returns how many
// readings were added to count by that. j.mu is held.
func (c *Cursor) pass(s span, count *uint64) uint64 {
	return c.Lane.pass(s, count) + c.backlog.pass(s, count)
}

// Split makes what is waiting a Lane of its own, the backlog, so that what comes
// from now on can be read first, and reports whether it has. While there is a
// backlog, it stays as it is. Of what was handed out, nothing but the rest of a
// record may be unacknowledged.
func (c *Cursor) Split() bool {
	c.j.mu.Lock()
	defer c.j.mu.Unlock()
	if c.backlog.position < c.backlog.until || c.position == c.j.next {
		return false
	}
	c.backlog = c.Lane
	c.backlog.until = c.j.next
	c.Lane = Lane{c: c, position: c.j.next, read: c.j.next, until: math.MaxUint64}
	return true
}

// Backlog returns the Lane of what lies behind since Split; it is empty without.
func (c *Cursor) Backlog() *Lane { return &c.backlog }

// Waiting returns how many readings are not done with.
func (c *Cursor) Waiting() uint64 {
	c.j.mu.Lock()
	defer c.j.mu.Unlock()
	return c.waiting()
}

// Memory returns what the sink wanted to remember last.
func (c *Cursor) Memory() []byte {
	c.j.mu.Lock()
	defer c.j.mu.Unlock()
	return slices.Clone(c.memory)
}

// Backfill counts n readings that came from elsewhere, from dead letters, and what
// became of them. What the sink wants to remember is written down durably before it
// returns: the place, which does not move, would not tell.
func (c *Cursor) Backfill(n uint64, o Outcome) error {
	c.j.mu.Lock()
	c.backfilled += n
	c.count(o)
	c.j.mu.Unlock()
	if o.Memory == nil {
		return nil
	}
	return c.j.saveCursors(true)
}

func (c *Cursor) count(o Outcome) {
	c.outcome.Delivered += o.Delivered
	c.outcome.Diverted += o.Diverted
	c.outcome.DeadLettered += o.DeadLettered
	if o.Memory != nil && len(o.Memory) <= maxMemory {
		c.memory = append(c.memory[:0], o.Memory...)
	}
}

// Ready is sent to when there may be more to read.
func (c *Cursor) Ready() <-chan struct{} { return c.ready }

func (c *Cursor) wake() {
	select {
	case c.ready <- struct{}{}:
	default:
	}
}
