package pipeline

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"sluice/protocol"
	"sluice/sink"
)

// fussy is a sink that refuses a batch as a whole for one bad reading in it.
type fussy struct {
	bad      map[float64]bool
	got      []float64
	requests int
}

func (p *fussy) Write(_ context.Context, readings []protocol.Reading) error {
	p.requests++
	for _, r := range readings {
		if p.bad[r.Metrics[0].Value.Float()] {
			return sink.Permanent(errors.New("a field of another type"))
		}
	}
	for _, r := range readings {
		p.got = append(p.got, r.Metrics[0].Value.Float())
	}
	return nil
}

func (p *fussy) Close() error { return nil }

// TestBadReadingsAreFoundWithFewWrites holds that exactly the bad readings of a
// batch become dead letters, and within 2k(log2(n/k)+1)+1 writes for k bad of n.
func TestBadReadingsAreFoundWithFewWrites(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 1))
	for _, c := range []struct{ n, k, rounds int }{
		{5000, 1, 30}, {5000, 2, 9}, {5000, 3, 9}, {5000, 7, 9}, {5000, 40, 6}, {500, 100, 3}, {500, 250, 6}, {500, 500, 1},
	} {
		for round := range c.rounds {
			p := &fussy{bad: map[float64]bool{}}
			switch round % 3 {
			case 0: // anywhere
				for _, i := range random.Perm(c.n)[:c.k] {
					p.bad[float64(i)] = true
				}
			case 1: // evenly
				for i := range c.k {
					p.bad[float64((i*(c.n/c.k)+round)%c.n)] = true
				}
			case 2: // together
				from := random.IntN(c.n - c.k + 1)
				for i := range c.k {
					p.bad[float64(from+i)] = true
				}
			}
			deliverAll(t, p, c.n)
			var want []float64
			for v := range c.n {
				if !p.bad[float64(v)] {
					want = append(want, float64(v))
				}
			}
			if !slices.Equal(p.got, want) {
				t.Fatalf("%+v: %d stored, want %d in order", c, len(p.got), len(want))
			}
			bound := 2*float64(c.k)*(math.Log2(float64(c.n)/float64(c.k))+1) + 1
			if float64(p.requests) > bound || c.k == 1 && p.requests > 28 {
				t.Errorf("%+v took %d writes, more than %.0f", c, p.requests, bound)
			}
		}
	}
}

// deliverAll delivers n readings as one batch.
func deliverAll(t *testing.T, p *fussy, n int) {
	t.Helper()
	d := delivered("hub", p)
	d.Config.Batch = Batch{MaxReadings: n, MaxBytes: 1 << 30}
	c := config(t.TempDir())
	c.MaxSize = 64 << 20
	r := start(t, c, nil, d)
	b := batch(protocol.Origin{}, nil, count(n)...)
	emit(t, r, b)
	r.stop()
	if s := r.Stats().Deliveries[0]; s.DeadLettered != uint64(len(p.bad)) || s.Delivered != uint64(n-len(p.bad)) {
		t.Fatalf("%+v", s)
	}
}
