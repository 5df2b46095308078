package mqtt

import (
	"net"
	"sync/atomic"
	"syscall"
)

// meter counts what a Sink exchanges.
type meter struct{ messages, sent, received atomic.Uint64 }

// socket counts its bytes, and acknowledges at once what it receives. A broker
// that leaves Nagle's algorithm on, as mosquitto does unless it is told
// set_tcp_nodelay true, holds the second of its acknowledgements back until the
// kernel here confirms the first, which would wait 40 ms for something to send
// along: 28 times the time for a batch.
type socket struct {
	net.Conn
	raw syscall.RawConn // nil when it is no TCP connection
	*meter
}

func newSocket(conn net.Conn, m *meter) *socket {
	s := &socket{Conn: conn, meter: m}
	if c, ok := conn.(syscall.Conn); ok {
		s.raw, _ = c.SyscallConn() // without it the connection is slower
	}
	return s
}

// Read reads, and then asks the kernel to confirm, which it forgets each time.
func (s *socket) Read(p []byte) (int, error) {
	n, err := s.Conn.Read(p)
	s.received.Add(uint64(n))
	if s.raw != nil && n > 0 {
		_ = s.raw.Control(confirm)
	}
	return n, err
}

func confirm(fd uintptr) {
	_ = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, syscall.TCP_QUICKACK, 1)
}

// Write counts what it writes.
func (s *socket) Write(p []byte) (int, error) {
	n, err := s.Conn.Write(p)
	s.sent.Add(uint64(n))
	return n, err
}
