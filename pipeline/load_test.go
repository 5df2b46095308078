package pipeline

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"sluice/protocol"
)

// load makes the readings of a site: 400 devices that report four metrics, half
// of them with a time of their own.
type load struct {
	rand    *rand.Rand
	devices []*protocol.Device
}

func newLoad() *load {
	l := &load{rand: rand.New(rand.NewPCG(1, 1))}
	for i := range 400 {
		area := fmt.Sprintf("hall-%d", i%8)
		l.devices = append(l.devices, &protocol.Device{
			Name: fmt.Sprintf("%s/sensor-%04d", area, i), Profile: "climate", Driver: "floor",
			Tags: []protocol.Tag{{Key: "area", Value: area}},
		})
	}
	return l
}

// batch returns a new batch of n readings.
func (l *load) batch(n int) *protocol.Batch {
	b := &protocol.Batch{}
	for range n {
		r := b.Add()
		k := l.rand.IntN(len(l.devices))
		r.Device = l.devices[k]
		if k%2 == 0 {
			r.SourceTime = 1 // stamp makes it a time
		}
		r.Metrics = append(r.Metrics,
			protocol.Metric{Name: "temperature", Unit: "°C", Value: protocol.Float(20 + 5*l.rand.Float64())},
			protocol.Metric{Name: "humidity", Unit: "%", Value: protocol.Float(40 + 20*l.rand.Float64())},
			protocol.Metric{Name: "battery", Unit: "mV", Value: protocol.Uint(uint64(2800 + l.rand.IntN(400)))},
			protocol.Metric{Name: "open", Value: protocol.Bool(l.rand.IntN(2) == 0)})
	}
	stamp(b, protocol.At(time.Now()))
	return b
}

// stamp gives the readings of a batch the times that they have when they arrive
// 10 µs apart and took some 20 ms.
func stamp(b *protocol.Batch, now protocol.Timestamp) {
	const apart, trip, millisecond = 10_000, 20_000_000, 1_000_000
	for i := range b.Readings {
		r := &b.Readings[i]
		r.ReceivedTime = now + protocol.Timestamp(i*apart)
		if r.SourceTime != 0 {
			r.SourceTime = (r.ReceivedTime - trip) / millisecond * millisecond
		}
	}
}

// flow returns batches of n readings for as long as they come back through Done.
func (l *load) flow(flying, n int) chan *protocol.Batch {
	free := make(chan *protocol.Batch, flying) // sent by Done, never closed; room for all of them
	for range flying {
		b := l.batch(n)
		b.Done = func(error) { free <- b }
		free <- b
	}
	return free
}

// counter is a sink that only counts, and refuses everything while it is dead.
type counter struct {
	dead    atomic.Bool
	taken   atomic.Int64
	goal    int64         // readings; set before the first write
	reached chan struct{} // closed by the write that reaches goal
	began   time.Time     // of the first write that was taken; read after reached
}

func newCounter(goal int64) *counter { return &counter{goal: goal, reached: make(chan struct{})} }

func (c *counter) Write(_ context.Context, readings []protocol.Reading) error {
	if c.dead.Load() {
		return errDead
	}
	if c.began.IsZero() {
		c.began = time.Now()
	}
	n := int64(len(readings))
	if now := c.taken.Add(n); now >= c.goal && now-n < c.goal {
		close(c.reached)
	}
	return nil
}

func (c *counter) Close() error { return nil }

var errDead = errors.New("sink is dead")

// cpu returns the processor time that this process has used.
func cpu(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
