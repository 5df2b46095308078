package journal

import (
	"errors"
	"fmt"
	"io/fs"
)

// ErrNoCursor is returned for a name that no cursor has.
var ErrNoCursor = errors.New("journal has no such cursor")

// Replay makes the cursor read again from the sequence on, as far as the journal
// still has it, and returns how many readings lie behind it now that were done
// with. A reader that is at work turns back between two batches.
func (j *Journal) Replay(name string, from uint64) (readings uint64, err error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	c, ok := j.cursors[name]
	if !ok {
		return 0, fmt.Errorf("replay to %s: %w", name, ErrNoCursor)
	}
	from = max(from, j.oldest())
	if from >= c.position {
		return 0, nil
	}
	before := c.waiting()
	c.back = &from
	if !c.claimed {
		return c.turnBack(), nil
	}
	c.wake()
	return c.position - from - (before - c.Lane.waiting(j.next)), nil
}

// Replayed turns back if Replay has asked for it, and reports whether it has: then
// whatever was handed out and not acknowledged comes again, and the backlog is part
// of what does.
func (c *Cursor) Replayed() bool {
	c.j.mu.Lock()
	defer c.j.mu.Unlock()
	if c.back == nil {
		return false
	}
	c.turnBack()
	return true
}

// turnBack moves the place of reading to where Replay wants it. j.mu is held.
func (c *Cursor) turnBack() (readings uint64) {
	before := c.waiting()
	to := max(*c.back, c.j.oldest())
	c.back = nil
	if to < c.position {
		c.Lane.close()
		c.position, c.read = to, to
		if to < c.backlog.until {
			c.endBacklog()
		}
		readings = c.waiting() - before
		c.backfilled += readings
	}
	c.read = c.position
	return readings
}

// endBacklog makes the rest of the backlog, which begins at or behind the live
// part's place, a part of that. j.mu is held.
func (c *Cursor) endBacklog() {
	c.backlog.close()
	if c.backlog.position < c.backlog.until && c.backlog.position < c.position {
		c.position, c.read = c.backlog.position, c.backlog.position
	}
	for _, s := range c.backlog.skips {
		if s.from >= c.position {
			c.Lane.forget(s)
		}
	}
	c.backlog = Lane{c: c}
}

// Forget ends a cursor that nobody has opened, so that the journal keeps nothing
// for it any more.
func (j *Journal) Forget(name string) error {
	j.saveMu.Lock() // its file is not written anew meanwhile
	defer j.saveMu.Unlock()
	j.mu.Lock()
	defer j.mu.Unlock()
	c, ok := j.cursors[name]
	switch {
	case !ok:
		return fmt.Errorf("forget %s: %w", name, ErrNoCursor)
	case c.claimed:
		return fmt.Errorf("forget %s: a sink of that name is configured", name)
	}
	// The file of one that was damaged was moved aside at opening.
	if err := j.fs.Remove(j.cursorPath(name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("forget %s: %w", name, err)
	}
	delete(j.cursors, name)
	return nil
}
