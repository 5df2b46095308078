package pipeline

import (
	"errors"
	"time"

	"github.com/cenkalti/backoff/v5"

	"sluice/pipeline/journal"
)

// outage is how the committer gets through a time in which the journal cannot be
// written.
//
// A segment that fails is given up at once and what was not acknowledged goes to
// the next one. When that fails as well, the disk is out of order or full: what
// sources can send again is refused, so that they keep it, and everything else
// goes to memory, from where the sinks get it as ever. A journal that is full of
// what a sink blocks is no fault of the disk: then the committer holds what it
// has, and the intakes fill behind it.
type outage struct {
	failures int       // in a row
	tryAt    time.Time // when the disk is tried again
	retry    backoff.ExponentialBackOff
}

var errOutage = errors.New("the disk cannot be written")

// begin counts a failure and reports whether it is the first in a row.
func (o *outage) begin() bool {
	o.failures++
	if o.failures == 1 {
		o.retry = newBackoff(Retry{Min: 50 * time.Millisecond, Max: 2 * time.Second})
	}
	return o.failures == 1
}

// failed begins anew with everything that is not committed, and decides where.
// It returns how long to wait before that.
func (c *committer) failed(err error) (wait time.Duration) {
	c.encoder.forget()
	c.void()
	c.appended = 0
	first := c.begin()
	var blocked *journal.BlockedError
	switch {
	case errors.As(err, &blocked):
		c.tell(err, "journal is full and a sink blocks: holding readings back until it has caught up")
		return c.retry.NextBackOff()
	case c.journal.Volatile():
		c.giveBack(err) // not even memory takes it
	case !first:
		c.degrade(err)
	}
	return 0
}

// tell reports the journal as failing, and logs it once.
func (c *committer) tell(err error, text string) {
	if c.health.fail(err) {
		c.log.Error(text, "err", err)
	}
}

// degrade turns to memory.
func (c *committer) degrade(err error) {
	c.tell(err, "journal cannot be written: what can be sent again is refused, other readings are kept in memory")
	c.journal.Degrade()
	c.tryAt = time.Now().Add(c.retry.NextBackOff())
	for _, s := range c.sources {
		s.intake.degraded.Store(true)
	}
	kept := c.waiting[:0]
	for _, e := range c.waiting {
		if c.refuses(&e) {
			c.held -= e.size
			c.desk.Forget(e.batch)
			e.source.refuse(&e, err)
			continue
		}
		kept = append(kept, e)
	}
	clear(c.waiting[len(kept):])
	c.waiting = kept
}

// refuses reports whether an entry is left with its source for now.
func (c *committer) refuses(e *entry) bool {
	return c.journal.Volatile() && c.config.Durability != "memory" && e.batch.Origin.CanResend()
}

// restore tries the disk again when it is time.
func (c *committer) restore() {
	if c.tryAt.IsZero() || c.appended > 0 || time.Now().Before(c.tryAt) {
		return
	}
	c.encoder.forget()
	if err := c.journal.Restore(); err != nil {
		c.health.fail(err)
		c.tryAt = time.Now().Add(c.retry.NextBackOff())
		return
	}
	c.tryAt = time.Time{}
	for _, s := range c.sources {
		s.intake.degraded.Store(false)
	}
}

// recovered ends an outage after something was written.
func (c *committer) recovered() {
	if c.failures == 0 || !c.tryAt.IsZero() {
		return
	}
	c.failures = 0
	if was := c.health.ok(); !was.OK {
		c.log.Info("journal can be written again", "after", time.Since(was.Since).Round(time.Millisecond))
	}
}

// giveBack ends everything that waits without having kept it.
func (c *committer) giveBack(err error) {
	for i := range c.waiting {
		c.held -= c.waiting[i].size
		c.desk.Forget(c.waiting[i].batch)
		c.waiting[i].source.refuse(&c.waiting[i], err)
	}
	clear(c.waiting)
	c.waiting = c.waiting[:0]
}

// abandon gives back what could not be written before the process has to end.
func (c *committer) abandon(err error) {
	err = errors.Join(errors.New("the gateway stops and the journal cannot be written"), err)
	c.giveBack(err)
	for _, s := range c.sources {
		for e, ok := s.take(); ok; e, ok = s.take() {
			s.refuse(&e, err)
		}
	}
}
