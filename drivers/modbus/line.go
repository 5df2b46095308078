package modbus

import (
	"context"
	"errors"
	"io"
	"os"
	"time"
)

// Line is what a bus needs of a serial port or a connection. Close may be
// called during Read and Write and ends them.
type Line interface {
	io.Reader
	io.Writer
	io.Closer
	// SetReadDeadline sets the time at which Read gives up with
	// os.ErrDeadlineExceeded; the zero time means never.
	SetReadDeadline(t time.Time) error
	// SetWriteDeadline is SetReadDeadline for Write.
	SetWriteDeadline(t time.Time) error
}

// drainer is a Line that can tell when what was written has left.
type drainer interface {
	// Drain waits until the last bit has left.
	Drain() error
}

// flusher is a Line that can forget what it has received.
type flusher interface {
	// Flush discards what was received and not read.
	Flush() error
}

// pause waits for the time given or the end of ctx. The timer is the caller's,
// stopped, and is stopped again on return.
func pause(ctx context.Context, timer *time.Timer, wait time.Duration) {
	if wait <= 0 {
		return
	}
	timer.Reset(wait)
	select {
	case <-ctx.Done():
		timer.Stop()
	case <-timer.C:
	}
}

// expired reports whether err says that a deadline has passed.
func expired(err error) bool { return errors.Is(err, os.ErrDeadlineExceeded) }
