package drivertest

import (
	"hash/fnv"
	"slices"
	"sync"
	"testing"

	"sluice/protocol"
)

// Emitter stands in for the pipeline: it records what a driver emits, refuses
// when it is told to, and calls Done from a goroutine of its own, as the
// committer does. It implements every optional interface of an Emitter, and it
// fails the test when a driver breaks the rules of a batch. It is safe for
// concurrent use.
type Emitter struct {
	t    testing.TB
	wake sync.Cond // anything below has changed; its lock is mu

	mu       sync.Mutex // guards what follows
	full     bool
	hold     bool
	closed   bool
	owned    []owned // batches whose Done is owed, oldest first
	verdict  error   // what Done is given
	readings []protocol.Reading
	origins  []protocol.Origin // of every batch accepted
	rejected map[Rejection]int
	refused  int   // batches and messages that the source is to send again
	skipped  int64 // bytes
	dropped  int   // readings of refused batches that cannot come again
	noted    []protocol.Origin
	lost     int
}

// Rejection is why a device's message never became a reading.
type Rejection struct{ Device, Reason string }

type owned struct {
	batch *protocol.Batch
	print uint64
}

// NewEmitter returns an emitter that accepts everything and calls Done(nil) at
// once. Its goroutine ends with the test.
func NewEmitter(t testing.TB) *Emitter {
	e := &Emitter{t: t, rejected: map[Rejection]int{}}
	e.wake.L = &e.mu
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		e.commit()
	}()
	t.Cleanup(func() {
		e.change(func() { e.closed = true })
		<-ended
	})
	return e
}

// commit calls the Done of what is owned until the emitter is closed.
func (e *Emitter) commit() {
	e.mu.Lock()
	defer e.mu.Unlock()
	for !e.closed {
		if e.hold || len(e.owned) == 0 {
			e.wake.Wait()
			continue
		}
		next, verdict := e.owned[0], e.verdict
		e.owned = e.owned[1:]
		e.mu.Unlock()
		e.settle(next, verdict)
		e.mu.Lock()
	}
}

func (e *Emitter) settle(o owned, verdict error) {
	if fingerprint(o.batch) != o.print {
		e.t.Errorf("the driver changed a batch that the pipeline owned: %+v", o.batch.Readings)
	}
	if o.batch.Done != nil {
		o.batch.Done(verdict)
	}
}

// change runs f under the lock and wakes whoever waits.
func (e *Emitter) change(f func()) {
	e.mu.Lock()
	defer e.mu.Unlock()
	f()
	e.wake.Broadcast()
}

// Emit records b, or refuses it while the emitter is full.
func (e *Emitter) Emit(b *protocol.Batch) bool {
	e.check(b)
	print := fingerprint(b)
	e.mu.Lock()
	defer e.mu.Unlock()
	defer e.wake.Broadcast()
	if e.full {
		if b.Origin.CanResend() {
			e.refused++
		} else {
			e.dropped += len(b.Readings)
		}
		return false
	}
	for i := range b.Readings {
		r := b.Readings[i]
		r.Metrics = slices.Clone(r.Metrics)
		e.readings = append(e.readings, r)
	}
	e.origins = append(e.origins, b.Origin)
	e.owned = append(e.owned, owned{b, print})
	return true
}

func (e *Emitter) check(b *protocol.Batch) {
	if len(b.Readings) == 0 {
		e.t.Error("the driver emitted an empty batch")
	}
	for i := range b.Readings {
		switch r := &b.Readings[i]; {
		case r.Device == nil:
			e.t.Error("the driver emitted a reading without a device")
		case r.Device.Name == "" || r.Device.Driver == "":
			e.t.Errorf("the driver emitted a reading of %+v, want a name and a driver", *r.Device)
		case r.ReceivedTime == 0:
			e.t.Error("the driver emitted a reading without a received time")
		case len(r.Metrics) == 0:
			e.t.Error("the driver emitted a reading without metrics")
		}
	}
}

// fingerprint hashes a batch, so that a change while it is owned shows.
func fingerprint(b *protocol.Batch) uint64 {
	h := fnv.New64a()
	var text []byte
	for i := range b.Readings {
		if r := &b.Readings[i]; r.Device != nil {
			text = protocol.AppendJSON(text[:0], r)
			h.Write(text)
		}
	}
	return h.Sum64()
}

// Room reports whether the emitter accepts.
func (e *Emitter) Room() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return !e.full
}

// Reject counts a message that gives no reading.
func (e *Emitter) Reject(device, reason string) {
	e.change(func() { e.rejected[Rejection{device, reason}]++ })
}

// Skip counts bytes that belong to no message.
func (e *Emitter) Skip(bytes int64) { e.change(func() { e.skipped += bytes }) }

// Refuse counts a message left for its source to send again.
func (e *Emitter) Refuse() { e.change(func() { e.refused++ }) }

// Acknowledged notes an acknowledgement written to the source.
func (e *Emitter) Acknowledged(o protocol.Origin) {
	e.change(func() { e.noted = append(e.noted, o) })
}

// SessionLost notes that the source has forgotten the session.
func (e *Emitter) SessionLost(string) { e.change(func() { e.lost++ }) }

// Recalled returns nothing: there was no process before.
func (e *Emitter) Recalled() []protocol.Origin { return nil }
