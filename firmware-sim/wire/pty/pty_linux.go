package pty

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Pty is one pseudo terminal, held by its device end. Its methods are safe for
// concurrent use.
type Pty struct {
	master *os.File
	port   string // /dev/pts/N
	link   string // "" for none

	closing sync.Once
	closed  error // what closing gave
}

// poll is how often WaitOpened looks whether somebody has opened the port: the
// kernel tells nobody about it.
const poll = 5 * time.Millisecond

// Open makes a pty in raw mode, owned by the user of this process, and points
// link to its port, as udev does with /dev/serial/by-id. The folder of link
// exists already; a symbolic link in its place is replaced. With link "" there
// is only the kernel's name, see Port.
func Open(link string) (*Pty, error) {
	// Without O_NONBLOCK the file would not know deadlines, and Close would
	// wait for ever for a pending Read.
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, fmt.Errorf("open pty: %w", err)
	}
	p := &Pty{master: master}
	if err := p.setUp(link); err != nil {
		_ = p.Close()
		return nil, fmt.Errorf("open pty: %w", err)
	}
	return p, nil
}

func (p *Pty) setUp(link string) error {
	if err := p.control(p.unlock); err != nil {
		return err
	}
	// The master says that nobody is there only after somebody has left.
	first, err := os.OpenFile(p.port, os.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK, 0)
	if err != nil {
		return err
	}
	if err := first.Close(); err != nil {
		return err
	}
	if link == "" {
		return nil
	}
	if err := point(link, p.port); err != nil {
		return err
	}
	p.link = link
	return nil
}

// unlock lets the port be opened, learns its name and makes it raw.
func (p *Pty) unlock(fd int) error {
	if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
		return fmt.Errorf("unlock: %w", err)
	}
	n, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err != nil {
		return fmt.Errorf("get number: %w", err)
	}
	p.port = "/dev/pts/" + strconv.Itoa(n)
	t, err := unix.IoctlGetTermios(fd, unix.TCGETS)
	if err != nil {
		return fmt.Errorf("get line settings: %w", err)
	}
	t.Iflag, t.Oflag, t.Lflag = 0, 0, 0
	t.Cflag = t.Cflag&^(unix.CSIZE|unix.PARENB) | unix.CS8
	t.Cc[unix.VMIN], t.Cc[unix.VTIME] = 1, 0
	if err := unix.IoctlSetTermios(fd, unix.TCSETS, t); err != nil {
		return fmt.Errorf("set raw mode: %w", err)
	}
	return nil
}

// point makes link lead to port in one step, so that nobody finds it missing
// or half made.
func point(link, port string) error {
	if was, err := os.Lstat(link); err == nil && was.Mode()&os.ModeSymlink == 0 {
		return fmt.Errorf("link %s: there is something else of that name", link)
	}
	fresh := filepath.Join(filepath.Dir(link), "."+filepath.Base(link)+"."+filepath.Base(port))
	if err := os.Symlink(port, fresh); err != nil {
		return err
	}
	if err := os.Rename(fresh, link); err != nil {
		return errors.Join(err, os.Remove(fresh))
	}
	return nil
}

// Port returns the kernel's name of the port, /dev/pts/N.
func (p *Pty) Port() string { return p.port }

// Link returns the stable name given to Open.
func (p *Pty) Link() string { return p.link }

// Read reads what was written to the port. While nobody has the port open it
// waits for somebody to come and write.
func (p *Pty) Read(b []byte) (int, error) {
	n, err := p.master.Read(b)
	if errors.Is(err, unix.EIO) { // nobody has it open
		return p.await(b)
	}
	return n, err
}

// await is Read while nobody has the port open: the kernel does not tell when
// that changes, but it does when bytes come.
func (p *Pty) await(b []byte) (n int, err error) {
	raw, err := p.master.SyscallConn()
	if err != nil {
		return 0, err
	}
	waited := raw.Read(func(fd uintptr) bool {
		// Not of x/sys: the race detector knows that what this reads comes
		// after what os.File wrote.
		n, err = syscall.Read(int(fd), b)
		for err == syscall.EINTR { // the runtime signals its threads
			n, err = syscall.Read(int(fd), b)
		}
		return err != syscall.EIO && err != syscall.EAGAIN
	})
	switch {
	case errors.Is(waited, os.ErrDeadlineExceeded):
		return 0, os.ErrDeadlineExceeded
	case waited != nil:
		return 0, os.ErrClosed // its only other error, in words that nothing can be compared with
	}
	return max(n, 0), err
}

// Write writes to the port. The kernel keeps some kilobytes until they are
// read, also while nobody has the port open; beyond them Write waits until the
// write deadline, and returns how many bytes it got rid of.
func (p *Pty) Write(b []byte) (int, error) { return p.master.Write(b) }

// SetDeadline sets the time after which Read and Write give up with
// os.ErrDeadlineExceeded; the zero time means never.
func (p *Pty) SetDeadline(t time.Time) error { return p.master.SetDeadline(t) }

// SetReadDeadline is SetDeadline for Read alone.
func (p *Pty) SetReadDeadline(t time.Time) error { return p.master.SetReadDeadline(t) }

// SetWriteDeadline is SetDeadline for Write alone.
func (p *Pty) SetWriteDeadline(t time.Time) error { return p.master.SetWriteDeadline(t) }

// Opened reports whether somebody has the port open. After Close nobody has.
func (p *Pty) Opened() bool {
	opened := false
	err := p.control(func(fd int) error {
		fds := []unix.PollFd{{Fd: int32(fd)}}
		_, err := unix.Poll(fds, 0)
		for err == unix.EINTR { // the runtime signals its threads
			_, err = unix.Poll(fds, 0)
		}
		opened = err == nil && fds[0].Revents&unix.POLLHUP == 0
		return err
	})
	return err == nil && opened
}

// WaitOpened waits until somebody has the port open. It returns os.ErrClosed
// after Close and ctx's error when ctx ends first.
func (p *Pty) WaitOpened(ctx context.Context) error {
	tick := time.NewTicker(poll)
	defer tick.Stop()
	for !p.Opened() {
		if err := p.control(func(int) error { return nil }); err != nil {
			return os.ErrClosed
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
	return nil
}

// Unplug takes the port away as pulling its plug does: whoever has it open sees
// a hang-up, what they have not read is lost, and the link is gone. Open with
// the same link plugs it in again. Unplug and Close are the same; only the
// first call does something.
func (p *Pty) Unplug() error {
	p.closing.Do(func() {
		var removed error
		if p.link != "" && p.leads() {
			removed = os.Remove(p.link)
		}
		p.closed = errors.Join(removed, p.master.Close())
	})
	return p.closed
}

// Close is Unplug.
func (p *Pty) Close() error { return p.Unplug() }

// leads reports whether the link is still this pty's own.
func (p *Pty) leads() bool {
	port, err := os.Readlink(p.link)
	return err == nil && port == p.port
}

// control calls f with the master's descriptor. Fd would make it blocking.
func (p *Pty) control(f func(fd int) error) error {
	raw, err := p.master.SyscallConn()
	if err != nil {
		return err
	}
	var failed error
	if err := raw.Control(func(fd uintptr) { failed = f(int(fd)) }); err != nil {
		return err
	}
	return failed
}
