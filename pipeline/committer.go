package pipeline

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/cenkalti/backoff/v5"

	"sluice/pipeline/journal"
)

// committer is the one goroutine that writes: it takes batches from the intakes
// in turn, writes them to the journal as one record, and calls their Done when
// they are as durable as configured. While the disk is busy with one record the
// next one gathers (natural group commit).
//
// When the disk fails it keeps what it holds and tries again, the intakes fill
// up behind it, and the drivers see that and hold their sources back.
type committer struct {
	journal *journal.Journal
	config  Config
	log     *slog.Logger
	sources []*source
	stages  []stage
	wake    <-chan struct{}

	encoder  *encoder
	waiting  []entry    // accepted, not yet committed, in order
	appended int        // how many of waiting are in the journal
	held     uint64     // readings and batches in waiting
	notes    []tellNote // of the records appended since the last commit
	since    time.Time  // of the oldest of waiting, zero when there is none
	noteTime time.Time  // when acknowledgements without a record are due
	failing  bool
	retry    backoff.ExponentialBackOff
	health   *health
}

type tellNote struct {
	source *source
	note   note
}

const (
	// maxGroup bounds the readings that wait for one commit.
	maxGroup = 16 << 10 // and batches: an empty one counts too
	// turn is how many batches one intake may give before the next one's turn.
	turn = 64
	// lingerBatches ends a linger early.
	lingerBatches = 10
	// noteAfter is how long acknowledgements wait for a record to travel
	// with before they get one of their own.
	noteAfter = time.Second
)

// run commits until ctx ends and the intakes are empty, or give is over.
func (c *committer) run(ctx, give context.Context) {
	for {
		ending := ctx.Err() != nil // asked before looking, so that the last batch is seen
		full := c.gather()
		wait, err := c.advance(full || ending)
		if err != nil {
			c.failed(err)
			if !sleep(give, c.retry.NextBackOff()) {
				c.abandon(err)
				return
			}
			continue
		}
		c.recovered()
		switch {
		case full:
		case ending:
			c.lastNotes()
			return
		default:
			c.pause(ctx, wait)
		}
	}
}

// gather moves batches from the intakes to waiting and reports whether it
// stopped because there are enough.
func (c *committer) gather() (full bool) {
	for _, s := range c.sources {
		s.acked = append(s.acked, s.intake.takeNotes()...)
	}
	for more := true; more; {
		more = false
		for _, s := range c.sources {
			for range turn {
				if c.held >= maxGroup {
					return true
				}
				e, ok := s.take()
				if !ok {
					break
				}
				c.hold(e)
				more = true
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
	}
	c.waiting = append(c.waiting, e)
	c.held += e.readings + 1
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
	return c.notesDue(), nil
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
	due := !c.noteTime.IsZero() && !time.Now().Before(c.noteTime)
	if len(fresh) == 0 && !due {
		return nil
	}
	readings := 0
	for _, e := range fresh {
		if !e.duplicate {
			readings += int(e.readings)
		}
	}
	told := c.tell(fresh)
	if readings > 0 || len(told) > 0 {
		_, err := c.journal.Append(readings, func(dst []byte, begin bool) []byte {
			return c.encode(dst, fresh, told, begin)
		})
		if err != nil {
			return err
		}
	}
	c.appended = len(c.waiting)
	c.notes = append(c.notes, told...)
	return nil
}

// tell returns the notes that the next record has to carry.
func (c *committer) tell(fresh []entry) []tellNote {
	var told []tellNote
	for _, s := range c.sources {
		n := s.note(fresh)
		n.acked = n.acked[c.toldAcks(s):]
		if n.lost || len(n.acked) > 0 || len(n.kept) > 0 {
			told = append(told, tellNote{s, n})
		}
	}
	return told
}

// toldAcks returns how many of the source's acknowledgements are in records that
// are appended but not committed.
func (c *committer) toldAcks(s *source) (n int) {
	for _, t := range c.notes {
		if t.source == s {
			n += len(t.note.acked)
		}
	}
	return n
}

func (c *committer) encode(dst []byte, fresh []entry, told []tellNote, begin bool) []byte {
	notes := make([]note, 0, len(c.sources))
	for _, t := range told {
		notes = append(notes, t.note)
	}
	if begin {
		c.encoder.forget()
		notes = c.whole(notes)
	}
	return c.encoder.encode(dst, fresh, notes)
}

// whole returns the notes of a segment's first record, which tell all that is
// open, so that opening the journal need read one segment only.
func (c *committer) whole(notes []note) []note {
	byDriver := map[string]note{}
	for _, n := range notes {
		byDriver[n.driver] = n
	}
	all := make([]note, 0, len(c.sources))
	for _, s := range c.sources {
		n := byDriver[s.intake.driver]
		n.driver = s.intake.driver
		n.kept = s.resent.open(n)
		all = append(all, n)
	}
	return all
}

// settle ends the entries that a commit has made durable.
func (c *committer) settle() {
	for _, t := range c.notes {
		t.source.noted(t.note)
	}
	resendable := false
	for i := range c.waiting {
		resendable = resendable || c.waiting[i].batch.Origin.CanResend()
		c.waiting[i].done(nil)
	}
	clear(c.waiting) // the drivers own the batches again
	c.waiting, c.notes, c.appended, c.held, c.since = c.waiting[:0], c.notes[:0], 0, 0, time.Time{}
	switch {
	case resendable:
		c.noteTime = time.Now().Add(noteAfter)
	case c.notesDue() == time.Millisecond:
		c.noteTime = time.Time{} // just told
	}
}

func (c *committer) notesDue() time.Duration {
	if c.noteTime.IsZero() {
		return 0
	}
	return max(time.Until(c.noteTime), time.Millisecond)
}

// pause waits for more batches, for ctx to end, or for wait to pass.
func (c *committer) pause(ctx context.Context, wait time.Duration) {
	var timer <-chan time.Time
	if wait > 0 {
		timer = time.After(wait)
	}
	select {
	case <-ctx.Done():
	case <-c.wake:
	case <-timer:
	}
}

// failed begins anew with everything that is not committed.
func (c *committer) failed(err error) {
	c.encoder.forget()
	c.appended, c.notes = 0, c.notes[:0]
	if !c.failing {
		c.failing = true
		c.retry = newBackoff(Retry{Min: 50 * time.Millisecond, Max: time.Second})
		c.log.Error("journal cannot be written: holding readings in memory, refusing more when that is full", "err", err)
	}
	c.health.fail(err)
}

func (c *committer) recovered() {
	if c.failing {
		c.failing = false
		c.log.Info("journal can be written again")
		c.health.ok()
	}
}

// lastNotes writes down what was acknowledged since the last record. Without it
// the next start would only remember more than it needs to.
func (c *committer) lastNotes() {
	c.noteTime = time.Now()
	if _, err := c.advance(true); err != nil {
		c.log.Warn("journal misses the last acknowledgements", "err", err)
	}
}

// abandon gives back what could not be written before the process has to end.
func (c *committer) abandon(err error) {
	err = errors.Join(errors.New("the gateway stops and the journal cannot be written"), err)
	for i := range c.waiting {
		c.waiting[i].done(err)
	}
	for _, s := range c.sources {
		for e, ok := s.take(); ok; e, ok = s.take() {
			e.done(err)
		}
	}
}
