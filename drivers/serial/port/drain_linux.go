package port

import (
	"errors"
	"os"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// The shortest and the longest sleep of a wait for bytes to leave.
const (
	shortNap = 200 * time.Microsecond
	longNap  = 20 * time.Millisecond
)

// transmitterEmpty is TIOCSER_TEMT: the last bit has left.
const transmitterEmpty = 1

// Drain waits until the last bit of what was written has left the port. It
// gives up as Write does, at the write deadline. From a pty bytes leave at once.
func (p *Port) Drain() error {
	if p.pty {
		return p.control(func(int) error { return nil })
	}
	for {
		waiting, err := p.waiting()
		if err != nil {
			return gone(err)
		}
		if waiting == 0 {
			return gone(p.empty())
		}
		if p.late() {
			return os.ErrDeadlineExceeded
		}
		time.Sleep(min(max(p.span(waiting), shortNap), longNap))
	}
}

// waiting returns the bytes that the kernel has yet to give to the device.
func (p *Port) waiting() (int, error) {
	var n int32
	err := p.control(func(fd int) error { return p.calls.point(fd, unix.TIOCOUTQ, unsafe.Pointer(&n)) })
	return int(n), err
}

// empty waits until the device has sent what it was given, at most a few dozen
// bytes.
func (p *Port) empty() error {
	for {
		var state int32
		err := p.control(func(fd int) error { return p.calls.point(fd, unix.TIOCSERGETLSR, unsafe.Pointer(&state)) })
		switch {
		case missing(err):
			return p.wait()
		case err != nil:
			return err
		case state&transmitterEmpty != 0:
			return nil
		case p.late():
			return os.ErrDeadlineExceeded
		}
		time.Sleep(max(p.span(1)/4, shortNap))
	}
}

// wait lets the kernel wait, which holds a thread and is less exact: a driver
// that cannot say when the device is empty may know how long it takes.
func (p *Port) wait() error {
	for {
		err := p.control(func(fd int) error { return p.calls.value(fd, unix.TCSBRK, 1) })
		if !errors.Is(err, unix.EINTR) { // the runtime signals its threads
			return err
		}
	}
}

// late reports whether the write deadline has passed.
func (p *Port) late() bool {
	until := p.until.Load()
	return until != 0 && int64(time.Since(p.opened)) >= until
}

// span returns how long n characters take on the wire.
func (p *Port) span(n int) time.Duration { return p.settings.Span(n) }
