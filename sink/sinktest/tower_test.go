package sinktest_test

import (
	"bufio"
	"encoding/json"
	"io"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	"sluice/protocol"
	"sluice/sink/sinktest"
)

// tower is the server of the example. It keeps what it stored when it stops.
type tower struct {
	address  string
	listener net.Listener
	serving  sync.WaitGroup

	mu     sync.Mutex // guards what follows
	absent bool
	conns  map[net.Conn]bool
	stored []string // lines
}

// startTower starts a server that ends with the test.
func startTower(t *testing.T) *tower {
	s := &tower{address: "127.0.0.1:0"}
	s.start(t)
	s.address = s.listener.Addr().String()
	t.Cleanup(s.stop)
	return s
}

func (s *tower) start(t testing.TB) {
	var err error
	if s.listener, err = net.Listen("tcp", s.address); err != nil {
		t.Fatal(err)
	}
	s.absent, s.conns = false, map[net.Conn]bool{}
	s.serving.Go(func() {
		for {
			conn, err := s.listener.Accept()
			if err != nil {
				return
			}
			if s.admit(conn) {
				s.serving.Go(func() { s.serve(conn) })
			}
		}
	})
}

// admit remembers a connection, or closes one that came too late.
func (s *tower) admit(conn net.Conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.absent {
		conn.Close()
		return false
	}
	s.conns[conn] = true
	return true
}

func (s *tower) stop() {
	s.listener.Close()
	s.mu.Lock()
	s.absent = true
	for conn := range s.conns {
		conn.Close()
	}
	s.mu.Unlock()
	s.serving.Wait()
}

// serve stores the batches of one connection.
func (s *tower) serve(conn net.Conn) {
	defer func() {
		conn.Close()
		s.mu.Lock()
		delete(s.conns, conn)
		s.mu.Unlock()
	}()
	in := bufio.NewReader(conn)
	var batch []string
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return
		}
		if line != "\n" {
			batch = append(batch, line)
			continue
		}
		s.mu.Lock()
		s.stored = append(s.stored, batch...)
		s.mu.Unlock()
		batch = nil
		if _, err := io.WriteString(conn, "ok\n"); err != nil {
			return
		}
	}
}

// points returns what is stored.
func (s *tower) points(t testing.TB) []sinktest.Point {
	s.mu.Lock()
	lines := slices.Clone(s.stored)
	s.mu.Unlock()
	var points []sinktest.Point
	for _, line := range lines {
		var r struct {
			Device  string
			Time    time.Time
			Metrics struct{ N int }
		}
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		points = append(points, sinktest.Point{Device: r.Device, Time: protocol.At(r.Time), N: r.Metrics.N})
	}
	return points
}
