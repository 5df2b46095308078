package modbus

import (
	"context"
	"errors"
	"sync"
	"time"

	"sluice/drivers"
	"sluice/protocol"
	"sluice/protocol/modbus"
)

// bus is a line in use: whose turn it is, and what becomes of the answers. One
// goroutine owns it, the one that Run runs on.
type bus struct {
	*Driver
	link    *link
	emitter drivers.Emitter
	opened  time.Time
	used    time.Time // when the line was used last
	up      bool      // status knows that somebody answers
	idled   bool      // the line was lost after nobody had used it for a while
}

// idle is how long a connection must have been unused for its end to be no more
// than a server's wish to save connections.
const idle = time.Second

// longest is how many timeouts a turn may take: a command asks three times, and may
// wait out a late answer before each.
const longest = 8

var errNobody = errors.New("no unit answers")

// serve talks over an open line until ctx ends or the line is lost.
func (b *bus) serve(ctx context.Context) error {
	b.orders.begin()
	defer b.orders.end()
	b.opened = time.Now()
	b.used = b.opened
	b.schedule.begin(b.opened)
	defer b.status.Rest()
	for {
		err := b.turn(ctx)
		b.counts.Skipped.Store(b.schedule.skipped)
		if err != nil {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
	}
}

// turn gives a command its turn, or else a poll, or waits for one.
func (b *bus) turn(ctx context.Context) error {
	o := b.orders.next()
	now := time.Now()
	t := b.schedule.next(now)
	if o == nil {
		wait := time.Hour
		if t != nil {
			wait = min(wait, t.ready.Sub(now))
		}
		if wait > 0 {
			b.status.Within(wait)
			o = b.orders.wait(ctx, b.link.timer, wait)
			if o == nil {
				return nil
			}
		}
	}
	b.idled = time.Since(b.used) > idle
	defer func() { b.used = time.Now() }()
	b.status.Within(longest * b.link.timeout)
	if o != nil {
		return b.obey(ctx, o)
	}
	return b.poll(ctx, t)
}

// poll sends the next request of a poll and settles what comes of it.
func (b *bus) poll(ctx context.Context, t *task) error {
	q := &t.group.reads[t.read]
	b.counts.Requests.Add(1)
	if t.tries > 0 {
		b.counts.Retries.Add(1)
	}
	r, err := b.link.ask(ctx, t.unit.address, &q.request, q.pdu)
	if errors.Is(err, errLost) {
		return err
	}
	now := time.Now()
	what, reason := judge(r, err)
	switch {
	case reason == "":
		t.result.take(t.group, q, r.Data, protocol.At(now), b.texts)
	case err == nil:
		err = r.Exception
	}
	if what == answered || what == busy {
		b.reached()
		b.awake(t.unit)
	}
	again, over := b.schedule.settle(t, what, now)
	if !again && reason != "" {
		b.reject(t.unit, reason, err)
	}
	if !over {
		return nil
	}
	b.emit(t)
	return b.finish(t, now, what)
}

// judge says what an answer means for the unit's turns, and why it is no result:
// "" when it is one.
func judge(r modbus.Response, err error) (what outcome, reason string) {
	if err == nil {
		if r.Exception == 0 {
			return answered, ""
		}
		return outcomeOf(r.Exception), exceptionReasons[r.Exception]
	}
	var f failure
	if !errors.As(err, &f) {
		f = failedTimeout
	}
	if f == failedChecksum || f == failedEcho {
		return garbled, string(f)
	}
	return silent, string(f)
}

// finish ends a poll, and notes when nobody answers any more. A connection on
// which nobody answers for long may be dead at the other end, and is made anew.
func (b *bus) finish(t *task, now time.Time, what outcome) error {
	was := t.unit.demoted
	b.schedule.finish(t, now)
	if !was && t.unit.demoted {
		b.counts.Demoted.Add(1)
		b.log.Warn("unit is silent", "device", t.unit.device.Name, "unit", t.unit.address, "asked_every", b.schedule.demote.Probe)
	}
	if !t.unit.demoted || !b.schedule.quietAll() {
		return nil
	}
	b.up = false
	b.status.Down(errNobody)
	if b.at.host != "" && what == silent && now.Sub(b.opened) >= b.schedule.demote.Probe {
		return lost(errNobody)
	}
	return nil
}

// reached notes that somebody on the bus answers.
func (b *bus) reached() {
	if !b.up {
		b.up = true
		b.status.Up(b.path)
	}
}

// awake notes that a unit answers, before the schedule knows.
func (b *bus) awake(u *unit) {
	if u.demoted {
		b.counts.Demoted.Add(-1)
		b.log.Info("unit answers again", "device", u.device.Name, "unit", u.address)
	}
}

// emit hands over what a poll has given. A batch that is not accepted is lost:
// by the next poll the device has other values.
func (b *bus) emit(t *task) {
	if !t.result.filled && len(t.result.flaws) == 0 {
		return // whatever was wrong has been counted
	}
	batch := b.batches.Get().(*protocol.Batch)
	err := t.result.add(batch, t.group, t.unit.model.refine, t.unit.device)
	if err != nil {
		b.reject(t.unit, reasonOf(err), err)
	}
	if len(batch.Readings) == 0 || !b.emitter.Emit(batch) {
		batch.Done(nil) // it was never handed over: only reuse it
	}
}

// reject counts an answer that gives no reading, or none that came.
func (b *bus) reject(u *unit, reason string, err error) {
	if a, ok := b.emitter.(drivers.Accountant); ok {
		a.Reject(u.device.Name, reason)
	}
	if u.told != reason {
		u.told = reason
		b.log.Warn("device is not read", "device", u.device.Name, "unit", u.address, "reason", reason, "err", err)
	}
}

func reasonOf(err error) string {
	var undecodable *protocol.Refusal
	if errors.As(err, &undecodable) {
		return undecodable.Reason
	}
	return "decode"
}

// newPool returns a pool of batches that find their way back when they are
// done.
func newPool() *sync.Pool {
	pool := &sync.Pool{}
	pool.New = func() any {
		b := &protocol.Batch{}
		b.Done = func(error) {
			b.Reset()
			pool.Put(b)
		}
		return b
	}
	return pool
}
