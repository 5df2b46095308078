package drivertest

import (
	"maps"
	"slices"
	"time"

	"sluice/protocol"
)

// SetFull makes Emit refuse, or accept again.
func (e *Emitter) SetFull(full bool) { e.change(func() { e.full = full }) }

// Hold keeps the Done of every batch back until Release.
func (e *Emitter) Hold() { e.change(func() { e.hold = true }) }

// Release gives every batch held, and each one to come, its Done with err.
func (e *Emitter) Release(err error) { e.change(func() { e.hold, e.verdict = false, err }) }

// Wait returns the readings accepted so far once there are at least n of them.
// It fails the test after Patience.
func (e *Emitter) Wait(n int) []protocol.Reading {
	e.t.Helper()
	e.until("readings to arrive", func() bool { return len(e.readings) >= n })
	return e.Readings()
}

// WaitRefused waits until at least n batches or messages were refused or
// dropped.
func (e *Emitter) WaitRefused(n int) {
	e.t.Helper()
	e.until("something to be refused", func() bool { return e.refused+e.dropped >= n })
}

// WaitRejected waits until at least n messages of any device were rejected for
// reason.
func (e *Emitter) WaitRejected(reason string, n int) {
	e.t.Helper()
	e.until("messages rejected as "+reason, func() bool {
		sum := 0
		for r, count := range e.rejected {
			if r.Reason == reason {
				sum += count
			}
		}
		return sum >= n
	})
}

// WaitAcknowledged returns the origins whose acknowledgement was written, in
// that order, once there are at least n of them.
func (e *Emitter) WaitAcknowledged(n int) []protocol.Origin {
	e.t.Helper()
	e.until("acknowledgements to be written", func() bool { return len(e.noted) >= n })
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.noted)
}

// until waits for ok, which is called under the lock.
func (e *Emitter) until(what string, ok func() bool) {
	e.t.Helper()
	late := false
	timer := time.AfterFunc(Patience, func() { e.change(func() { late = true }) })
	defer timer.Stop()
	e.mu.Lock()
	defer e.mu.Unlock()
	for !ok() {
		if late {
			e.t.Fatalf("waited %v for %s: %d accepted, %d refused, %d dropped, %d acknowledged, rejected %v",
				Patience, what, len(e.readings), e.refused, e.dropped, len(e.noted), e.rejected)
		}
		e.wake.Wait()
	}
}

// Readings returns the readings accepted so far, in order.
func (e *Emitter) Readings() []protocol.Reading {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.readings)
}

// Origins returns the origins of the batches accepted so far, in order.
func (e *Emitter) Origins() []protocol.Origin {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.origins)
}

// Rejected returns how many messages were rejected, by device and reason.
func (e *Emitter) Rejected() map[Rejection]int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return maps.Clone(e.rejected)
}

// Skipped returns how many bytes belonged to no message.
func (e *Emitter) Skipped() int64 {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.skipped
}

// Refused returns how many batches and messages were left for their source to
// send again, and how many readings were lost by refusing.
func (e *Emitter) Refused() (refused, dropped int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.refused, e.dropped
}

// SessionsLost returns how often the source had forgotten the session.
func (e *Emitter) SessionsLost() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.lost
}
