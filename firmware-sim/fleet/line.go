package fleet

import (
	"errors"
	"os"
	"time"

	"sluice/firmware-sim/ledger"
	"sluice/firmware-sim/wire"
	"sluice/firmware-sim/wire/pty"
	"sluice/protocol"
	"sluice/protocol/frame"
	"sluice/protocol/payload"
)

const (
	settle   = 500 * time.Millisecond // after the port was opened: the gateway sets the line and flushes
	unread   = time.Second            // what was written so shortly before the port was closed may be lost
	look     = 20 * time.Millisecond  // how often a full line is tried again
	lineLoad = 0.8                    // the part of a line's capacity that a device uses at most
	lull     = 3                      // gaps for which a line is quiet where they end a frame
)

// line is one device at a serial port. It speaks while somebody has the port
// open.
type line struct {
	fleet *Fleet
	port  port
	tty   *pty.Pty
	late  []written // the lines of the last second
}

// written is a line that went out.
type written struct {
	at  time.Time
	ref ledger.Ref
}

// checkFrame finds a framing that is not simulated: frames that are what the
// device sends, and those of devices of another kind.
func checkFrame(c frame.Config, p *payload.Profile) error {
	kind := ""
	switch {
	case c.Fixed != nil:
		kind = "fixed"
	case c.Prefixed != nil:
		kind = "prefixed"
	case c.DSMR != nil:
		kind = "dsmr"
	case c.MBus != nil:
		kind = "mbus"
	case c.VEDirect != nil:
		kind = "vedirect"
	case c.ModbusRTU != nil:
		kind = "modbus_rtu"
	case c.NMEA != nil && p.Decode.NMEA == nil:
		kind = "nmea"
	}
	if kind == "" {
		return nil
	}
	return &wire.Unknown{What: "frame " + kind + " with decode " + p.Decode.Kind()}
}

// run talks until t ends.
func (l *line) run(t *talk) error {
	for {
		err := l.tty.WaitOpened(t)
		if errors.Is(err, os.ErrClosed) {
			return err
		}
		if err != nil || !sleep(t, settle) {
			return nil
		}
		l.fleet.opened.Add(1)
		err = l.talk(t)
		l.fleet.opened.Add(-1)
		if err != nil || t.Err() != nil {
			return err
		}
	}
}

// talk writes lines until t ends or the port is closed at the other end.
func (l *line) talk(t *talk) error {
	p := newPace(l.fleet.play.LineRate, time.Now())
	for sleep(t, p.wait(time.Now())) {
		if !l.tty.Opened() {
			l.doubt()
			return nil
		}
		if !l.port.device.Due(protocol.At(time.Now())) {
			p.done()
			continue
		}
		if !l.fleet.take(t) {
			return nil
		}
		s, ref := l.fleet.next(l.port.device)
		text := frame.Append(l.port.frame, nil, s.Payload)
		n, err := l.write(t, text)
		switch {
		case err == nil:
			l.note(ref)
		case n == 0:
			l.fleet.unsend(ref)
		}
		if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
			return err
		}
		p.done()
		p.atLeast(time.Duration(float64(len(text))/(l.port.rate*lineLoad)*float64(time.Second)) + lull*l.port.frame.Gap())
	}
	return nil
}

// write writes the whole text, waiting for the reader as long as t lasts, and a
// little longer for a line that is begun.
func (l *line) write(t *talk, text []byte) (int, error) {
	n := 0
	for until := time.Now().Add(unread); ; {
		if err := l.tty.SetWriteDeadline(time.Now().Add(look)); err != nil {
			return n, err
		}
		wrote, err := l.tty.Write(text[n:])
		n += wrote
		if !errors.Is(err, os.ErrDeadlineExceeded) {
			return n, err
		}
		if t.Err() != nil && (n == 0 || time.Now().After(until)) || !l.tty.Opened() {
			return n, err
		}
	}
}

// note confirms a line and remembers it for a while.
func (l *line) note(ref ledger.Ref) {
	l.fleet.confirm(ref)
	now := time.Now()
	for len(l.late) > 0 && now.Sub(l.late[0].at) > unread {
		l.late = l.late[1:]
	}
	l.late = append(l.late, written{now, ref})
}

// doubt takes back the confirmation of what the other end may not have read
// before it closed the port.
func (l *line) doubt() {
	now := time.Now()
	for _, w := range l.late {
		if now.Sub(w.at) <= unread {
			l.fleet.doubt(w.ref)
		}
	}
	l.late = nil
}

// sleep waits for d and reports whether t still lasts.
func sleep(t *talk, d time.Duration) bool {
	if d == 0 {
		return t.Err() == nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-t.Done():
		return false
	}
}
