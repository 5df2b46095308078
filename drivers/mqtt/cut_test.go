package mqtt

import (
	"context"
	"io"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"sluice/drivers"
	"sluice/drivers/drivertest"
	"sluice/protocol"
)

// recogniser is the pipeline's rule for messages sent twice, in memory: one is a
// duplicate when it is redelivered and its origin is among those kept whose
// acknowledgement is not yet noted.
type recogniser struct {
	*drivertest.Emitter
	mu   sync.Mutex // guards what follows
	kept map[unsureKey]bool
	twin int // recognised
}

func (r *recogniser) Emit(b *protocol.Batch) bool {
	r.mu.Lock()
	key := keyOf(b.Origin)
	if b.Origin.Redelivered && r.kept[key] {
		r.twin++
		r.mu.Unlock()
		b.Done(nil)
		return true
	}
	r.kept[key] = true
	r.mu.Unlock()
	return r.Emitter.Emit(b)
}

func (r *recogniser) Acknowledged(o protocol.Origin) {
	r.mu.Lock()
	delete(r.kept, keyOf(o))
	r.mu.Unlock()
	r.Emitter.Acknowledged(o)
}

func (r *recogniser) waitNoted(t *testing.T) {
	t.Helper()
	drivertest.Eventually(t, "every acknowledgement is noted", func() bool {
		r.mu.Lock()
		defer r.mu.Unlock()
		return len(r.kept) == 0
	})
}

// relay stands between driver and broker. It can swallow what the driver sends
// and cut connections without a word.
type relay struct {
	listener net.Listener
	target   string
	wg       sync.WaitGroup
	swallow  atomic.Bool

	mu    sync.Mutex // guards conns
	conns []net.Conn
}

func newRelay(t *testing.T, target string) *relay {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &relay{listener: l, target: target}
	r.wg.Go(r.accept)
	t.Cleanup(func() {
		l.Close()
		r.cut()
		r.wg.Wait()
	})
	return r
}

func (r *relay) accept() {
	for {
		near, err := r.listener.Accept()
		if err != nil {
			return
		}
		far, err := net.Dial("tcp", r.target)
		if err != nil {
			near.Close()
			continue
		}
		r.mu.Lock()
		r.conns = append(r.conns, near, far)
		r.mu.Unlock()
		r.wg.Go(func() { copyAndClose(near, far, near) })
		r.wg.Go(func() { copyAndClose(upstream{far, r}, near, far) })
	}
}

// upstream is the way from the driver to the broker.
type upstream struct {
	io.Writer
	relay *relay
}

func (u upstream) Write(p []byte) (int, error) {
	if u.relay.swallow.Load() {
		return len(p), nil
	}
	return u.Writer.Write(p)
}

func copyAndClose(to io.Writer, from, other net.Conn) {
	io.Copy(to, from)
	from.Close()
	other.Close()
}

// cut drops every connection; what is in flight is lost.
func (r *relay) cut() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, c := range r.conns {
		if tcp, ok := c.(*net.TCPConn); ok {
			tcp.SetLinger(0)
		}
		c.Close()
	}
	r.conns = nil
	r.swallow.Store(false)
}

// TestExactlyOnceOverCuts loses written acknowledgements with the connection,
// again and again: with the pipeline's rule each message arrives once and in
// order, and in the end the pipeline has nothing left to remember.
func TestExactlyOnceOverCuts(t *testing.T) {
	const rounds, each, lost = 10, 200, 50
	broker := drivertest.StartMosquitto(t, "max_queued_messages 0", "max_inflight_messages 100")
	pub := newPublisher(t, broker.Addr())
	link := newRelay(t, broker.Addr())
	d, status := newTestDriver(t, "mqtt://"+link.listener.Addr().String(), nil, climate)
	e := &recogniser{Emitter: drivertest.NewEmitter(t), kept: map[unsureKey]bool{}}
	ctx, cancel := context.WithCancel(t.Context())
	var supervised sync.WaitGroup
	supervised.Go(func() {
		drivers.Supervise(ctx, d, e, status, newTestLog(t), drivers.Restart{Min: time.Millisecond, Max: 10 * time.Millisecond})
	})
	drivertest.Eventually(t, "driver is up", func() bool { return status.Condition().State == drivers.Up })
	for n := range rounds {
		publishMany(pub, n*each+1, n*each+each/2)
		e.Wait(n*each + each/2)
		e.waitNoted(t) // the window is free
		link.swallow.Store(true)
		publishMany(pub, n*each+each/2+1, n*each+each)
		e.Wait(n*each + each/2 + lost)
		link.cut()
	}
	got := drivertest.Values(e.Wait(rounds * each))
	e.waitNoted(t)
	cancel()
	supervised.Wait()
	if !slices.Equal(got, sequence(1, rounds*each)) {
		t.Errorf("got %d readings, want 1 to %d once each and in order", len(got), rounds*each)
	}
	if e.twin < rounds*lost/2 {
		t.Errorf("%d messages came twice, want more for the test to mean something", e.twin)
	}
}
