package pipeline

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"sluice/pipeline/journal"
	"sluice/pipeline/report"
)

// committer is the one goroutine that writes: it takes batches from the intakes
// in turn, writes them to the journal as one record, and calls their Done when
// they are as durable as configured. While the disk is busy with one record the
// next one gathers (natural group commit).
//
// What it does when the disk fails is in outage.go.
type committer struct {
	journal *journal.Journal
	config  Config
	log     *slog.Logger
	stages  []stage
	desk    *report.Desk  // decides what is reported
	made    []report.Made // from the desk; reused
	wake    <-chan struct{}

	mu sync.Mutex // held while it works, not while it waits; guards what follows
	notebook

	maxGroup int // bytes
	encoder  *encoder
	waiting  []entry   // accepted, not yet committed, in order
	appended int       // how many of waiting are in the journal
	held     int       // about the bytes of waiting
	since    time.Time // of the oldest of waiting, zero when there is none
	health   *health
	pulse    *pulse
	outage
}

const (
	// maxGroup bounds the bytes, about, that wait for one commit, and so the
	// size of a record. It has to fit into memory when the disk fails.
	maxGroup = 4 << 20
	// turn is how many batches one intake may give before the next one's turn.
	turn = 64
	// lingerBatches ends a linger early.
	lingerBatches = 10
)

// run commits until ctx ends and the intakes are empty, or give is over.
func (c *committer) run(ctx, give context.Context) {
	defer c.pulse.rest()
	for {
		c.pulse.within(0)
		ending := ctx.Err() != nil // asked before looking, so that the last batch is seen
		full, wait, err := c.round(ending)
		switch {
		case err != nil:
			c.pulse.within(wait)
			if wait > 0 && !sleep(give, wait) {
				c.abandon(err)
				return
			}
		case full:
		case ending:
			c.lastNotes()
			return
		default:
			c.pause(ctx, wait)
		}
	}
}

// round takes what there is and writes what is due. full says that there is more,
// wait is how long until more is due, 0 when nothing is; on error how long to wait
// before it is tried again.
func (c *committer) round(ending bool) (full bool, wait time.Duration, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	c.desk.Look(now)
	full = c.gather()
	full = c.present(now, ending) || full
	if wait, err = c.advance(full || ending); err != nil {
		return full, c.failed(err), err
	}
	c.restore()
	c.recovered()
	return full, wait, nil
}

// gather moves batches from the intakes to waiting and reports whether it
// stopped because there are enough.
func (c *committer) gather() (full bool) {
	c.collect()
	for more := true; more; {
		more = false
		for _, s := range c.sources {
			for range turn {
				if c.held >= c.maxGroup {
					return true
				}
				e, ok := s.take()
				if !ok {
					break
				}
				more = true
				if c.refuses(&e) {
					s.refuse(&e, errOutage)
					continue
				}
				c.hold(e)
			}
		}
	}
	return false
}

func (c *committer) hold(e entry) {
	if !e.duplicate {
		for _, stage := range c.stages {
			stage.apply(e.batch)
		}
		e.suppressed, e.held = c.desk.Decide(e.batch, e.source)
	}
	c.waiting = append(c.waiting, e)
	c.held += e.size
}

// advance appends and commits what is due, and returns how long until more is
// due, 0 when nothing is. now says not to wait for company.
func (c *committer) advance(now bool) (wait time.Duration, err error) {
	if len(c.waiting) > 0 && c.since.IsZero() {
		c.since = time.Now()
	}
	if wait := c.lingering(); wait > 0 && !now {
		return wait, nil
	}
	if err := c.append(); err != nil {
		return 0, err
	}
	if c.config.Durability == "interval" && !now && len(c.waiting) > 0 {
		if wait := time.Until(c.since.Add(c.config.Interval)); wait > 0 {
			return wait, nil
		}
	}
	if err := c.journal.Commit(); err != nil {
		return 0, err
	}
	c.settle()
	return c.wait(), nil
}

// lingering returns how long to wait for company before writing.
func (c *committer) lingering() time.Duration {
	if fresh := len(c.waiting) - c.appended; fresh == 0 || fresh >= lingerBatches {
		return 0
	}
	return time.Until(c.since.Add(c.config.Linger))
}

// append writes what is waiting, and notes that have waited long enough, as one
// record.
func (c *committer) append() error {
	fresh := c.waiting[c.appended:]
	if len(fresh) == 0 && !c.due() {
		return nil
	}
	readings := 0
	for _, e := range fresh {
		if !e.duplicate {
			readings += len(e.batch.Readings)
		}
	}
	page := c.page(fresh)
	if readings > 0 || len(page) > 0 {
		_, err := c.journal.Append(readings, func(dst []byte, begin bool) []byte {
			if begin {
				c.encoder.forget()
				page = c.whole(page)
			}
			return c.encoder.encode(dst, fresh, page)
		})
		if errors.Is(err, journal.ErrFull) {
			c.encoder.forget()
			return c.makeRoom()
		}
		if err != nil {
			return err
		}
	}
	c.appended = len(c.waiting)
	c.wrote(page)
	return nil
}

// makeRoom commits what is in a full segment, ahead of its time, and appends the
// rest to the next one.
func (c *committer) makeRoom() error {
	if err := c.journal.Commit(); err != nil {
		return err
	}
	c.settle()
	return c.append()
}

// settle ends the entries that a commit has made durable.
func (c *committer) settle() {
	kept := c.waiting[:c.appended]
	resendable := false
	for i := range kept {
		resendable = resendable || kept[i].batch.Origin.CanResend()
	}
	c.kept(resendable)
	for i := range kept {
		c.held -= kept[i].size
		kept[i].done(nil)
	}
	rest := copy(c.waiting, c.waiting[c.appended:])
	clear(c.waiting[rest:]) // the drivers own the batches again
	c.waiting, c.appended, c.since = c.waiting[:rest], 0, time.Time{}
	if rest > 0 {
		c.since = time.Now()
	}
}

// pause waits for more batches, for ctx to end, or for wait to pass.
func (c *committer) pause(ctx context.Context, wait time.Duration) {
	if !c.tryAt.IsZero() {
		again := max(time.Until(c.tryAt), time.Millisecond)
		if wait == 0 || again < wait {
			wait = again
		}
	}
	if due := c.desk.Wait(); due > 0 && (wait == 0 || due < wait) {
		wait = due
	}
	var timer <-chan time.Time
	if wait > 0 {
		timer = time.After(wait)
	}
	c.pulse.rest()
	select {
	case <-ctx.Done():
	case <-c.wake:
	case <-timer:
	}
}

// lastNotes writes down what was acknowledged since the last record. Without it
// the next start would only remember more than it needs to.
func (c *committer) lastNotes() {
	c.hurry()
	if _, err := c.advance(true); err != nil {
		c.log.Warn("journal misses the last acknowledgements", "err", err)
	}
}
