package pipeline

import (
	"context"
	"errors"
	"time"

	"sluice/pipeline/journal"
	"sluice/protocol"
	"sluice/sink"
)

// deliver writes the readings, of the batch of f, until the sink has them, or its
// fallback has, or they were rejected for good. It returns false when ctx ended
// first.
func (d *delivery) deliver(ctx context.Context, f *feed, readings []protocol.Reading) bool {
	if len(readings) == 0 {
		return true
	}
	switch verdict, err := d.attempt(ctx, f, readings); verdict {
	case stored:
		return true
	case refused:
		return d.isolate(ctx, f, readings, err)
	}
	return false
}

// verdict is what an attempt has come to.
type verdict int

const (
	stopped verdict = iota // ctx ended
	stored                 // all is acknowledged
	refused                // for good, and as a whole
)

// attempt writes the readings until the sink, or its fallback, has said yes or no.
// The error is why it was no.
func (d *delivery) attempt(ctx context.Context, f *feed, readings []protocol.Reading) (verdict, error) {
	retry := newBackoff(d.config.Retry)
	for {
		tried, err := d.breaker.do(func() error { return d.write(ctx, readings) })
		partial, isPartial := asPartial(err)
		d.count(tried, err)
		switch {
		case err == nil:
			d.succeeded()
			d.acknowledge(f, readings, journal.Outcome{Delivered: uint64(len(readings))})
			return stored, nil
		case isPartial && wellFormed(partial.Rejected, len(readings)):
			return d.asideOrStopped(ctx, f, readings, partial.Rejected), nil
		case sink.IsPermanent(err):
			return refused, err
		case ctx.Err() != nil:
			return stopped, nil
		case tried:
			d.failed(err)
		}
		if d.breaker.isOpen() && d.divert(ctx, f, readings) {
			return stored, nil
		}
		if !d.rest(ctx, retry.NextBackOff(), sink.RetryWait(err)) {
			return stopped, nil
		}
	}
}

// count counts a write, if there was one.
func (d *delivery) count(tried bool, err error) {
	_, partial := asPartial(err)
	switch {
	case !tried:
	case err == nil || partial:
		d.writes.stored.Add(1)
	case sink.IsPermanent(err):
		d.writes.rejected.Add(1)
	default:
		d.writes.failed.Add(1)
	}
}

func (d *delivery) asideOrStopped(ctx context.Context, f *feed, readings []protocol.Reading, rejected []sink.Rejection) verdict {
	if d.setAside(ctx, f, readings, rejected) {
		return stored
	}
	return stopped
}

func (d *delivery) write(ctx context.Context, readings []protocol.Reading) error {
	d.pulse.within(d.config.Timeout)
	ctx, cancel := context.WithTimeout(ctx, d.config.Timeout)
	defer cancel()
	return d.sink.Write(ctx, readings)
}

// divert writes the readings to the fallback, if there is one and it takes them.
func (d *delivery) divert(ctx context.Context, f *feed, readings []protocol.Reading) bool {
	if d.fallback == nil {
		return false
	}
	d.pulse.within(d.fallback.timeout)
	err := d.fallback.write(ctx, readings)
	if partial, ok := asPartial(err); ok && wellFormed(partial.Rejected, len(readings)) {
		return d.setAside(ctx, f, readings, partial.Rejected)
	}
	if err != nil {
		return false
	}
	d.acknowledge(f, readings, journal.Outcome{Diverted: uint64(len(readings))})
	return true
}

// acknowledge moves the cursor behind the readings.
func (d *delivery) acknowledge(f *feed, readings []protocol.Reading, o journal.Outcome) {
	if r, ok := d.sink.(sink.Rememberer); ok && o.Diverted == 0 {
		o.Memory = r.Remember()
	}
	if f == d.redo.feed {
		d.redo.done += len(readings)
		if err := d.cursor.Backfill(uint64(len(readings)), o); err != nil {
			d.log.Warn("what the sink remembers cannot be written down: a crash now could cost it what it was just given again", "err", err)
		}
		return
	}
	f.lane.Ack(readings[len(readings)-1].ID.Seq+1, o)
	if f == d.live {
		d.latency.add(f.age(), len(readings))
	}
}

// probeEvery is how often it is looked, while a sink is left in peace, whether its
// far end has come back.
const probeEvery = 500 * time.Millisecond

// rest waits before the next try: as long as asked, which the far end may have
// done, or until a far end that could not be reached is there again.
func (d *delivery) rest(ctx context.Context, backoff, asked time.Duration) bool {
	d.pulse.within(max(backoff, asked))
	end := time.NewTimer(max(backoff, asked))
	defer end.Stop()
	for {
		var probe <-chan time.Time
		if asked == 0 {
			probe = time.After(time.Until(d.probed.Add(probeEvery)))
		}
		select {
		case <-ctx.Done():
			return false
		case <-d.leave:
			return false
		case <-end.C:
			return true
		case <-probe:
			if d.cameBack(ctx) {
				d.breaker.reset()
				return true
			}
		}
	}
}

// cameBack reports whether the far end can be reached and could not before.
func (d *delivery) cameBack(ctx context.Context) bool {
	d.probed = time.Now()
	c, ok := d.sink.(sink.Connector)
	if !ok {
		return false
	}
	ctx, cancel := context.WithTimeout(ctx, min(d.config.Timeout, 4*probeEvery))
	defer cancel()
	was := d.away
	d.away = c.Connect(ctx) != nil
	return was && !d.away
}

// setAside keeps the rejected readings as dead letters and acknowledges all of
// them. Until they are kept, nothing is acknowledged.
func (d *delivery) setAside(ctx context.Context, f *feed, readings []protocol.Reading, rejected []sink.Rejection) bool {
	retry := newBackoff(d.config.Retry)
	for {
		err := d.dead.keep(readings, rejected, d.tried(f))
		if err == nil {
			break
		}
		d.failed(err)
		d.pulse.within(d.config.Retry.Max)
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
	d.acknowledge(f, readings, journal.Outcome{Delivered: uint64(len(readings)) - dead, DeadLettered: dead})
	return true
}

func asPartial(err error) (*sink.PartialError, bool) {
	var partial *sink.PartialError
	return partial, errors.As(err, &partial)
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
