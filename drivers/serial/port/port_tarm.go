//go:build windows || (!linux && cgo)

package port

import (
	"errors"
	"fmt"
	"io"
	"os"
	"sync/atomic"
	"time"

	"github.com/tarm/serial"
)

// Port is an open serial port. Reads and writes may overlap, and Close may be
// called during both. Here it is tarm/serial alone: nobody is kept from opening
// the port too, a device that is gone is told late, and writes have no deadline.
type Port struct {
	line     *serial.Port
	settings Line
	echo     *echo // nil: the line gives none
	opened   time.Time
	until    atomic.Int64 // the read deadline, in nanoseconds since opened; 0: none
	sent     atomic.Int64 // when all is sent that was written, in nanoseconds since opened
	closed   atomic.Bool
}

// slice is how long one read of the library waits. Close waits for it, and a
// device that is gone cannot be told from a silent one.
const slice = 100 * time.Millisecond

// Open opens the port at path and sets its line. An option that only Linux
// serves is an error, errors.ErrUnsupported.
func Open(path string, line Line, opts Options) (*Port, error) {
	if err := opts.portable(); err != nil {
		return nil, fmt.Errorf("open port %s: %w", path, err)
	}
	p, err := serial.OpenPort(&serial.Config{
		Name:        path,
		Baud:        line.Baud,
		ReadTimeout: slice,
		Size:        byte(line.Data),
		Parity:      serial.Parity(line.Parity),
		StopBits:    serial.StopBits(line.Stop),
	})
	if err != nil {
		return nil, fmt.Errorf("open port %s: %w", path, err)
	}
	opened := &Port{line: p, settings: line, opened: time.Now()}
	if opts.Echo {
		opened.echo = &echo{}
	}
	return opened, nil
}

// Lacks returns what a port has on Linux and not here, for the log.
func (p *Port) Lacks() []string {
	return []string{"exclusive use, low_latency and write deadlines are served on Linux alone"}
}

// Read reads at least one byte. It gives up with os.ErrDeadlineExceeded up to a
// tenth of a second after the read deadline, with os.ErrClosed after Close, with
// ErrGone, and with ErrEcho when what should be the echo of a Write is not.
func (p *Port) Read(b []byte) (int, error) {
	for !p.closed.Load() {
		n, err := p.line.Read(b)
		if n > 0 && p.echo != nil {
			if n, err = p.echo.strip(b[:n]); errors.Is(err, ErrEcho) {
				return 0, err
			}
		}
		if n > 0 {
			return n, nil
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return 0, fmt.Errorf("%w: %w", ErrGone, err)
		}
		if until := p.until.Load(); until != 0 && int64(time.Since(p.opened)) >= until {
			return 0, os.ErrDeadlineExceeded
		}
	}
	return 0, os.ErrClosed
}

// Write writes all of b.
func (p *Port) Write(b []byte) (int, error) {
	if p.echo != nil {
		if err := p.echo.expect(b); err != nil {
			return 0, err
		}
	}
	n, err := p.line.Write(b)
	if p.echo != nil {
		p.echo.cancel(len(b) - n)
	}
	now := int64(time.Since(p.opened))
	p.sent.Store(max(now, p.sent.Load()) + int64(p.settings.Span(n)))
	if err != nil {
		return n, fmt.Errorf("%w: %w", ErrGone, err)
	}
	return n, nil
}

// SetReadDeadline sets the time after which Read gives up; the zero time means
// never.
func (p *Port) SetReadDeadline(t time.Time) error {
	until := int64(0)
	if !t.IsZero() {
		until = max(1, int64(t.Sub(p.opened)))
	}
	p.until.Store(until)
	return nil
}

// SetWriteDeadline returns os.ErrNoDeadline.
func (p *Port) SetWriteDeadline(time.Time) error { return os.ErrNoDeadline }

// Drain waits as long as what was written takes on the wire.
func (p *Port) Drain() error {
	time.Sleep(time.Duration(p.sent.Load() - int64(time.Since(p.opened))))
	if p.closed.Load() {
		return os.ErrClosed
	}
	return nil
}

// Flush forgets what was received and not read yet.
func (p *Port) Flush() error {
	if p.echo != nil {
		p.echo.forget()
	}
	return p.line.Flush()
}

// Close lets go of the port and ends any Read under way within a tenth of a
// second.
func (p *Port) Close() error {
	if p.closed.Swap(true) {
		return os.ErrClosed
	}
	return p.line.Close()
}
