package nats

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// Reconnecting: at once, then after a random time that grows up to slowest, so
// that a fleet of gateways does not return in one instant.
const (
	dialTimeout = 2 * time.Second
	fastest     = 100 * time.Millisecond
	slowest     = 800 * time.Millisecond
)

// conn is one connection of nats.go with its goroutines, which end with close,
// and the inbox where acknowledgements arrive.
type conn struct {
	*nats.Conn
	*link
	dial  *dialer
	end   context.CancelFunc // of the dials in the background
	inbox string             // the subject of an acknowledgement is inbox and a number
	js    jetstream.JetStream
	acks  chan *nats.Msg // sent by nats.go, never closed; room for two windows, for those that come too late
}

// connect starts a connection and tries every server once, while ctx lasts.
// nats.go goes on trying in the background. An error means that the
// configuration is wrong.
func connect(ctx context.Context, options []nats.Option, cfg Config, m *meter, log *slog.Logger) (*conn, error) {
	life, end := context.WithCancel(context.Background())
	c := &conn{link: newLink(), dial: &dialer{timeout: dialTimeout, meter: m}, end: end}
	c.dial.within(ctx)
	defer c.dial.within(life)
	stop := context.AfterFunc(ctx, c.dial.cut)
	defer stop()
	var err error
	c.Conn, err = nats.Connect(cfg.URL, append(options[:len(options):len(options)], c.watch(life, log)...)...)
	if err != nil {
		end()
		return nil, fmt.Errorf("connect to %s: %w", cfg.URL, err)
	}
	if c.IsConnected() {
		c.up()
	} else {
		select {
		case <-c.refusal:
		case <-ctx.Done():
		}
	}
	c.inbox = c.NewInbox() + "."
	c.acks = make(chan *nats.Msg, 2*cfg.Window)
	if cfg.Stream == "" {
		return c, nil
	}
	if err := c.useStreams(); err != nil {
		c.close()
		return nil, err
	}
	return c, nil
}

// useStreams makes ready for JetStream.
func (c *conn) useStreams() (err error) {
	if _, err := c.ChanSubscribe(c.inbox+"*", c.acks); err != nil {
		return fmt.Errorf("subscribe to acknowledgements: %w", err)
	}
	c.js, err = jetstream.New(c.Conn)
	return err
}

// watch returns the options by which nats.go keeps c.link up to date, and logs
// while life lasts.
func (c *conn) watch(life context.Context, log *slog.Logger) []nats.Option {
	connected := func(n *nats.Conn) {
		log.Info("connected", "server", n.ConnectedUrlRedacted(), "version", n.ConnectedServerVersion())
		c.up()
	}
	return []nats.Option{
		nats.SetCustomDialer(c.dial),
		nats.ConnectHandler(connected),
		nats.ReconnectHandler(connected),
		nats.DisconnectErrHandler(func(_ *nats.Conn, err error) {
			if life.Err() == nil {
				log.Warn("connection lost", "err", err)
			}
			c.lost(err)
		}),
		nats.ReconnectErrHandler(func(n *nats.Conn, err error) {
			if err == nil {
				err = n.LastError() // such as a wrong password
			}
			c.refused(err)
		}),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) { c.fault(err) }),
		nats.ClosedHandler(func(n *nats.Conn) {
			c.lost(n.LastError())
			close(c.closed)
		}),
	}
}

// refused notes why an attempt to connect failed. nats.go hides a refused
// connection, the dialer knows it.
func (c *conn) refused(err error) {
	if cause := c.dial.cause(); cause != nil && (err == nil || errors.Is(err, nats.ErrNoServers)) {
		err = cause
	}
	if errors.Is(err, context.Canceled) {
		err = nil // cut by us, which says nothing about the server
	}
	c.lost(err)
}

// close ends the connection and returns when nats.go is done with it.
func (c *conn) close() {
	c.end()
	c.dial.cut()
	c.Conn.Close()
	<-c.closed
}

// backoff returns how long to wait before the servers are tried for the nth
// time, counted from 1.
func backoff(n int) time.Duration {
	if n <= 1 {
		return 0
	}
	most := min(fastest<<min(n-2, 10), slowest)
	return most/2 + rand.N(most/2)
}
