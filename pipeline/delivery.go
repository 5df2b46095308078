package pipeline

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"time"

	"sluice/pipeline/journal"
	"sluice/sink"
)

// delivery brings the journal to one sink: it reads behind a cursor of its own,
// batches, writes, tries again for as long as it takes, and acknowledges. It
// waits for nobody but its sink.
//
// What it reads comes from live, and after an outage, when the sink is to get new
// readings first, from missed as well.
type delivery struct {
	name     string
	sink     sink.Sink
	config   Delivery
	cursor   *journal.Cursor
	live     *feed
	missed   *feed
	breaker  *breaker
	fallback *fallback // nil: none
	dead     *deadLetters
	redo     *redo
	log      *slog.Logger
	health   *health
	pulse    *pulse
	latency  latency
	leave    chan struct{} // closed when another is to go on at the cursor
	abort    func()        // ends what the delivery does at once; set when it starts
	ended    chan struct{} // closed when it has ended
	writes   struct{ stored, rejected, failed atomic.Uint64 }

	began    time.Time // when the batch was first tried
	returned bool      // the sink takes readings, after it did not
	away     bool      // its far end could not be reached when it was last looked for
	probed   time.Time // when that was, while the sink was left in peace
	clear    time.Time // when more of what was missed may be written
	told     time.Time // when dead letters were last logged
}

// run delivers until ctx ends or, once drain is closed, until everything in the
// journal has been delivered, or between two batches when it is to leave.
func (d *delivery) run(ctx context.Context, drain <-chan struct{}) {
	defer d.pulse.rest()
	if r, ok := d.sink.(sink.Rememberer); ok {
		r.Recall(d.cursor.Memory())
	}
	d.connect(ctx)
	d.returned = true // what waits now was missed
	for {
		f := d.collect(ctx, drain)
		if f == nil {
			return
		}
		d.began = time.Now()
		done := d.deliver(ctx, f, f.batch.Readings)
		if f == d.redo.feed {
			d.redo.settle()
		}
		if !done {
			return
		}
		f.empty()
	}
}

// tellEvery is how often dead letters are logged while they keep coming.
const tellEvery = time.Minute

// connectEvery is how often a sink that cannot be reached is tried while there is
// nothing to write.
const connectEvery = 3 * time.Second

// connect looks whether the sink can be reached, so that health says so before
// there is anything to write.
func (d *delivery) connect(ctx context.Context) {
	c, ok := d.sink.(sink.Connector)
	if !ok {
		return
	}
	d.pulse.within(d.config.Timeout)
	ctx, cancel := context.WithTimeout(ctx, d.config.Timeout)
	defer cancel()
	switch err := c.Connect(ctx); {
	case err == nil:
		d.succeeded()
	case !errors.Is(ctx.Err(), context.Canceled):
		d.failed(err)
	}
}

// collect gathers the next batch and returns the feed that has it, nil when there
// is nothing more to do.
func (d *delivery) collect(ctx context.Context, drain <-chan struct{}) *feed {
	for !closed(d.leave) {
		d.pulse.within(0)
		if d.cursor.Replayed() {
			d.live.startOver()
			d.missed.startOver()
		}
		d.split()
		ending := closed(drain) // asked before looking, so that the last record is seen
		err := errors.Join(d.live.fill(), d.missed.fill())
		if err != nil {
			d.failed(err)
			if !sleep(ctx, time.Second) {
				return nil
			}
			continue
		}
		if f := d.next(ending); f != nil {
			return f
		}
		if ending && d.live.rule.readings+d.missed.rule.readings == 0 || !d.idle(ctx, drain, ending) {
			return nil
		}
	}
	return nil
}

// split leaves what waits behind, so that new readings come first, if that is
// wanted and there is more than a batch of it.
func (d *delivery) split() {
	if !d.returned || d.config.Catchup.Order != "live_first" || d.live.rule.readings > 0 {
		return
	}
	d.returned = false
	if d.cursor.Waiting() <= uint64(d.config.Batch.MaxReadings) || !d.cursor.Split() {
		return
	}
	d.live.follow(d.missed)
}

// ready returns the feed whose batch is to be written now, nil when none is.
func (d *delivery) ready(ending bool) *feed {
	now := time.Now()
	if f := d.live; f.due(now, ending) && !(f.age() > old && d.clear.After(now)) {
		d.pace(f, now)
		return f
	}
	if f := d.missed; f.rule.readings > 0 && !d.clear.After(now) {
		d.pace(f, now)
		return f
	}
	return nil
}

// pace makes what was missed wait its turn after the batch of f, if that was missed.
func (d *delivery) pace(f *feed, now time.Time) {
	if f == d.missed || f.age() > old {
		d.clear = now.Add(d.config.Catchup.Rate.pause(f.rule.readings))
	}
}

// idle waits for more to read, for a batch to be due, or for drain. It returns
// false when ctx ends.
func (d *delivery) idle(ctx context.Context, drain <-chan struct{}, ending bool) bool {
	if ending {
		drain = nil
	}
	wait := connectEvery
	waiting := d.live.rule.readings+d.missed.rule.readings > 0
	if d.live.rule.readings > 0 && !ending {
		wait = min(wait, d.live.rule.due(time.Now()))
	}
	if !ending {
		wait = min(wait, d.redo.wait(d.clear))
	}
	if pause := time.Until(d.clear); waiting && pause > 0 {
		if d.live.age() > old {
			wait = pause
		}
		wait = min(wait, pause)
	}
	d.pulse.within(wait)
	select {
	case <-ctx.Done():
		return false
	case <-d.leave:
	case <-d.cursor.Ready():
	case <-d.dead.wake:
	case <-drain:
	case <-time.After(wait):
		if !waiting && !d.health.snapshot().OK {
			d.connect(ctx)
		}
	}
	return true
}

func closed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

func (d *delivery) failed(err error) {
	if d.health.fail(err) {
		d.log.Warn("sink does not take readings: trying again until it does", "err", err)
	}
}

func (d *delivery) succeeded() {
	if was := d.health.ok(); !was.OK {
		d.returned = true
		d.log.Info("sink takes readings again", "after", time.Since(was.Since).Round(time.Millisecond), "failed_attempts", was.Attempts)
	}
}
