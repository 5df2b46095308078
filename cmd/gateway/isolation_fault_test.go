package main

import (
	"bytes"
	"compress/gzip"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"sluice/drivers/drivertest"
)

// door is a way to a server on an address of its own. Dead, it refuses
// connections; hanging, it takes them and what is sent, and nothing comes back.
type door struct {
	t       *testing.T
	address string
	to      string

	mu       sync.Mutex // guards what follows
	listener net.Listener
	dead     bool
	conns    map[net.Conn]bool
	hanging  chan struct{} // closed by unhang; nil unless hanging
	passing  sync.WaitGroup
}

// newDoor returns an open door to HOST:PORT.
func newDoor(t *testing.T, to string) *door {
	d := &door{t: t, to: to, address: freeAddress(t), conns: map[net.Conn]bool{}}
	d.listen()
	t.Cleanup(func() {
		d.die()
		d.passing.Wait()
	})
	return d
}

func (d *door) listen() {
	drivertest.Eventually(d.t, "the door's address is free", func() bool {
		l, err := net.Listen("tcp", d.address)
		if err == nil {
			d.mu.Lock()
			d.listener, d.dead = l, false
			d.mu.Unlock()
			d.passing.Go(func() { d.accept(l) })
		}
		return err == nil
	})
}

func (d *door) accept(l net.Listener) {
	for {
		near, err := l.Accept()
		if err != nil {
			return
		}
		d.passing.Go(func() { d.pass(near) })
	}
}

// pass carries one connection.
func (d *door) pass(near net.Conn) {
	defer near.Close()
	far, err := net.Dial("tcp", d.to)
	if err != nil {
		return
	}
	defer far.Close()
	if !d.admit(near, far) {
		return
	}
	var ways sync.WaitGroup
	for _, way := range [][2]net.Conn{{near, far}, {far, near}} {
		ways.Go(func() {
			d.carry(way[0], way[1])
			near.Close()
			far.Close()
		})
	}
	ways.Wait()
	d.mu.Lock()
	delete(d.conns, near)
	delete(d.conns, far)
	d.mu.Unlock()
}

// admit remembers the connection's ends unless the door is dead.
func (d *door) admit(ends ...net.Conn) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, c := range ends {
		d.conns[c] = true
	}
	return !d.dead
}

func (d *door) carry(to, from net.Conn) {
	block := make([]byte, 32<<10)
	for {
		n, err := from.Read(block)
		if d.swallows() {
			continue
		}
		if _, broken := to.Write(block[:n]); err != nil || broken != nil {
			return
		}
	}
}

// swallows waits while the door hangs, and reports whether it did.
func (d *door) swallows() bool {
	d.mu.Lock()
	hanging := d.hanging
	d.mu.Unlock()
	if hanging != nil {
		<-hanging
	}
	return hanging != nil
}

func (d *door) die() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.listener.Close()
	d.dead = true
	d.cut()
}

// cut ends every connection.
func (d *door) cut() {
	for c := range d.conns {
		c.Close()
	}
}

func (d *door) hang() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.hanging = make(chan struct{})
}

// unhang ends all connections that hung: they have lost what was sent.
func (d *door) unhang() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.cut()
	close(d.hanging)
	d.hanging = nil
}

// mood is how a moody server answers.
type mood int32

const (
	well mood = iota
	slow      // 2 s later
	busy      // 429, ask again in 1 s
)

// moody is InfluxDB behind a proxy that has moods, and looks at what is written
// if it is asked to.
type moody struct {
	*httptest.Server
	mood    atomic.Int32
	forward http.Handler
	look    func(lines []byte) // may be nil
}

func newMoody(t *testing.T, to string, look func(lines []byte)) *moody {
	target, err := url.Parse(to)
	if err != nil {
		t.Fatal(err)
	}
	proxy := httputil.NewSingleHostReverseProxy(target)
	proxy.ErrorLog = log.New(io.Discard, "", 0) // the gateway may hang up
	transport := &http.Transport{}
	proxy.Transport = transport
	m := &moody{forward: proxy, look: look}
	m.Server = httptest.NewServer(m)
	t.Cleanup(func() {
		m.Close()
		transport.CloseIdleConnections()
	})
	return m
}

func (m *moody) addr() string { return m.Listener.Addr().String() }

func (m *moody) set(to mood) { m.mood.Store(int32(to)) }

// ServeHTTP reads the whole request first: only then does it hear that the
// gateway hangs up.
func (m *moody) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	if m.look != nil {
		m.look(plain(body))
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	switch mood(m.mood.Load()) {
	case slow:
		if rest(r.Context(), 2*time.Second); r.Context().Err() != nil {
			return
		}
	case busy:
		if r.Method == http.MethodPost {
			w.Header().Set("Retry-After", "1")
			w.WriteHeader(http.StatusTooManyRequests)
			return
		}
	}
	m.forward.ServeHTTP(w, r)
}

// plain returns a body without its compression.
func plain(body []byte) []byte {
	if z, err := gzip.NewReader(bytes.NewReader(body)); err == nil {
		if text, err := io.ReadAll(z); err == nil {
			return text
		}
	}
	return body
}
