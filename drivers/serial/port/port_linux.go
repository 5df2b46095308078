package port

import (
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/tarm/serial"
	"golang.org/x/sys/unix"
)

// Port is an open serial port. Reads and writes may overlap, and Close may be
// called during both.
type Port struct {
	file      *os.File     // all I/O; holds the lock
	line      *serial.Port // set the line; open, never read or written
	exclusive bool         // TIOCEXCL is set
}

// Open opens the port at path for this program alone, sets its line, and
// discards what came in before. The error is fs.ErrNotExist when there is no
// port, fs.ErrPermission when the user may not open it, ErrBusy when somebody
// else has it, ErrGone when its device is not there (errors.Is finds them), and
// says what the operator can do about it.
func Open(path string, line Line) (*Port, error) {
	// The lock comes before the line settings, so that somebody else's
	// conversation is not disturbed.
	file, err := os.OpenFile(path, os.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, explain(path, err)
	}
	p := &Port{file: file}
	if err := p.setUp(path, line); err != nil {
		_ = p.Close()
		return nil, explain(path, err)
	}
	return p, nil
}

func (p *Port) setUp(path string, line Line) error {
	isPty := false
	if err := p.control(func(fd int) (err error) {
		isPty, err = claim(fd)
		return err
	}); err != nil {
		return err
	}
	var err error
	if p.line, err = serial.OpenPort(tarm(path, line)); err != nil {
		return fmt.Errorf("set line %v: %w", line, err)
	}
	return p.control(func(fd int) error {
		if !standard(line.Baud) {
			if err := setBaud(fd, line.Baud); err != nil {
				return fmt.Errorf("set line %v: %w", line, err)
			}
		}
		if isPty {
			return nil
		}
		if err := unix.IoctlSetInt(fd, unix.TIOCEXCL, 0); err != nil {
			return fmt.Errorf("reserve port: %w", err)
		}
		p.exclusive = true
		return unix.IoctlSetInt(fd, unix.TCFLSH, unix.TCIOFLUSH)
	})
}

// claim locks the port and reports whether it is a pty. A pty is treated
// differently: its exclusive mode would outlive this process and lock everybody
// out, and what came in before is no line noise, but was written by somebody
// who has seen that the port is open.
func claim(fd int) (isPty bool, err error) {
	if _, err := unix.IoctlGetTermios(fd, unix.TCGETS); err != nil {
		return false, err
	}
	if err := unix.Flock(fd, unix.LOCK_EX|unix.LOCK_NB); err != nil {
		return false, err
	}
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return false, err
	}
	const firstPty, lastPty = 136, 143 // UNIX98 slaves
	major := unix.Major(uint64(st.Rdev))
	return major >= firstPty && major <= lastPty, nil
}

// tarm returns line in tarm/serial's words, with some rate in the place of one
// that it does not know.
func tarm(path string, line Line) *serial.Config {
	c := &serial.Config{
		Name:     path,
		Baud:     line.Baud,
		Size:     byte(line.Data),
		Parity:   serial.Parity(line.Parity),
		StopBits: serial.StopBits(line.Stop),
	}
	if !standard(line.Baud) {
		c.Baud = 9600
	}
	return c
}

// Read reads at least one byte. It gives up with os.ErrDeadlineExceeded at the
// read deadline, with os.ErrClosed after Close, and with ErrGone.
func (p *Port) Read(b []byte) (int, error) {
	n, err := p.file.Read(b)
	return n, gone(err)
}

// Write writes all of b to the kernel's buffer, which is not the wire yet. It
// gives up as Read does, at the write deadline.
func (p *Port) Write(b []byte) (int, error) {
	n, err := p.file.Write(b)
	return n, gone(err)
}

// SetReadDeadline sets the time after which Read gives up, also a Read under
// way; the zero time means never.
func (p *Port) SetReadDeadline(t time.Time) error { return p.file.SetReadDeadline(t) }

// SetWriteDeadline is SetReadDeadline for Write.
func (p *Port) SetWriteDeadline(t time.Time) error { return p.file.SetWriteDeadline(t) }

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
	if p.exclusive {
		err = errors.Join(err, unix.IoctlSetInt(fd, unix.TIOCNXCL, 0))
	}
	return err
}

// control calls f with the descriptor. Fd would make it blocking.
func (p *Port) control(f func(fd int) error) error {
	raw, err := p.file.SyscallConn()
	if err != nil {
		return err
	}
	var failed error
	if err := raw.Control(func(fd uintptr) { failed = f(int(fd)) }); err != nil {
		return err
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
