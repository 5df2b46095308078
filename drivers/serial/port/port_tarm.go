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
// called during both.
type Port struct {
	line   *serial.Port
	closed atomic.Bool
}

// slice is how long one read of the library waits. Close waits for it, and a
// device that is gone cannot be told from a silent one.
const slice = 100 * time.Millisecond

// Open opens the port at path and sets its line.
func Open(path string, line Line) (*Port, error) {
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
	return &Port{line: p}, nil
}

// Read reads at least one byte. It gives up with os.ErrClosed after Close and
// with ErrGone.
func (p *Port) Read(b []byte) (int, error) {
	for !p.closed.Load() {
		n, err := p.line.Read(b)
		if n > 0 {
			return n, nil
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return 0, fmt.Errorf("%w: %w", ErrGone, err)
		}
	}
	return 0, os.ErrClosed
}

// Write writes all of b.
func (p *Port) Write(b []byte) (int, error) {
	n, err := p.line.Write(b)
	if err != nil {
		return n, fmt.Errorf("%w: %w", ErrGone, err)
	}
	return n, nil
}

// SetReadDeadline returns os.ErrNoDeadline.
func (p *Port) SetReadDeadline(time.Time) error { return os.ErrNoDeadline }

// SetWriteDeadline returns os.ErrNoDeadline.
func (p *Port) SetWriteDeadline(time.Time) error { return os.ErrNoDeadline }

// Close lets go of the port and ends any Read under way within a tenth of a
// second.
func (p *Port) Close() error {
	if p.closed.Swap(true) {
		return os.ErrClosed
	}
	return p.line.Close()
}
