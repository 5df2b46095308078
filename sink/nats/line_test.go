package nats_test

import (
	"io"
	"math"
	"net"
	"sync"
	"testing"
)

// line is a TCP proxy that can stop passing bytes on, lose the answers, and break
// after a number of bytes.
type line struct {
	listener net.Listener
	target   string
	wg       sync.WaitGroup
	mu       sync.Mutex
	pass     chan struct{} // closed while bytes pass
	mute     bool          // what the server says is lost
	left     int           // bytes to the server until the line breaks
	conns    []net.Conn
}

func startLine(t *testing.T, target string) *line {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := &line{listener: listener, target: target, pass: make(chan struct{}), left: math.MaxInt}
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
		l.wg.Go(func() { l.copy(from, to, false) })
		l.wg.Go(func() { l.copy(to, from, true) })
	}
}

func (l *line) copy(to io.WriteCloser, from io.ReadCloser, up bool) {
	defer to.Close()
	defer from.Close()
	buf := make([]byte, 32<<10)
	for {
		n, err := from.Read(buf)
		l.mu.Lock()
		pass, drop := l.pass, l.mute && !up
		if up && l.left < math.MaxInt {
			n = min(n, l.left)
			l.left -= n
		}
		broken := up && l.left == 0
		l.mu.Unlock()
		<-pass
		if err != nil {
			return
		}
		if !drop {
			if _, err := to.Write(buf[:n]); err != nil {
				return
			}
		}
		if broken {
			l.thaw()
			return
		}
	}
}

func (l *line) freeze() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.pass = make(chan struct{})
}

// loseAnswers loses what the server says from now on.
func (l *line) loseAnswers() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.mute = true
}

// breakAfter breaks the line after n bytes more to the server.
func (l *line) breakAfter(n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.left = n
}

// mend breaks a line that loses answers or was about to break.
func (l *line) mend() {
	l.mu.Lock()
	faulty := l.mute || l.left < math.MaxInt
	l.mu.Unlock()
	if faulty {
		l.thaw()
	}
}

// thaw breaks what was frozen, as a router does that restarts. A new connection
// is sound.
func (l *line) thaw() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, c := range l.conns {
		c.Close()
	}
	l.conns, l.mute, l.left = nil, false, math.MaxInt
	select {
	case <-l.pass:
	default:
		close(l.pass)
	}
}
