package port

import (
	"errors"
	"fmt"
	"os"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// rs485 is the kernel's struct serial_rs485.
type rs485 struct {
	flags  uint32
	before uint32 // milliseconds
	after  uint32 // milliseconds
	_      [5]uint32
}

// The flags of struct serial_rs485.
const (
	rs485Enabled      = 1 << 0
	rs485RTSOnSend    = 1 << 1
	rs485RTSAfterSend = 1 << 2
	rs485RxDuringTx   = 1 << 4
)

// turnRound has the line turned round for every write as o says.
func (p *Port) turnRound(fd int, o RS485) error {
	switch o.Mode {
	case "kernel":
		if err := p.turnByKernel(fd, o); err != nil && !p.lacks(err) {
			return fmt.Errorf("switch to RS-485: %w (does the port's driver know it? else rs485.mode rts or none)", err)
		}
	case "rts":
		if err := p.turnByRTS(fd, o); err != nil && !p.lacks(err) {
			return fmt.Errorf("move RTS: %w (without it rs485.mode kernel or none is left)", err)
		}
	case "auto":
		err := p.turnByKernel(fd, o)
		if missing(err) {
			err = p.turnByRTS(fd, o)
		}
		if missing(err) {
			p.lacking = append(p.lacking, "rs485: neither the port's driver nor RTS turns the line round, which is left to the adapter")
			return nil
		}
		return err
	}
	return nil
}

// lacks reports whether err only says what no pty has.
func (p *Port) lacks(err error) bool { return p.pty && missing(err) }

func (p *Port) turnByKernel(fd int, o RS485) error {
	want := rs485{
		flags:  rs485Enabled | rs485RTSOnSend,
		before: uint32(o.DelayBefore.Milliseconds()),
		after:  uint32(o.DelayAfter.Milliseconds()),
	}
	if o.Invert {
		want.flags = rs485Enabled | rs485RTSAfterSend
	}
	if o.RxDuringTx {
		want.flags |= rs485RxDuringTx
	}
	if err := p.calls.point(fd, unix.TIOCSRS485, unsafe.Pointer(&want)); err != nil {
		return err
	}
	if want.flags&rs485Enabled == 0 { // it says what it made of it
		return unix.ENOTTY
	}
	return nil
}

// turnByRTS prepares turning by hand: the line is ready to receive.
func (p *Port) turnByRTS(fd int, o RS485) error {
	if err := p.pin(fd, unix.TIOCM_RTS, o.Invert); err != nil {
		return err
	}
	p.turn = &o
	// A gateway that dies while it sends must not hold the line: the kernel
	// lets go of RTS then.
	return setHangUp(fd)
}

// pin sets or clears a modem line.
func (p *Port) pin(fd int, bit int32, on bool) error {
	request := uint(unix.TIOCMBIC)
	if on {
		request = unix.TIOCMBIS
	}
	return p.calls.point(fd, request, unsafe.Pointer(&bit))
}

// setHangUp makes the last close of the port let go of DTR and RTS.
func setHangUp(fd int) error {
	t, err := unix.IoctlGetTermios(fd, unix.TCGETS2)
	if err != nil {
		return err
	}
	t.Cflag |= unix.HUPCL
	return unix.IoctlSetTermios(fd, unix.TCSETS2, t)
}

// send turns the line round, writes all of b, waits until it has left, and turns
// the line back, whatever happens.
func (p *Port) send(b []byte) (n int, err error) {
	if err := p.talk(); err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, p.listen()) }()
	time.Sleep(p.turn.DelayBefore)
	if n, err = p.file.Write(b); err == nil {
		err = p.Drain()
	}
	if err != nil {
		// What is left must not be sent to a line that was turned back.
		_ = p.control(func(fd int) error { return unix.IoctlSetInt(fd, unix.TCFLSH, unix.TCOFLUSH) })
		return n, err
	}
	time.Sleep(p.turn.DelayAfter)
	return n, nil
}

// talk takes the line. After Close it does not.
func (p *Port) talk() error {
	p.turning.Lock()
	defer p.turning.Unlock()
	if p.closing {
		return os.ErrClosed
	}
	return p.control(func(fd int) error { return p.pin(fd, unix.TIOCM_RTS, !p.turn.Invert) })
}

// listen gives the line back. After Close it is back already.
func (p *Port) listen() error {
	p.turning.Lock()
	defer p.turning.Unlock()
	if p.closing {
		return nil
	}
	return p.control(func(fd int) error { return p.pin(fd, unix.TIOCM_RTS, p.turn.Invert) })
}
