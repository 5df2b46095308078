package pipeline

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"time"

	"sluice/pipeline/journal"
	"sluice/protocol"
	"sluice/sink"
)

// delivery brings the journal to one sink: it reads behind a cursor of its own,
// batches, writes, tries again for as long as it takes, and acknowledges. It
// waits for nobody but its sink.
type delivery struct {
	name   string
	sink   sink.Sink
	config Delivery
	cursor *journal.Cursor
	dead   *deadLetters
	log    *slog.Logger
	health *health

	decoder *decoder
	open    bool           // the decoder has a record that is not read to its end
	came    time.Time      // when that was accepted
	told    time.Time      // when dead letters were last logged
	batch   protocol.Batch // only its readings are used
	rule    batcher
	since   atomic.Int64 // when the oldest reading of the batch was accepted, Unix nanoseconds; 0: no batch
}

// run delivers until ctx ends or, once drain is closed, until everything in the
// journal has been delivered.
func (d *delivery) run(ctx context.Context, drain <-chan struct{}) {
	d.connect(ctx)
	for d.collect(ctx, drain) {
		if !d.deliver(ctx, d.batch.Readings) {
			return
		}
		d.empty()
	}
}

// empty begins the next batch.
func (d *delivery) empty() {
	d.batch.Reset()
	d.rule.empty()
	d.since.Store(0)
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
	ctx, cancel := context.WithTimeout(ctx, d.config.Timeout)
	defer cancel()
	switch err := c.Connect(ctx); {
	case err == nil:
		d.succeeded()
	case !errors.Is(ctx.Err(), context.Canceled):
		d.failed(err)
	}
}

// collect gathers the next batch. It returns false when there is nothing more to
// do.
func (d *delivery) collect(ctx context.Context, drain <-chan struct{}) bool {
	for !d.rule.full() {
		if d.cursor.Replayed() {
			d.open = false
			d.empty()
		}
		ending := closed(drain) // asked before looking, so that the last record is seen
		more, err := d.pull()
		if err != nil {
			d.failed(err)
			if !sleep(ctx, time.Second) {
				return false
			}
			continue
		}
		if more {
			continue
		}
		switch waiting := d.rule.readings > 0; {
		case waiting && (ending || d.rule.due(time.Now()) <= 0):
			return true
		case !waiting && ending || !d.idle(ctx, drain):
			return false
		}
	}
	return true
}

// idle waits for more to read, for the batch to be due, or for drain. It returns
// false when ctx ends.
func (d *delivery) idle(ctx context.Context, drain <-chan struct{}) bool {
	var due, again <-chan time.Time
	if d.rule.readings > 0 {
		due = time.After(d.rule.due(time.Now()))
	} else if !d.health.snapshot().OK {
		again = time.After(connectEvery)
	}
	select {
	case <-ctx.Done():
		return false
	case <-d.cursor.Ready():
	case <-drain:
	case <-due:
	case <-again:
		d.connect(ctx)
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

// pull moves one reading from the journal to the batch, and reports whether
// there may be another.
func (d *delivery) pull() (more bool, err error) {
	if !d.open {
		rec, ok, err := d.cursor.Next()
		if err != nil || !ok {
			return false, err
		}
		if err := d.decoder.begin(rec); err != nil {
			d.log.Error("journal holds a record that cannot be read", "segment", rec.Segment, "seq", rec.Seq, "err", err)
			if end := rec.Seq + uint64(rec.Count); rec.From < end {
				d.cursor.Damaged(rec.From, end-rec.From)
			}
			return true, nil
		}
		d.open, d.came = true, d.accepted()
	}
	r := d.batch.Add()
	size, ok, err := d.decoder.next(r)
	switch {
	case !ok:
		d.open = false
		d.unadd()
	case d.decoder.at <= d.decoder.rec.From: // delivered before
		d.unadd()
	case err != nil:
		d.unadd()
		d.cursor.Damaged(d.decoder.at-1, 1)
	default:
		d.rule.add(size, d.came)
		if d.rule.readings == 1 {
			d.since.Store(d.decoder.rec.Accepted.UnixNano())
		}
	}
	return true, nil
}

func (d *delivery) unadd() { d.batch.Readings = d.batch.Readings[:len(d.batch.Readings)-1] }

// accepted returns when the present record was accepted, by the monotonic clock
// as far as the wall clock allows.
func (d *delivery) accepted() time.Time {
	now := time.Now()
	age := now.Sub(d.decoder.rec.Accepted)
	return now.Add(-min(max(age, 0), d.config.Batch.MaxAge))
}

// deliver writes the readings, one batch, until the sink has them or has
// rejected them for good. It returns false when ctx ended first.
func (d *delivery) deliver(ctx context.Context, readings []protocol.Reading) bool {
	if len(readings) == 0 {
		return true
	}
	retry := newBackoff(d.config.Retry)
	for {
		err := d.write(ctx, readings)
		var partial *sink.PartialError
		switch {
		case err == nil:
			d.succeeded()
			d.cursor.Ack(behind(readings), journal.Outcome{Delivered: uint64(len(readings))})
			return true
		case errors.As(err, &partial) && wellFormed(partial.Rejected, len(readings)):
			return d.setAside(ctx, readings, partial.Rejected)
		case sink.IsPermanent(err) && len(readings) == 1:
			return d.setAside(ctx, readings, []sink.Rejection{{Index: 0, Err: err}})
		case sink.IsPermanent(err):
			half := len(readings) / 2
			return d.deliver(ctx, readings[:half]) && d.deliver(ctx, readings[half:])
		case ctx.Err() != nil:
			return false
		}
		d.failed(err)
		if !sleep(ctx, max(retry.NextBackOff(), sink.RetryWait(err))) {
			return false
		}
	}
}

func (d *delivery) write(ctx context.Context, readings []protocol.Reading) error {
	ctx, cancel := context.WithTimeout(ctx, d.config.Timeout)
	defer cancel()
	return d.sink.Write(ctx, readings)
}

// setAside keeps the rejected readings as dead letters and acknowledges all of
// the batch. Until they are kept, nothing is acknowledged.
func (d *delivery) setAside(ctx context.Context, readings []protocol.Reading, rejected []sink.Rejection) bool {
	retry := newBackoff(d.config.Retry)
	for {
		err := d.dead.keep(readings, rejected)
		if err == nil {
			break
		}
		d.failed(err)
		if !sleep(ctx, retry.NextBackOff()) {
			return false
		}
	}
	d.succeeded()
	if d.told.IsZero() || time.Since(d.told) > tellEvery {
		d.told = time.Now()
		d.log.Warn("sink rejects readings for good: they are kept as dead letters", "readings", len(rejected), "first", rejected[0].Err, "file", d.dead.path)
	}
	dead := uint64(len(rejected))
	d.cursor.Ack(behind(readings), journal.Outcome{Delivered: uint64(len(readings)) - dead, DeadLettered: dead})
	return true
}

// wellFormed reports whether a sink's rejections are what sink.PartialError says
// that they are.
func wellFormed(rejected []sink.Rejection, n int) bool {
	last := -1
	for _, r := range rejected {
		if r.Err == nil || r.Index <= last || r.Index >= n {
			return false
		}
		last = r.Index
	}
	return len(rejected) > 0
}

// behind returns the sequence that follows the readings.
func behind(readings []protocol.Reading) uint64 { return readings[len(readings)-1].ID.Seq + 1 }

func (d *delivery) failed(err error) {
	if d.health.fail(err) {
		d.log.Warn("sink does not take readings: trying again until it does", "err", err)
	}
}

func (d *delivery) succeeded() {
	if was := d.health.ok(); !was.OK {
		d.log.Info("sink takes readings again", "after", time.Since(was.Since).Round(time.Millisecond), "failed_attempts", was.Attempts)
	}
}
