package bus

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"syscall"
	"time"
)

// Line is what a bus is played on: a pty.Pty, a net.Conn, one end of a net.Pipe.
type Line interface {
	io.Reader
	io.Writer
	SetReadDeadline(time.Time) error
	SetWriteDeadline(time.Time) error
}

const (
	maxRead     = 4096
	maxHeard    = 4096                  // bytes of a request under way that the arbiter keeps
	split       = 50 * time.Millisecond // how long a request may stop in the middle, beyond the gap: masters are late, too
	splitASCII  = time.Second
	linePatient = 50 * time.Millisecond  // until what a master does not read is lost
	glance      = 200 * time.Microsecond // for what is received, also by a bus that is behind
	tcpPatient  = 5 * time.Second        // until a connection that is not read is ended
)

// conn is a line with a master at its other end. One goroutine serves it; the
// fields that several touch are guarded by the mutex of the bus.
type conn struct {
	bus     *Bus
	line    Line
	wire    *wire
	ear     ear
	patient time.Duration

	began time.Time // of the request under way
	until time.Time // when the last bit has arrived of what was received
	heard []byte    // received, and no request yet

	lump []byte          // what collect has found for the master
	done []*transmission // and what is whole with it
}

// Serve plays the bus on a line until ctx or the line ends. Several lines at
// once are several masters: on one wire, or with TCP each by itself. A net.Pipe
// makes a bus for testing/synctest.
func (b *Bus) Serve(ctx context.Context, line Line) error {
	c := b.attach(line)
	defer b.detach(c)
	woken := make(chan struct{}) // closed by what ctx wakes
	stop := context.AfterFunc(ctx, func() {
		defer close(woken)
		b.mu.Lock()
		defer b.mu.Unlock()
		c.wake()
	})
	defer func() {
		if !stop() {
			<-woken
		}
	}()
	return ended(c.play(ctx))
}

// ended returns nil for errors that say that the other end is gone.
func ended(err error) error {
	for _, end := range []error{io.EOF, io.ErrClosedPipe, os.ErrClosed, net.ErrClosed, syscall.ECONNRESET, syscall.EPIPE, os.ErrDeadlineExceeded} {
		if errors.Is(err, end) {
			return nil
		}
	}
	return err
}

// play reads and answers until ctx or the line ends.
func (c *conn) play(ctx context.Context) error {
	buf := make([]byte, maxRead)
	for {
		if err := c.deliver(time.Now()); err != nil {
			return err
		}
		if err := c.arm(ctx); err != nil || ctx.Err() != nil {
			return err
		}
		n, err := c.line.Read(buf)
		if n > 0 {
			now := time.Now()
			if err := c.deliver(now); err != nil { // what was due before the master spoke
				return err
			}
			c.hear(now, buf[:n])
		}
		if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
			return err
		}
	}
}

// arm makes Read return when there is something to do. Whatever changes that
// calls wake, under the same mutex.
func (c *conn) arm(ctx context.Context) error {
	b := c.bus
	b.mu.Lock()
	defer b.mu.Unlock()
	at := c.wire.due(c, b.options.Lump)
	if c.ear.held() > 0 {
		at = sooner(at, c.idleAt())
	}
	if b.conns[0] == c {
		at = sooner(at, b.unasked(time.Now()))
	}
	if ctx.Err() != nil {
		return nil
	}
	if !at.IsZero() {
		at = later(at, time.Now().Add(glance))
	}
	return refused(c.line.SetReadDeadline(at))
}

// refused returns the error of a line that knows no deadlines. That it is closed
// the next Read or Write says, and in a way that can be told.
func refused(err error) error {
	if errors.Is(err, os.ErrNoDeadline) {
		return err
	}
	return nil
}

// wake makes Read return at once.
func (c *conn) wake() { _ = c.line.SetReadDeadline(time.Unix(1, 0)) }

// idleAt returns when a request that was begun is given up.
func (c *conn) idleAt() time.Time {
	switch c.bus.options.Mode {
	case TCP:
		return time.Time{}
	case RTU:
		return c.until.Add(c.wire.gap + split)
	}
	return c.until.Add(splitASCII)
}

// collect does what is due by now, and puts into lump what has arrived for the
// master.
func (c *conn) collect(now time.Time) {
	b := c.bus
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.conns[0] == c {
		b.talk(c, now)
	}
	if idle := c.idleAt(); c.ear.held() > 0 && !idle.IsZero() && !now.Before(idle) {
		c.ear.idle()
		c.listen()
	}
	c.lump, c.done = c.wire.take(c, now, c.lump[:0], c.done[:0])
}

// deliver hands over what has arrived for the master by now.
func (c *conn) deliver(now time.Time) error {
	b := c.bus
	c.collect(now)
	if len(c.lump) == 0 {
		return nil
	}
	if port, ok := c.line.(interface{ Opened() bool }); ok && !port.Opened() {
		b.lose(c, len(c.lump))
		return nil
	}
	b.settle(c) // before: whoever has an answer finds it in the accounts
	n, err := c.write(c.lump)
	if n < len(c.lump) {
		b.lose(c, len(c.lump)-n)
	}
	return err
}

// write writes to the line and returns how many bytes the master got.
func (c *conn) write(p []byte) (int, error) {
	if err := refused(c.line.SetWriteDeadline(time.Now().Add(c.patient))); err != nil {
		return 0, err
	}
	n, err := c.line.Write(p)
	if errors.Is(err, os.ErrDeadlineExceeded) && c.patient < tcpPatient {
		return n, nil // a line does not wait for its reader
	}
	return n, err
}

// hear takes what a master has sent.
func (c *conn) hear(now time.Time, p []byte) {
	b := c.bus
	b.mu.Lock()
	defer b.mu.Unlock()
	start := later(now, c.until) // a port sends one byte after the other
	c.until = start.Add(c.wire.span(len(p)))
	mine := Interval{Start: start, End: c.until, Master: true, Bytes: p}
	if c.wire.judged && !c.wire.arrive(mine, len(c.heard) == 0) {
		mine.Faults.add(Collision)
		mine.Bytes = bytes.Clone(p)
		b.count(Collision, 0)
		b.stats.Skipped += int64(len(p))
		c.wire.note(mine)
		return
	}
	if len(c.heard) == 0 {
		c.began = start
	}
	c.heard = append(c.heard, p...)
	c.ear.feed(p)
	c.listen()
}

// listen answers the requests that were heard.
func (c *conn) listen() {
	for q, ok := c.ear.next(); ok; q, ok = c.ear.next() {
		held := min(c.ear.held(), len(c.heard))
		used := len(c.heard) - held
		heard := Interval{
			Start: c.began, End: c.until.Add(-c.wire.span(held)), Unit: q.unit(), Master: true,
			Bytes: bytes.Clone(c.heard[:used]),
		}
		c.wire.note(heard)
		c.bus.answer(c, q, heard)
		c.heard, c.began = c.heard[:copy(c.heard, c.heard[used:])], heard.End
		if held > 0 && c.wire.judged {
			c.wire.arrive(Interval{Start: c.began, End: c.until, Master: true, Bytes: c.heard}, true)
		}
	}
	if held := c.ear.held(); held == 0 || len(c.heard) > maxHeard {
		c.drop(max(0, len(c.heard)-held))
	}
}

// drop forgets bytes that became no request. They were on the line all the same.
func (c *conn) drop(n int) {
	if n == 0 {
		return
	}
	noise := Interval{Start: c.began, End: c.began.Add(c.wire.span(n)), Master: true, Bytes: bytes.Clone(c.heard[:n])}
	c.wire.note(noise)
	c.heard, c.began = c.heard[:copy(c.heard, c.heard[n:])], noise.End
}
