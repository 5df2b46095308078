//go:build !linux

package pty

import (
	"context"
	"errors"
	"time"
)

// Pty is one pseudo terminal, held by its device end.
type Pty struct{}

var errLinux = errors.New("open pty: simulated serial ports need Linux")

// Open returns an error: simulated serial ports need Linux.
func Open(string) (*Pty, error) { return nil, errLinux }

// Port returns "".
func (p *Pty) Port() string { return "" }

// Link returns "".
func (p *Pty) Link() string { return "" }

// Read returns an error.
func (p *Pty) Read([]byte) (int, error) { return 0, errLinux }

// Write returns an error.
func (p *Pty) Write([]byte) (int, error) { return 0, errLinux }

// SetDeadline returns an error.
func (p *Pty) SetDeadline(time.Time) error { return errLinux }

// SetReadDeadline returns an error.
func (p *Pty) SetReadDeadline(time.Time) error { return errLinux }

// SetWriteDeadline returns an error.
func (p *Pty) SetWriteDeadline(time.Time) error { return errLinux }

// Opened returns false.
func (p *Pty) Opened() bool { return false }

// WaitOpened returns an error.
func (p *Pty) WaitOpened(context.Context) error { return errLinux }

// Unplug does nothing.
func (p *Pty) Unplug() error { return nil }

// Close does nothing.
func (p *Pty) Close() error { return nil }
