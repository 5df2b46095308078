package port

import (
	"io"
	"time"
)

// Conn is an open port, or what stands around one, such as a trace. Reads and
// writes may overlap, and Close may be called during both.
type Conn interface {
	io.Reader
	io.Writer
	// SetReadDeadline sets the time after which Read gives up with
	// os.ErrDeadlineExceeded, also a Read under way; the zero time means never.
	SetReadDeadline(t time.Time) error
	// SetWriteDeadline is SetReadDeadline for Write and Drain.
	SetWriteDeadline(t time.Time) error
	// Drain waits until the last bit of what was written has left.
	Drain() error
	// Flush forgets what was received and not read yet.
	Flush() error
	Close() error
}

var _ Conn = (*Port)(nil)
