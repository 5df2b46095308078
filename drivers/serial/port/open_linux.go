package port

import (
	"fmt"
	"os"
	"time"

	"github.com/tarm/serial"
	"golang.org/x/sys/unix"
)

// opening holds a token for each port that is being opened: openers send and
// receive, nobody closes it. The kernel opens one after the other, and threads
// that wait for its lock, of as many ports as there are, would stay for ever. It
// is the program's, as the lock is the kernel's.
var opening = make(chan struct{}, 2)

// mostOpening is how long an opener waits for its turn: where devices hang while
// they are opened the others go on.
const mostOpening = 500 * time.Millisecond

// takeTurn waits for a turn at opening a port, and returns what ends it.
func takeTurn() (end func()) {
	patience := time.NewTimer(mostOpening)
	defer patience.Stop()
	select {
	case opening <- struct{}{}:
		return func() { <-opening }
	case <-patience.C:
		return func() {}
	}
}

// Open opens the port at path for this program alone, sets its line as line and
// opts say, which are valid, and discards what came in before. The error is
// fs.ErrNotExist when there is no port, fs.ErrPermission when the user may not
// open it, ErrBusy when somebody else has it, ErrGone when its device is not
// there (errors.Is finds them), and says what the operator can do about it. Of
// opts a trace is not Open's business, see Keeper.
//
// The kernel turns DTR and RTS on as soon as a port is opened; where opts want
// them off they are so a moment later. They stay as they are when it is closed.
func Open(path string, line Line, opts Options) (*Port, error) {
	defer takeTurn()()
	// The lock comes before the line settings, so that somebody else's
	// conversation is not disturbed.
	file, err := os.OpenFile(path, os.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, explain(path, err)
	}
	p := &Port{file: file, settings: line, calls: kernel{}, opened: time.Now()}
	if err := p.setUp(path, line, opts); err != nil {
		_ = p.Close()
		return nil, explain(path, err)
	}
	return p, nil
}

func (p *Port) setUp(path string, line Line, opts Options) error {
	if err := p.control(func(fd int) (err error) {
		p.pty, err = claim(fd)
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
		// After the second open of the port, which moves DTR and RTS again.
		if err := p.apply(fd, opts); err != nil || p.pty {
			return err
		}
		if err := unix.IoctlSetInt(fd, unix.TIOCEXCL, 0); err != nil {
			return fmt.Errorf("reserve port: %w", err)
		}
		p.exclusive = true
		return unix.IoctlSetInt(fd, unix.TCFLSH, unix.TCIOFLUSH)
	})
}

// apply does what opts want and not every port can do.
func (p *Port) apply(fd int, opts Options) error {
	if err := p.turnRound(fd, opts.RS485); err != nil {
		return err
	}
	for _, pin := range []struct {
		name, state string
		bit         int32
	}{{"dtr", opts.DTR, unix.TIOCM_DTR}, {"rts", opts.RTS, unix.TIOCM_RTS}} {
		if pin.state != "on" && pin.state != "off" {
			continue
		}
		err := p.pin(fd, pin.bit, pin.state == "on")
		if err != nil && !missing(err) {
			return fmt.Errorf("set %s: %w", pin.name, err)
		}
		if err != nil && !p.pty {
			p.lacking = append(p.lacking, pin.name+": the port has no such line")
		}
	}
	if opts.LowLatency && !p.pty {
		if err := lowLatency(p.calls, fd, latencyTimer(fd)); err != nil {
			p.lacking = append(p.lacking, "low_latency: "+err.Error())
		}
	}
	if opts.Echo {
		p.echo = &echo{}
	}
	return nil
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
