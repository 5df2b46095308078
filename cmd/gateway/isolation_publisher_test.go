package main

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/eclipse/paho.mqtt.golang/packets"

	"sluice/drivers/drivertest"
)

// The bounds of a metronome.
const (
	beatEvery  = time.Millisecond // what is due goes out together
	beatWindow = 20_000           // publishes without an acknowledgement
)

// metronome publishes over one connection with QoS 1 at a steady rate, by turns
// for its devices. It notes how steady it is itself.
type metronome struct {
	address string
	rate    int // messages per second
	devices int
	epoch   time.Time // what the times below count from

	sent   atomic.Int64 // messages; the last one's number
	acked  atomic.Int64
	wrote  [1 << 16]atomic.Int64 // by packet id: when it was sent, in nanoseconds
	late   tally                 // from the moment a message was due until it was sent
	answer tally                 // from then until the broker's acknowledgement

	conn    net.Conn
	playing sync.WaitGroup
}

// sample is one time that was taken: of what, since the epoch, and how long.
type sample struct{ sent, took time.Duration }

// tally collects samples. It is safe for concurrent use.
type tally struct {
	mu      sync.Mutex // guards samples
	samples []sample
}

func (l *tally) add(s sample) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.samples = append(l.samples, s)
}

// of returns how long it took for what was sent in a span.
func (l *tally) of(from, to time.Duration) (took []time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, s := range l.samples {
		if s.sent >= from && s.sent < to {
			took = append(took, s.took)
		}
	}
	return took
}

// now returns the time since the epoch.
func (m *metronome) now() time.Duration { return time.Since(m.epoch) }

// play begins to publish. The result ends it and returns when all that was sent
// is acknowledged.
func (m *metronome) play(t *testing.T) (stop func()) {
	t.Helper()
	k := talker{id: "metronome", address: m.address}
	if err := k.connect(); err != nil {
		t.Fatal(err)
	}
	if err := k.conn.SetReadDeadline(time.Time{}); err != nil { // connect set one
		t.Fatal(err)
	}
	m.conn = k.conn
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{}) // closed when no more is sent
	m.playing.Go(func() {
		defer close(ended)
		if err := m.beat(ctx, k.out); err != nil {
			t.Error(err)
		}
	})
	m.playing.Go(func() {
		if err := m.listen(k.in, ended); err != nil {
			t.Error(err)
		}
	})
	return sync.OnceFunc(func() {
		cancel()
		<-ended
		drivertest.Eventually(t, "all is acknowledged", func() bool { return m.acked.Load() == m.sent.Load() })
		m.conn.Close()
		m.playing.Wait()
	})
}

// beat sends what is due until ctx ends.
func (m *metronome) beat(ctx context.Context, out *bufio.Writer) error {
	every := time.Second / time.Duration(m.rate)
	for due := m.now(); ctx.Err() == nil; rest(ctx, max(beatEvery, due-m.now())) {
		for due <= m.now() && m.sent.Load()-m.acked.Load() < beatWindow {
			if err := m.say(out, due); err != nil {
				return err
			}
			due += every
		}
		if err := out.Flush(); err != nil {
			return err
		}
	}
	return nil
}

func (m *metronome) say(out *bufio.Writer, due time.Duration) error {
	n, now := m.sent.Load()+1, m.now()
	p := packets.NewControlPacket(packets.Publish).(*packets.PublishPacket)
	p.Qos, p.MessageID = 1, uint16(n%65535)+1
	p.TopicName = fmt.Sprintf("plant/device-%d/beat", n%int64(m.devices))
	p.Payload = fmt.Appendf(nil, `{"n":%d,"sent":%d}`, n, now)
	m.wrote[p.MessageID].Store(int64(now))
	m.sent.Store(n)
	m.late.add(sample{now, now - due})
	return p.Write(out)
}

// listen takes the acknowledgements until the connection is closed, when ended is.
func (m *metronome) listen(in *bufio.Reader, ended <-chan struct{}) error {
	for {
		p, err := packets.ReadPacket(in)
		if err != nil && closedNow(ended) && m.acked.Load() == m.sent.Load() {
			return nil
		}
		ack, ok := p.(*packets.PubackPacket)
		if err != nil || !ok {
			return fmt.Errorf("read acknowledgement: %v: %w", p, err)
		}
		wrote := time.Duration(m.wrote[ack.MessageID].Load())
		m.answer.add(sample{wrote, m.now() - wrote})
		m.acked.Add(1)
	}
}

func closedNow(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}
