package nats

import (
	"net"
	"sync/atomic"

	"sluice/sink"
)

// meter counts what goes over the wire, for all connections of a Sink.
type meter struct{ requests, sent, received atomic.Uint64 }

// Traffic implements sink.Meter. Requests are publishes; bytes are those of the
// TCP connection, TLS included.
func (s *Sink) Traffic() sink.Traffic {
	return sink.Traffic{Requests: s.meter.requests.Load(), Sent: s.meter.sent.Load(), Received: s.meter.received.Load()}
}

// meteredConn counts the bytes of a connection.
type meteredConn struct {
	net.Conn
	meter *meter
}

func (c *meteredConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.meter.received.Add(uint64(n))
	return n, err
}

func (c *meteredConn) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	c.meter.sent.Add(uint64(n))
	return n, err
}
