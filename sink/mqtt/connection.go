package mqtt

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"
	"github.com/eclipse/paho.mqtt.golang/packets"
)

const (
	goodbye  = 750 * time.Millisecond // for DISCONNECT; then the socket is closed
	farewell = 10 * time.Second       // for the library to end its goroutines once the socket is closed
)

// connection is one connection to the broker: a client of the library that is
// used once, with its goroutines, which end with close. The library connects,
// pings and disconnects. Messages go past it: its own Publish waits without a
// context for a connection that has just been lost, writes each message alone,
// and allocates 46 times for it.
type connection struct {
	client  paho.Client
	window  *window
	wire    *wire       // set by dial
	dialErr error       // set by dial
	unguard func() bool // ends the guard that closes the wire with the context
}

// connect connects within ctx.
func (s *Sink) connect(ctx context.Context) (*connection, error) {
	c := &connection{window: newWindow(s.cfg.Window), unguard: func() bool { return true }}
	c.client = paho.NewClient(s.options(ctx, c))
	token := c.client.Connect()
	<-token.Done() // bounded by the time-out; the end of ctx closes the wire
	err := token.Error()
	if !c.unguard() && err == nil {
		c.close()
		err = ctx.Err()
	}
	if err == nil {
		return c, nil
	}
	switch {
	case ctx.Err() != nil:
		err = context.Cause(ctx)
	case c.dialErr != nil:
		err = c.dialErr
	case c.wire != nil && c.wire.isLost() && !errors.Is(c.wire.cause, errGivenUp):
		err = c.wire.cause // the library puts it in other words
	}
	return nil, fmt.Errorf("connect to %v: %w", s.broker, err)
}

// options returns the settings of a client that connects once.
func (s *Sink) options(ctx context.Context, c *connection) *paho.ClientOptions {
	o := paho.NewClientOptions()
	o.Servers = []*url.URL{s.broker.url}
	o.SetClientID(s.cfg.ClientID)
	o.SetUsername(s.cfg.Username)
	o.SetPassword(s.cfg.Password.Reveal())
	o.SetProtocolVersion(4)
	o.SetCleanSession(true)
	o.SetKeepAlive(s.cfg.KeepAlive)
	o.SetPingTimeout(s.cfg.Timeout)
	o.SetConnectTimeout(s.cfg.Timeout)
	o.SetAutoReconnect(false)
	o.SetConnectRetry(false)
	o.SetStore(noStore{})
	o.SetCustomOpenConnectionFn(func(*url.URL, paho.ClientOptions) (net.Conn, error) {
		conn, err := s.dial(ctx)
		if err != nil {
			c.dialErr = err
			return nil, err
		}
		c.wire = newWire(conn, s.cfg.Timeout, c.window)
		c.unguard = context.AfterFunc(ctx, func() { c.wire.Close() })
		return c.wire, nil
	})
	return o
}

// close disconnects and waits until the library's goroutines have ended, no
// longer than goodbye unless it fails to end them when its socket is closed.
func (c *connection) close() {
	late := time.AfterFunc(goodbye, func() { c.wire.Close() })
	defer late.Stop()
	c.client.Disconnect(uint(farewell / time.Millisecond))
	c.wire.Close()
}

// cut closes the connection at once. The caller calls close.
func (c *connection) cut() { c.wire.Close() }

func (s *Sink) dial(ctx context.Context) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, s.cfg.Timeout)
	defer cancel()
	var secrets *tls.Config
	if s.broker.secure() {
		// The files are read for every connection, so that a renewed
		// certificate is used from the next one on.
		var err error
		if secrets, err = s.cfg.TLS.Load(); err != nil {
			return nil, err
		}
		secrets.ServerName = s.broker.url.Hostname()
	}
	if s.broker.websocket() {
		return dialWebsocket(ctx, s.broker.url.String(), secrets, s.dialTCP)
	}
	conn, err := s.dialTCP(ctx, "tcp", s.broker.host)
	if err != nil || secrets == nil {
		return conn, err
	}
	secured := tls.Client(conn, secrets)
	if err := secured.HandshakeContext(ctx); err != nil {
		conn.Close()
		return nil, err
	}
	return secured, nil
}

func (s *Sink) dialTCP(ctx context.Context, network, address string) (net.Conn, error) {
	var d net.Dialer
	conn, err := d.DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	return newSocket(conn, &s.meter), nil
}

// noStore keeps nothing: what was not acknowledged is the delivery's to write
// again.
type noStore struct{}

func (noStore) Open()                             {}
func (noStore) Put(string, packets.ControlPacket) {}
func (noStore) Get(string) packets.ControlPacket  { return nil }
func (noStore) All() []string                     { return nil }
func (noStore) Del(string)                        {}
func (noStore) Close()                            {}
func (noStore) Reset()                            {}
