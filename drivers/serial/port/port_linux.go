package port

import (
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tarm/serial"
	"golang.org/x/sys/unix"
)

// Port is an open serial port. Reads and writes may overlap, and Close may be
// called during both.
type Port struct {
	file      *os.File     // all I/O; holds the lock
	line      *serial.Port // set the line; open, never read or written
	settings  Line
	pty       bool
	exclusive bool     // TIOCEXCL is set
	calls     calls    // for what not every port has
	lacking   []string // see Lacks

	opened time.Time
	until  atomic.Int64 // the write deadline, in nanoseconds since opened; 0: none

	echo *echo // nil: the line gives none

	writing sync.Mutex // one Write at a time on a line with echo or turns
	turn    *RS485     // how to move RTS around writes; nil: nobody has to
	turning sync.Mutex // guards closing, and RTS
	closing bool       // RTS is not to be touched any more
}

// Lacks returns what the options want and this port does not have, for the log:
// it works without. It never changes.
func (p *Port) Lacks() []string { return p.lacking }

// Read reads at least one byte. It gives up with os.ErrDeadlineExceeded at the
// read deadline, with os.ErrClosed after Close, with ErrGone, and with ErrEcho
// when what should be the echo of a Write is not: then it may be called again.
func (p *Port) Read(b []byte) (int, error) {
	for {
		n, err := p.file.Read(b)
		if n > 0 && p.echo != nil {
			if n, err = p.echo.strip(b[:n]); n == 0 && err == nil {
				continue
			}
		}
		return n, gone(err)
	}
}

// Write writes all of b to the kernel's buffer, which is not the wire yet, see
// Drain; where this program turns the line round, Write waits for the wire. It
// gives up as Read does, at the write deadline.
func (p *Port) Write(b []byte) (n int, err error) {
	if p.echo == nil && p.turn == nil {
		n, err = p.file.Write(b)
		return n, gone(err)
	}
	p.writing.Lock()
	defer p.writing.Unlock()
	if p.echo != nil {
		if err := p.echo.expect(b); err != nil {
			return 0, err
		}
		defer func() { p.echo.cancel(len(b) - n) }()
	}
	if p.turn != nil {
		n, err = p.send(b)
	} else {
		n, err = p.file.Write(b)
	}
	return n, gone(err)
}

// Flush forgets what was received and not read yet, and what is still owed as
// echo.
func (p *Port) Flush() error {
	err := p.control(func(fd int) error { return unix.IoctlSetInt(fd, unix.TCFLSH, unix.TCIFLUSH) })
	if p.echo != nil {
		p.echo.forget()
	}
	return gone(err)
}

// SetReadDeadline sets the time after which Read gives up, also a Read under
// way; the zero time means never.
func (p *Port) SetReadDeadline(t time.Time) error { return p.file.SetReadDeadline(t) }

// SetWriteDeadline is SetReadDeadline for Write and Drain.
func (p *Port) SetWriteDeadline(t time.Time) error {
	until := int64(0)
	if !t.IsZero() {
		until = max(1, int64(t.Sub(p.opened)))
	}
	p.until.Store(until)
	return p.file.SetWriteDeadline(t)
}

// Close lets go of the port and ends any Read or Write under way. What was not
// sent yet is discarded, since a line that takes nothing would hold Close up.
func (p *Port) Close() error {
	_ = p.control(p.release) // a port that is gone has nothing to release
	err := p.file.Close()
	if p.line != nil {
		err = errors.Join(err, p.line.Close())
	}
	return err
}

// release undoes what a close does not.
func (p *Port) release(fd int) error {
	err := unix.IoctlSetInt(fd, unix.TCFLSH, unix.TCOFLUSH)
	if p.turn != nil {
		p.turning.Lock()
		p.closing = true
		err = errors.Join(err, p.pin(fd, unix.TIOCM_RTS, p.turn.Invert))
		p.turning.Unlock()
	}
	if p.exclusive {
		err = errors.Join(err, unix.IoctlSetInt(fd, unix.TIOCNXCL, 0))
	}
	return err
}

// control calls f with the descriptor, which Fd would make blocking. After Close
// it returns os.ErrClosed.
func (p *Port) control(f func(fd int) error) error {
	raw, err := p.file.SyscallConn()
	if err != nil {
		return err
	}
	var failed error
	if raw.Control(func(fd uintptr) { failed = f(int(fd)) }) != nil {
		return os.ErrClosed // its only error, in words that nothing can be compared with
	}
	return failed
}

// gone marks the errors that mean the device is not there any more.
func gone(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, io.EOF):
		return ErrGone
	case errors.Is(err, unix.EIO), errors.Is(err, unix.ENODEV), errors.Is(err, unix.ENXIO):
		return fmt.Errorf("%w: %w", ErrGone, err)
	}
	return err
}
