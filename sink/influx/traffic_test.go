package influx_test

import (
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"sync/atomic"
	"testing"
	"time"
)

// countedListener counts what its connections carry, as the sink should.
type countedListener struct {
	net.Listener
	accepted       atomic.Int64
	read, sentBack atomic.Uint64
}

func (l *countedListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err == nil {
		l.accepted.Add(1)
		conn = countedConn{conn, l}
	}
	return conn, err
}

type countedConn struct {
	net.Conn
	l *countedListener
}

func (c countedConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.l.read.Add(uint64(n))
	return n, err
}

func (c countedConn) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	c.l.sentBack.Add(uint64(n))
	return n, err
}

// One connection carries all requests, whatever the answers are, and what it
// carries is counted to the byte, headers and TLS included.
func TestOneConnectionCountedToTheByte(t *testing.T) {
	for _, secure := range []bool{false, true} {
		answers := []int{204, 400, 503, 204, 413, 204, 429, 500, 204}
		asked := 0
		server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			linesOf(t, r)
			w.WriteHeader(answers[asked])
			if asked++; answers[asked-1] != 204 {
				_, _ = w.Write(make([]byte, 3000))
			}
		}))
		counted := &countedListener{Listener: server.Listener}
		server.Listener = counted
		if secure {
			server.StartTLS()
		} else {
			server.Start()
		}
		defer server.Close()
		cfg := configFor(server.URL)
		if secure {
			cfg.TLS.CA = authority(t, server)
		}
		out := opened(t, cfg)
		for range answers {
			_ = out.Write(t.Context(), readings(1)) // the answers are wanted, not the outcome
		}
		if asked != len(answers) || counted.accepted.Load() != 1 {
			t.Errorf("%d requests over %d connections, want %d over one", asked, counted.accepted.Load(), len(answers))
		}
		// The server counts its last answer a moment after that was read.
		for limit := time.Now().Add(10 * time.Second); out.Traffic().Received != counted.sentBack.Load() && time.Now().Before(limit); {
			runtime.Gosched()
		}
		got := out.Traffic()
		if got.Requests != uint64(len(answers)) || got.Sent != counted.read.Load() || got.Received != counted.sentBack.Load() || got.Sent < 9*200 {
			t.Errorf("counted %+v, want %d requests, %d sent, %d received", got, len(answers), counted.read.Load(), counted.sentBack.Load())
		}
	}
}
