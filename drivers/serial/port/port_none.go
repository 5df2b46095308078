//go:build !windows && !linux && !cgo

package port

import (
	"errors"
	"os"
	"time"
)

// Port is an open serial port. There is none on this system without cgo.
type Port struct{}

// Open returns an error: tarm/serial needs cgo on this system.
func Open(path string, _ Line, _ Options) (*Port, error) {
	return nil, errors.New("open port " + path + ": serial ports need a build with cgo on this system")
}

// Lacks returns nothing.
func (p *Port) Lacks() []string { return nil }

// Read returns os.ErrClosed.
func (p *Port) Read([]byte) (int, error) { return 0, os.ErrClosed }

// Write returns os.ErrClosed.
func (p *Port) Write([]byte) (int, error) { return 0, os.ErrClosed }

// SetReadDeadline returns os.ErrNoDeadline.
func (p *Port) SetReadDeadline(time.Time) error { return os.ErrNoDeadline }

// SetWriteDeadline returns os.ErrNoDeadline.
func (p *Port) SetWriteDeadline(time.Time) error { return os.ErrNoDeadline }

// Drain returns os.ErrClosed.
func (p *Port) Drain() error { return os.ErrClosed }

// Flush returns os.ErrClosed.
func (p *Port) Flush() error { return os.ErrClosed }

// Close returns os.ErrClosed.
func (p *Port) Close() error { return os.ErrClosed }
