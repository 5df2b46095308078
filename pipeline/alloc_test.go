package pipeline

import (
	"context"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"sluice/protocol"
)

// still is a pipeline whose goroutines do not run: the test takes their steps, so
// that nothing else allocates meanwhile. One segment is enough for all.
type still struct {
	*Pipeline
	t      testing.TB
	intake *Intake
	hub    *delivery
	sent   uint16
}

func keepStill(t testing.TB, durability string) *still {
	t.Helper()
	c := sized(t.TempDir(), durability)
	c.Segment, c.MaxSize = 64<<20, 256<<20
	hub := delivered("hub", newCounter(1<<62))
	p, err := open(c, []string{"floor"}, []Sink{hub}, slog.New(slog.DiscardHandler), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.close(); err != nil {
			t.Error(err)
		}
	})
	return &still{Pipeline: p, t: t, intake: p.Intake("floor"), hub: p.deliveries[0]}
}

// commit takes a batch the way from Emit to Done.
func (s *still) commit(b *protocol.Batch) {
	stamp(b, protocol.At(time.Now()))
	if !s.intake.Emit(b) {
		s.t.Fatal("refused")
	}
	s.committer.gather()
	if _, err := s.committer.advance(true); err != nil {
		s.t.Fatal(err)
	}
}

// commitMessage does so with a batch that its source keeps until it is
// acknowledged.
func (s *still) commitMessage(b *protocol.Batch) {
	s.sent++
	b.Origin = protocol.Origin{Driver: "floor", PacketID: s.sent, Hash: uint64(s.sent)}
	s.commit(b)
	s.intake.Acknowledged(b.Origin)
}

// pull moves a record of n readings to the delivery's batch: n steps for them,
// one that finds the end.
func (s *still) pull(n int) {
	for range n + 1 {
		if more, err := s.hub.live.pull(); !more || err != nil {
			s.t.Fatal(more, err)
		}
	}
}

// deliver writes the delivery's batch to the sink.
func (s *still) deliver() {
	if !s.hub.deliver(context.Background(), s.hub.live, s.hub.live.batch.Readings) {
		s.t.Fatal("not delivered")
	}
	s.hub.live.batch.Reset()
	s.hub.live.rule.empty()
}

// ways tries both kinds of sources, in batches of one and of many.
func ways(t *testing.T, try func(t *testing.T, s *still, n int, commit func())) {
	for _, durability := range []string{"always", "os"} {
		for _, n := range []int{1, perBatch} {
			t.Run(fmt.Sprintf("%s/cannot resend/%d", durability, n), func(t *testing.T) {
				s, b := keepStill(t, durability), newLoad().batch(n)
				try(t, s, n, func() { s.commit(b) })
			})
			t.Run(fmt.Sprintf("%s/can resend/%d", durability, n), func(t *testing.T) {
				s, b := keepStill(t, durability), newLoad().batch(n)
				try(t, s, n, func() { s.commitMessage(b) })
			})
		}
	}
}

const (
	warm = 200 // batches until everything that is reused is as large as it gets
	runs = 200
)

func TestAllocatesNothingOnTheWayIn(t *testing.T) {
	ways(t, func(t *testing.T, _ *still, _ int, commit func()) {
		for range warm {
			commit()
		}
		if n := testing.AllocsPerRun(runs, commit); n != 0 {
			t.Errorf("%v allocations per batch", n)
		}
	})
}

func TestAllocatesNothingOnTheWayOut(t *testing.T) {
	ways(t, func(t *testing.T, s *still, n int, commit func()) {
		for range warm {
			commit()
			s.pull(n)
		}
		s.deliver()
		for range 1 + runs { // AllocsPerRun begins with one that does not count
			commit()
		}
		if n := testing.AllocsPerRun(runs, func() {
			s.pull(n)
			s.hub.live.batch.Reset()
		}); n != 0 {
			t.Errorf("%v allocations per record", n)
		}
	})
}

// TestAllocatesPerWriteAtMost holds that a write costs a few allocations (its
// deadline), however many readings are in it.
func TestAllocatesPerWriteAtMost(t *testing.T) {
	const most = 8
	for _, n := range []int{1, 1000} {
		s := keepStill(t, "os")
		readings := newLoad().batch(n).Readings
		if a := testing.AllocsPerRun(runs, func() { s.hub.deliver(t.Context(), s.hub.live, readings) }); a > most {
			t.Errorf("%v allocations per write of %d readings, want at most %d", a, n, most)
		}
	}
}

func TestEmitIntoAFullIntakeAllocatesNothing(t *testing.T) {
	i := newIntake("floor", 1, make(chan struct{}, 1))
	b := batch(protocol.Origin{}, nil, 1)
	if !i.Emit(b) {
		t.Fatal("an empty intake refuses")
	}
	if n := testing.AllocsPerRun(1000, func() {
		if i.Emit(b) {
			t.Fatal("a full intake accepts")
		}
	}); n != 0 {
		t.Fatalf("%v allocations", n)
	}
}

func TestTextAllocatesNothingWhenItComesAgain(t *testing.T) {
	s, b := keepStill(t, "os"), newLoad().batch(perBatch)
	for i := range b.Readings {
		b.Readings[i].Metrics[3].Value = protocol.String([]string{"running", "idle", "fault"}[i%3])
	}
	for range 1 + runs {
		s.commit(b)
	}
	if n := testing.AllocsPerRun(runs, func() {
		s.pull(perBatch)
		s.hub.live.batch.Reset()
	}); n != 0 {
		t.Errorf("%v allocations per record", n)
	}
}
