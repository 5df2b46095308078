package serial

import (
	"errors"
	"os"
	"time"

	"sluice/drivers"
	"sluice/drivers/serial/port"
)

// session is an open line in use: whose turn it is, and what becomes of what is
// sent. One goroutine owns it, the one that Run runs on. Whatever it waits for,
// it listens meanwhile; closing the port ends every wait.
type session struct {
	*Driver
	conn    port.Conn
	emitter drivers.Emitter
	used    time.Time // when the last bit that was sent had left
	down    bool      // status knows that nobody answers
}

// glance is how long it takes to see whether something has come.
const glance = time.Millisecond

// unending is how long a request waits for a line that is never silent. A line
// with lanes for each direction may be like that, and takes it nevertheless.
const unending = 3 * time.Second

var (
	errSilent = errors.New("no answer came")
	errNobody = errors.New("no device answers")
)

// serve talks over an open line until it is lost.
func (s *session) serve() error {
	s.reader.begin()
	s.orders.begin(func() { _ = s.conn.SetReadDeadline(time.Unix(1, 0)) })
	defer s.orders.end()
	s.used = time.Now()
	s.schedule.begin(s.used)
	defer s.status.Rest()
	for {
		err := s.turn()
		s.counts.Skipped.Store(s.schedule.skipped)
		if err != nil {
			return err
		}
	}
}

// turn gives a command its turn, or else a poll, or listens until there is one.
func (s *session) turn() error {
	if o := s.orders.next(); o != nil {
		return s.obey(o)
	}
	t, at := s.schedule.next()
	now := time.Now()
	if t != nil && !at.After(now) {
		return s.poll(t)
	}
	if t == nil {
		at = time.Time{}
	}
	if err := s.reader.arm(s.conn, at); err != nil {
		return err
	}
	if s.orders.waiting() { // it came before the line was armed, and is not told again
		return nil
	}
	return s.reader.read(s.conn, s.emitter)
}

// listen takes in what comes until a time, or until the frame has come that is
// waited for.
func (s *session) listen(until time.Time) error {
	for !s.reader.wanted.came && time.Now().Before(until) {
		if err := s.reader.arm(s.conn, until); err != nil {
			return err
		}
		if err := s.reader.read(s.conn, s.emitter); err != nil {
			return err
		}
	}
	return nil
}

// silence waits until nobody has been heard for the gap, and looks a last time
// then: what came may wait in the kernel when this program was kept waiting.
func (s *session) silence() error {
	limit := time.Now().Add(unending)
	for {
		from := later(s.used, s.reader.last)
		until := later(from.Add(s.gap), time.Now().Add(glance))
		if err := s.listen(until); err != nil {
			return err
		}
		if !s.reader.last.After(from) || time.Now().After(limit) {
			break
		}
	}
	s.settled()
	return nil
}

// send sends bytes and waits until the last bit has left.
func (s *session) send(b []byte, patience time.Duration) error {
	began, wire := time.Now(), s.line.Span(len(b))
	s.status.Within(wire + max(patience, time.Second))
	err := s.conn.SetWriteDeadline(began.Add(wire + max(patience, time.Second)))
	if err != nil && !errors.Is(err, os.ErrNoDeadline) {
		return err
	}
	if _, err := s.conn.Write(b); err != nil {
		return err
	}
	if err := s.conn.Drain(); err != nil {
		return err
	}
	s.used = later(time.Now(), began.Add(wire))
	return nil
}

// tell sends one step to a device, on a line that is silent, and waits for the
// frame that follows it.
func (s *session) tell(t *station, what *step, timeout time.Duration) error {
	w := &s.reader.wanted
	if what.waits {
		*w = wanted{station: t, begins: what.begins, use: what.use}
	}
	if err := s.send(what.text, timeout); err != nil || !what.waits {
		return err
	}
	if err := s.listen(s.used.Add(timeout)); err != nil {
		return err
	}
	if !w.came {
		s.settled()
	}
	return nil
}

// settled ends a frame that has begun, when nobody has been heard for so long
// that it cannot go on.
func (s *session) settled() {
	if time.Since(s.reader.last) >= max(leastGap, s.reader.gap) {
		s.reader.end(s.emitter)
	}
}

// poll asks a device once and settles what comes of it.
func (s *session) poll(t *station) error {
	s.schedule.start(t, time.Now())
	s.counts.Requests.Add(1)
	if t.tries > 0 {
		s.counts.Retries.Add(1)
	}
	what, err := s.ask(t)
	s.reader.wanted = wanted{}
	if err != nil {
		return err
	}
	was := t.demoted
	again := s.schedule.settle(t, what, time.Now())
	if what == silent && !again {
		s.reader.reject(s.emitter, t.device.Name, "timeout", errSilent)
	}
	s.note(t, what, was)
	return nil
}

// ask sends a device its steps until one is not answered.
func (s *session) ask(t *station) (outcome, error) {
	w := &s.reader.wanted
	for i := range t.steps {
		what := &t.steps[i]
		if err := s.silence(); err != nil {
			return silent, err
		}
		if err := s.tell(t, what, t.timeout); err != nil {
			return silent, err
		}
		switch {
		case what.waits && !w.came && w.damaged:
			return garbled, nil
		case what.waits && !w.came:
			return silent, nil
		case w.refused != nil:
			return refused, nil
		}
		*w = wanted{}
		if err := s.listen(time.Now().Add(what.pause)); err != nil {
			return silent, err
		}
	}
	return answered, nil
}

// note logs and counts what a poll has changed. was says that t was silent before.
func (s *session) note(t *station, what outcome, was bool) {
	switch {
	case !was && t.demoted:
		s.counts.Demoted.Add(1)
		s.log.Warn("device is silent", "device", t.device.Name, "unit", t.unit, "asked_every", s.schedule.demote.Probe)
	case was && !t.demoted:
		s.counts.Demoted.Add(-1)
		s.log.Info("device answers again", "device", t.device.Name, "unit", t.unit)
	}
	switch {
	case what == answered || what == refused:
		s.reached()
	case s.reader.talker == nil && s.schedule.quietAll():
		s.down = true
		s.status.Down(errNobody)
	}
}

// reached notes that somebody answers.
func (s *session) reached() {
	if s.down {
		s.down = false
		s.status.Up(s.path)
	}
}
