package nats_test

import (
	"io"
	"net"
	"sync"
	"testing"
)

// line is a TCP proxy that can stop passing bytes on.
type line struct {
	listener net.Listener
	target   string
	wg       sync.WaitGroup
	mu       sync.Mutex
	pass     chan struct{} // closed while bytes pass
	conns    []net.Conn
}

func startLine(t *testing.T, target string) *line {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := &line{listener: listener, target: target, pass: make(chan struct{})}
	close(l.pass)
	l.wg.Go(l.accept)
	t.Cleanup(func() {
		listener.Close()
		l.thaw()
		l.wg.Wait()
	})
	return l
}

func (l *line) addr() string { return l.listener.Addr().String() }

func (l *line) accept() {
	for {
		from, err := l.listener.Accept()
		if err != nil {
			return
		}
		to, err := net.Dial("tcp", l.target)
		if err != nil {
			from.Close()
			continue
		}
		l.mu.Lock()
		l.conns = append(l.conns, from, to)
		l.mu.Unlock()
		l.wg.Go(func() { l.copy(from, to) })
		l.wg.Go(func() { l.copy(to, from) })
	}
}

func (l *line) copy(to io.WriteCloser, from io.ReadCloser) {
	defer to.Close()
	defer from.Close()
	buf := make([]byte, 32<<10)
	for {
		n, err := from.Read(buf)
		l.mu.Lock()
		pass := l.pass
		l.mu.Unlock()
		<-pass
		if err != nil {
			return
		}
		if _, err := to.Write(buf[:n]); err != nil {
			return
		}
	}
}

func (l *line) freeze() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.pass = make(chan struct{})
}

// thaw breaks what was frozen, as a router does that restarts.
func (l *line) thaw() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, c := range l.conns {
		c.Close()
	}
	select {
	case <-l.pass:
	default:
		close(l.pass)
	}
}
