package mqtt

import (
	"context"
	"fmt"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"

	"sluice/drivers"
)

const (
	roomEvery = 20 * time.Millisecond  // how often to ask for room
	roomBlind = 100 * time.Millisecond // how long to wait when there is nobody to ask
	goodbye   = 750 * time.Millisecond // for the last acknowledgements and DISCONNECT; then the socket is closed
	farewell  = 10 * time.Second       // for the library to end its goroutines once the socket is closed
)

// connection is one connection to the broker: a client of the library that is
// used once, the messages it receives and the acknowledgements it owes.
type connection struct {
	*Driver
	out     outlet
	client  paho.Client
	owed    *owed
	wire    *wire       // set by dial
	dialErr error       // set by dial
	unguard func() bool // ends the guard that closes the wire with the context

	stop         chan struct{} // closed by close, to end the acknowledger and replies
	acknowledged chan struct{} // closed by the acknowledger when it has ended
	replies      *replies
	replied      chan struct{} // closed by the goroutine that publishes replies when it has ended

	lost     chan error    // the library, the acknowledger and replies send a reason each; 3, so that they need not wait
	panicked chan struct{} // closed by catch
	panic    sync.Once
	cause    *drivers.Panic // valid once panicked is closed

	handled atomic.Uint64 // messages of QoS 1 and 2 that receive has put in line or refused
	fresh   atomic.Bool   // a message of QoS 1 or 2 came that was not sent before
}

func newConnection(d *Driver, out outlet) *connection {
	return &connection{
		Driver:       d,
		out:          out,
		owed:         newOwed(),
		unguard:      func() bool { return true },
		stop:         make(chan struct{}),
		acknowledged: make(chan struct{}),
		replies:      newReplies(d.log, &d.dropped),
		replied:      make(chan struct{}),
		lost:         make(chan error, 3),
		panicked:     make(chan struct{}),
	}
}

// connect connects, and starts to receive and acknowledge when the broker still
// has the session. On error nothing is left of the connection; otherwise the
// caller calls serve.
func (c *connection) connect(ctx context.Context) error {
	opts, err := c.options(ctx)
	if err != nil {
		return err
	}
	c.client = paho.NewClient(opts)
	token := c.client.Connect().(*paho.ConnectToken)
	<-token.Done() // bounded by the time-out; the end of ctx closes the wire
	if err := token.Error(); err != nil {
		c.unguard()
		if c.dialErr != nil {
			err = c.dialErr
		}
		return fmt.Errorf("connect to %v: %w", c.broker, err)
	}
	if !token.SessionPresent() {
		c.unsure.take()
		c.forget()
		c.out.notes.SessionLost(c.name)
	}
	go func() {
		defer close(c.acknowledged)
		defer c.catch()
		a := acknowledger{wire: c.wire, owed: c.owed, unsure: c.unsure, notes: c.out.notes, handled: &c.handled, fresh: &c.fresh}
		// The library would not notice a socket closed behind its back.
		if err := a.run(c.stop); err != nil {
			c.lost <- err
		}
	}()
	go func() {
		defer close(c.replied)
		defer c.catch()
		if err := c.replies.run(c.wire, c.stop); err != nil {
			c.lost <- err
		}
	}()
	return nil
}

// serve subscribes and receives until ctx ends, the connection is lost, or
// something was refused and there is room again: then it returns true. Nothing
// is left of the connection when it returns.
func (c *connection) serve(ctx context.Context) (refused bool, err error) {
	c.renew()
	if err = c.subscribe(ctx); err == nil {
		c.unguard()
		c.serving.Store(c)
		c.status.Up(c.broker.String())
		refused, err = c.await(ctx)
		c.serving.Store(nil)
	}
	c.close()
	if c.cause != nil {
		panic(c.cause)
	}
	return refused, err
}

// await returns when the connection is to end: nil and false when ctx has ended
// or receive has panicked.
func (c *connection) await(ctx context.Context) (refused bool, err error) {
	refusal := c.owed.refusal
	var ask <-chan time.Time // ticks after the refusal
	var since time.Time
	for {
		select {
		case <-ctx.Done():
			return false, nil
		case <-c.panicked:
			return false, nil
		case err := <-c.lost:
			return false, &lostError{c.broker, err}
		case <-c.updated:
			if err := c.resubscribe(ctx); err != nil {
				return false, err
			}
		case <-refusal:
			refusal, ask, since = nil, time.Tick(roomEvery), time.Now()
		case <-ask:
			if c.room(time.Since(since)) {
				return true, nil
			}
		}
	}
}

// room reports whether to try again, waited being the time since the refusal.
func (c *connection) room(waited time.Duration) bool {
	if c.out.room == nil {
		return waited >= roomBlind
	}
	return c.out.room.Room()
}

// close acknowledges what can be, disconnects, and waits until every goroutine
// of the connection has ended. It takes no longer than goodbye unless the
// library fails to end when its socket is closed.
func (c *connection) close() {
	late := time.AfterFunc(goodbye, func() { c.wire.Close() })
	defer late.Stop()
	c.unguard()
	close(c.stop)
	<-c.acknowledged
	<-c.replied
	c.client.Disconnect(uint(farewell / time.Millisecond))
	c.wire.Close()
	c.owed.close()
}

// catch keeps a panic of receive, which runs on the library's goroutine, or of
// the connection's own goroutines for serve to raise where drivers.Supervise recovers it.
func (c *connection) catch() {
	if p := recover(); p != nil {
		c.panic.Do(func() {
			c.cause = &drivers.Panic{Value: p, Stack: debug.Stack()}
			close(c.panicked)
		})
	}
}

// lostError says that a connection which had been made has ended.
type lostError struct {
	broker broker
	err    error
}

func (e *lostError) Error() string {
	return fmt.Sprintf("keep the connection to %v: %v", e.broker, e.err)
}

func (e *lostError) Unwrap() error { return e.err }
