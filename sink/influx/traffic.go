package influx

import (
	"context"
	"net"
	"sync/atomic"

	"sluice/sink"
)

// traffic counts what goes over the connections: requests, and all bytes above
// TCP, so with headers, compressed, and with what TLS adds.
type traffic struct {
	requests, sent, received atomic.Uint64
}

// Traffic returns the counts since the sink was made.
func (t *traffic) Traffic() sink.Traffic {
	return sink.Traffic{Requests: t.requests.Load(), Sent: t.sent.Load(), Received: t.received.Load()}
}

type dialFunc func(ctx context.Context, network, address string) (net.Conn, error)

// meter returns a dial whose connections are counted.
func (t *traffic) meter(dial dialFunc) dialFunc {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return meteredConn{conn, t}, nil
	}
}

type meteredConn struct {
	net.Conn
	traffic *traffic
}

func (c meteredConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.traffic.received.Add(uint64(n))
	return n, err
}

func (c meteredConn) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	c.traffic.sent.Add(uint64(n))
	return n, err
}
