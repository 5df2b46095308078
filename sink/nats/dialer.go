package nats

import (
	"context"
	"net"
	"sync"
	"time"
)

// dialer makes the TCP connections for nats.go, which knows no context and holds
// its lock while it dials. With cut a Write that has to end frees itself.
type dialer struct {
	timeout time.Duration
	meter   *meter

	mu     sync.Mutex
	ctx    context.Context    // of the dials to come
	cancel context.CancelFunc // of the dial under way, nil without one
	conn   net.Conn           // the latest
	err    error              // of the latest dial
	held   bool               // a Write is under way: it ends with its connection
}

// hold keeps nats.go from connecting anew in the middle of a Write, whose later
// readings would overtake those that were lost.
func (d *dialer) hold(held bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.held = held
}

// within makes the dials to come end with ctx.
func (d *dialer) within(ctx context.Context) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.ctx = ctx
}

// Dial implements nats.CustomDialer. Closing the connection drops what is not on
// the line yet: it must not reach the server after a later connection has.
func (d *dialer) Dial(network, address string) (net.Conn, error) {
	d.mu.Lock()
	if d.held {
		d.mu.Unlock()
		return nil, errLost
	}
	ctx, cancel := context.WithTimeout(d.ctx, d.timeout)
	d.cancel = cancel
	d.mu.Unlock()
	defer cancel()
	var plain net.Dialer
	conn, err := plain.DialContext(ctx, network, address)
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
		conn = &meteredConn{conn, d.meter}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.cancel, d.conn, d.err = nil, conn, err
	if err == nil && ctx.Err() != nil { // cut in the meantime
		conn.Close()
		return nil, ctx.Err()
	}
	return conn, err
}

// cut ends the dial under way and breaks the connection.
func (d *dialer) cut() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.cancel != nil {
		d.cancel()
	}
	if d.conn != nil {
		d.conn.Close()
	}
}

// cause returns the error of the latest dial.
func (d *dialer) cause() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.err
}
