package pipeline

import (
	"sync"
	"time"
)

// Health is the state of a delivery or of the journal at one moment.
type Health struct {
	OK       bool
	Since    time.Time // when this state began
	Err      string    // why it is not OK
	Attempts int       // failed in a row
}

// health keeps a Health; it is safe for concurrent use.
type health struct {
	mu  sync.Mutex // guards now
	now Health
}

func newHealth() *health { return &health{now: Health{OK: true, Since: time.Now()}} }

// ok reports success and returns the state before it.
func (h *health) ok() Health {
	h.mu.Lock()
	defer h.mu.Unlock()
	was := h.now
	if !was.OK {
		h.now = Health{OK: true, Since: time.Now()}
	}
	return was
}

// fail reports a failure and whether it is the first in a row.
func (h *health) fail(err error) (first bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	first = h.now.OK
	if first {
		h.now = Health{Since: time.Now()}
	}
	h.now.Err = err.Error()
	h.now.Attempts++
	return first
}

func (h *health) snapshot() Health {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.now
}
