package modbus

import (
	"context"
	"errors"
	"fmt"
	"time"

	"sluice/drivers/serial/port"
	"sluice/protocol/modbus"
)

// link carries one request after the other over a line. It is owned by one
// goroutine.
//
// By TCP an answer has the number of its request. On a serial line it has only
// unit, function and length, so that an answer which comes after its timeout
// could be taken for that to the next request. Against this the schedule asks
// the unit nothing for another timeout, what came meanwhile is thrown away, and
// of other units only their own frames count.
type link struct {
	line    Line
	timing  Timing
	timeout time.Duration // for an answer, beside its time on the wire
	stream  *modbus.Stream
	timer   *time.Timer // stopped while nobody waits

	transaction uint16    // of the latest request by TCP
	quiet       time.Time // from then on the line may be used
	doubt       time.Time // until then something may come that nobody asked for
	out         []byte    // the request's frame
	heard       []byte    // what came since, for telling what went wrong
	foreign     bool      // another unit has answered
	in          [512]byte
}

// settle is how long a line is quiet behind an answer that is whole, also when
// an adapter delivers it in lumps.
const settle = 50 * time.Millisecond

// lateness is how long after a request that was not answered something may
// still come.
const lateness = 30 * time.Second

// newLink returns a link over a line that was just opened.
func newLink(line Line, c *Config) *link {
	l := &link{line: line, timing: c.Timing(), timeout: c.patience()}
	l.quiet = time.Now().Add(l.timing.Gap)
	switch l.timing.framing {
	case framedTCP:
		l.stream = modbus.NewTCP(modbus.Responses)
	case framedASCII:
		l.stream = modbus.NewASCII()
	default:
		l.stream = modbus.NewRTU(modbus.Responses)
	}
	l.timer = time.NewTimer(time.Hour)
	l.timer.Stop()
	l.out, l.heard = make([]byte, 0, 600), make([]byte, 0, 1200)
	return l
}

// The defaults of Config.Timeout.
const (
	timeoutLine = 300 * time.Millisecond
	timeoutTCP  = time.Second
)

// patience returns how long an answer may take, beside its time on the wire.
func (c *Config) patience() time.Duration {
	switch {
	case c.Timeout != 0:
		return c.Timeout
	case c.URL != "":
		return timeoutTCP
	}
	return timeoutLine
}

// ask sends a request to a unit and waits for the answer, which may be an
// exception and is valid until the next call. pdu is the request's. The error is
// a failure when the unit has not answered properly, and wraps errLost when the
// line cannot be used any more.
func (l *link) ask(ctx context.Context, address uint8, q *modbus.Request, pdu []byte) (modbus.Response, error) {
	if err := l.silence(ctx); err != nil {
		return modbus.Response{}, lost(err)
	}
	l.frame(address, pdu)
	l.forget(address, q.Function)
	sent, err := l.send(l.timing.Wire(len(pdu)))
	if err != nil {
		return modbus.Response{}, lost(err)
	}
	r, err := l.receive(ctx, address, q, sent)
	if err != nil {
		l.doubt = time.Now().Add(lateness)
	}
	return r, err
}

// forget makes the link look for the answer alone. What a connection by TCP has
// begun to send is told by its head, so that the rest of it may still come.
func (l *link) forget(address uint8, f modbus.Function) {
	l.heard, l.foreign = l.heard[:0], false
	if l.timing.framing != framedTCP {
		l.stream.Reset()
		l.stream.Expect(address, f)
		return
	}
	for _, more := l.stream.Next(); more; _, more = l.stream.Next() {
		continue // an answer that nobody waits for any more
	}
}

// lost marks an error of the line.
func lost(err error) error { return fmt.Errorf("%w: %w", errLost, err) }

// silence waits until the line has been quiet for the gap, and forgets what came
// in unasked.
func (l *link) silence(ctx context.Context) error {
	if l.timing.framing == framedTCP {
		return ctx.Err()
	}
	if time.Now().Before(l.doubt) {
		if err := l.listen(); err != nil {
			return err
		}
	} else {
		pause(ctx, l.timer, time.Until(l.quiet))
	}
	if f, ok := l.line.(flusher); ok {
		if err := f.Flush(); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// glance is how long it takes to see whether something has come.
const glance = 2 * time.Millisecond

// listen discards what comes in until nothing has come for the gap. Of a line
// that is never quiet it has enough after a while.
func (l *link) listen() error {
	began := time.Now()
	until := maxTime(l.quiet, began.Add(glance))
	for time.Since(began) < l.timeout+settle {
		if _, err := l.read(until); err != nil {
			if expired(err) {
				return nil
			}
			return err
		}
		until = time.Now().Add(max(l.timing.Gap, glance))
	}
	return nil
}

// frame builds the frame of a request.
func (l *link) frame(address uint8, pdu []byte) {
	switch l.timing.framing {
	case framedTCP:
		l.transaction++
		l.out = modbus.AppendTCP(l.out[:0], l.transaction, address, pdu)
	case framedASCII:
		l.out = modbus.AppendASCII(l.out[:0], address, pdu)
	default:
		l.out = modbus.AppendRTU(l.out[:0], address, pdu)
	}
}

// send writes the frame and returns when its last bit has left.
func (l *link) send(wire time.Duration) (time.Time, error) {
	began := time.Now()
	if err := l.line.SetWriteDeadline(began.Add(wire + l.timeout)); err != nil {
		return began, err
	}
	if _, err := l.line.Write(l.out); err != nil {
		return began, err
	}
	if d, ok := l.line.(drainer); ok {
		if err := d.Drain(); err != nil {
			return began, err
		}
	}
	sent := began.Add(wire)
	if now := time.Now(); now.After(sent) {
		sent = now
	}
	return sent, nil
}

// receive waits for the answer to a request that was sent.
func (l *link) receive(ctx context.Context, address uint8, q *modbus.Request, sent time.Time) (modbus.Response, error) {
	wire := l.timing.Wire(q.ResponseLength())
	deadline := sent.Add(l.timeout + wire)
	whole := l.timing.framing.bytes(q.ResponseLength())
	before := l.stream.Stats()
	for {
		n, err := l.read(deadline)
		now := time.Now()
		l.note(l.in[:n], now)
		l.stream.Feed(l.in[:n])
		if r, ok := l.find(address, q); ok {
			return r, nil
		}
		switch {
		case err == nil:
		case errors.Is(err, port.ErrEcho):
			return modbus.Response{}, failedEcho
		case !expired(err):
			return modbus.Response{}, lost(err)
		default:
			return l.giveUp(address, q, before)
		}
		if l.stream.Stats().Bad > before.Bad {
			deadline = minTime(deadline, now.Add(max(l.timing.Gap, settle)))
		}
		pause(ctx, l.timer, min(l.rest(whole), deadline.Sub(now)))
	}
}

// rest returns how long the rest of an answer takes of which a part has come, so
// that looking earlier would be in vain. Until it is longer than an exception it
// may be one.
func (l *link) rest(whole int) time.Duration {
	held := l.stream.Held()
	if held == 0 {
		return 0
	}
	if exception := l.timing.framing.bytes(2); held < exception {
		whole = exception
	}
	return l.timing.Char * time.Duration(whole-held)
}

// read reads what has come until the deadline.
func (l *link) read(deadline time.Time) (int, error) {
	if err := l.line.SetReadDeadline(deadline); err != nil {
		return 0, err
	}
	return l.line.Read(l.in[:])
}

// note keeps what came for telling later what was wrong with it.
func (l *link) note(p []byte, now time.Time) {
	if len(p) > 0 {
		l.quiet = now.Add(l.timing.Gap)
	}
	l.heard = append(l.heard, p[:min(len(p), cap(l.heard)-len(l.heard))]...)
}

// find looks for the answer in what came. A frame that answers something else
// is passed over.
func (l *link) find(address uint8, q *modbus.Request) (modbus.Response, bool) {
	for f, ok := l.stream.Next(); ok; f, ok = l.stream.Next() {
		if l.timing.framing == framedTCP && f.Transaction != l.transaction {
			continue
		}
		if f.Unit != address {
			l.foreign = true
			continue
		}
		r, err := modbus.ParseResponse(f.PDU)
		if err != nil || r.Function != q.Function {
			continue
		}
		if r.Exception != 0 || r.Answers(q) == nil {
			return r, true
		}
	}
	return modbus.Response{}, false
}

// giveUp looks a last time, with the line quiet, and says what was wrong.
func (l *link) giveUp(address uint8, q *modbus.Request, before modbus.Stats) (modbus.Response, error) {
	l.quiet = time.Now().Add(l.timing.Gap)
	if l.timing.framing == framedTCP {
		switch {
		case l.stream.Stats().Skipped > before.Skipped:
			return modbus.Response{}, lost(errors.New("the server sends what is no modbus frame"))
		case l.foreign:
			return modbus.Response{}, failedUnit
		}
		return modbus.Response{}, failedTimeout
	}
	l.stream.Idle()
	if r, ok := l.find(address, q); ok {
		return r, nil
	}
	return modbus.Response{}, l.diagnose(address, l.stream.Stats().Bad > before.Bad)
}

// diagnose says what was wrong with what came.
func (l *link) diagnose(address uint8, bad bool) failure {
	if len(l.heard) == 0 {
		return failedTimeout
	}
	if bad {
		return failedChecksum
	}
	var f modbus.Frame
	var err error
	if l.timing.framing == framedASCII {
		f, err = modbus.ParseASCII(nil, l.heard)
	} else {
		f, err = modbus.ParseRTU(l.heard)
	}
	switch n := modbus.RTULength(modbus.Responses, l.heard); {
	case err == nil && f.Unit != address:
		return failedUnit
	case err == nil:
		return failedTimeout // late for an earlier request
	case l.timing.framing == framedRTU && l.heard[0] == address && (n == 0 || n > len(l.heard)):
		return failedTruncated
	case l.timing.framing == framedASCII && l.heard[len(l.heard)-1] != '\n':
		return failedTruncated
	}
	return failedChecksum
}
