package pipeline

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"

	"sluice/drivers/drivertest"
	"sluice/pipeline/journal"
	"sluice/protocol"
)

// closing is a sink that tells whether it is closed.
type closing struct {
	*memory
	closed chan struct{} // closed by Close
}

func newClosing() closing { return closing{newMemory(), make(chan struct{})} }

func (c closing) Close() error {
	close(c.closed)
	return nil
}

func (c closing) isClosed() bool { return closed(c.closed) }

// feedOn emits readings with rising values until the returned function is called,
// which returns how many the pipeline has kept.
func feedOn(t *testing.T, p *running) (stop func() int) {
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan int)
	go func() {
		n := 0
		done := make(chan error, 1)
		for ; ctx.Err() == nil; n++ {
			if !p.Intake("floor").Emit(batch(protocol.Origin{}, done, float64(n))) {
				t.Error("a reading is refused")
			}
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
		ended <- n
	}()
	return sync.OnceValue(func() int {
		cancel()
		return <-ended
	})
}

// TestExchange puts sinks in the places of others under load, and under other names:
// together they get every reading, once and in order.
func TestExchange(t *testing.T) {
	before := newClosing()
	p := start(t, config(t.TempDir()), nil, delivered("a", before))
	defer p.stop()
	stop := feedOn(t, p)
	defer stop()
	names := []string{"a", "b", "b", "a"}
	sinks := []closing{before}
	for i := 1; i < len(names); i++ {
		sinks[i-1].wait(t, 50)
		next := newClosing()
		s := delivered(names[i], next)
		s.Config.Was = names[i-1]
		if err := p.Exchange([]Sink{s}); err != nil {
			t.Fatal(err)
		}
		if !sinks[i-1].isClosed() {
			t.Error("the sink of before is not closed")
		}
		sinks = append(sinks, next)
	}
	sinks[len(sinks)-1].wait(t, 50)
	n := stop()
	p.stop()
	var got []float64
	for _, s := range sinks {
		got = append(got, s.values()...)
	}
	if !slices.Equal(got, count(n)) {
		t.Errorf("the sinks have %d readings, want %d in order", len(got), n)
	}
}

// TestExchangeOfStuckSink takes the place of a sink that does not come back.
func TestExchangeOfStuckSink(t *testing.T) {
	c := config(t.TempDir())
	c.Drain = 0
	stuck, next := newClosing(), newClosing()
	stuck.fails(errors.New("away"))
	p := start(t, c, nil, delivered("a", stuck))
	done := make(chan error, 1)
	p.Intake("floor").Emit(batch(protocol.Origin{}, done, 0, 1, 2))
	<-done
	if err := p.Exchange([]Sink{delivered("a", next)}); err != nil {
		t.Fatal(err)
	}
	next.wait(t, 3)
	p.stop()
}

// noRename is a disk on which no cursor can be given the name odd.
type noRename struct{ journal.FS }

func (f noRename) Rename(from, to string) error {
	if strings.HasSuffix(to, "odd.cursor") {
		return errors.New("disk is odd")
	}
	return f.FS.Rename(from, to)
}

// TestExchangeIsAllOrNothing fails at the last of several sinks.
func TestExchangeIsAllOrNothing(t *testing.T) {
	one, two, same, other := newClosing(), newClosing(), newClosing(), newClosing()
	p := start(t, config(t.TempDir()), noRename{journal.OS{}}, delivered("one", one), delivered("two", two), delivered("same", same))
	defer p.stop()
	uno, odd := delivered("uno", other), delivered("odd", other)
	uno.Config.Was, odd.Config.Was = "one", "two"
	err := p.Exchange([]Sink{delivered("same", other), delivered("new", other), uno, odd})
	if err == nil || !strings.Contains(err.Error(), "disk is odd") {
		t.Errorf("exchange ends with %v", err)
	}
	p.Intake("floor").Emit(batch(protocol.Origin{}, nil, 0))
	for _, s := range []closing{one, two, same} {
		s.wait(t, 1)
		if s.isClosed() {
			t.Error("a sink is closed")
		}
	}
	if s := p.Stats(); len(s.Unclaimed) > 0 || len(s.Deliveries) != 3 || len(s.Journal.Cursors) != 3 || len(other.values()) > 0 {
		t.Errorf("not everything is as it was: %+v", s)
	}
}

// TestRetireSinks ends a sink and a fallback, and takes the sink up again later.
func TestRetireSinks(t *testing.T) {
	a, b, f := newClosing(), newClosing(), newClosing()
	refuge := delivered("refuge", f)
	refuge.Config.Only = "fallback"
	p := start(t, config(t.TempDir()), nil, delivered("a", a), delivered("b", b), refuge)
	emit := func(v float64) {
		done := make(chan error, 1)
		p.Intake("floor").Emit(batch(protocol.Origin{}, done, v))
		<-done
	}
	emit(0)
	b.wait(t, 1)
	p.RetireSinks([]string{"b", "refuge", "nobody"})
	emit(1)
	a.wait(t, 2)
	s := p.Stats()
	if !b.isClosed() || !f.isClosed() || len(s.Deliveries) != 1 || len(s.Fallbacks) != 0 {
		t.Errorf("they are not retired: %+v", s)
	}
	if len(s.Unclaimed) != 1 || s.Unclaimed[0].Name != "b" || s.Unclaimed[0].InJournal != 1 {
		t.Errorf("unclaimed is %+v, want one reading for b", s.Unclaimed)
	}
	back := newClosing()
	if err := p.Exchange([]Sink{delivered("b", back)}); err != nil {
		t.Fatal(err)
	}
	back.wait(t, 1)
	if got := back.values(); !slices.Equal(got, []float64{1}) {
		t.Errorf("b goes on with %v, want 1", got)
	}
	p.stop()
}

// TestIntakeOfDriverThatReturns tells a new driver which messages are open, and knows
// them when they come again.
func TestIntakeOfDriverThatReturns(t *testing.T) {
	p := start(t, config(t.TempDir()), nil, delivered("a", newMemory()))
	defer p.stop()
	done := make(chan error, 1)
	o := protocol.Origin{Driver: "floor", PacketID: 7, Hash: 99}
	p.Intake("floor").Emit(batch(o, done, 1))
	<-done
	again := p.AddIntake("floor")
	if again != p.Intake("floor") {
		t.Error("a driver that returns has another intake")
	}
	if open := again.Recalled(); len(open) != 1 || open[0].PacketID != 7 || open[0].Hash != 99 {
		t.Errorf("recalled %v", open)
	}
	o.Redelivered = true
	again.Emit(batch(o, done, 1))
	<-done
	other := p.AddIntake("roof")
	other.Emit(batch(o, done, 1))
	<-done
	drivertest.Eventually(t, "all is counted", func() bool {
		s := p.Stats().Intakes
		return len(s) == 2 && s[0].Journaled == 1 && s[0].Duplicate == 1 && s[1].Journaled == 1
	})
}

// TestExchangeOfFallback has a sink that is out of order use another fallback.
func TestExchangeOfFallback(t *testing.T) {
	broken, first, second := newMemory(), newClosing(), newClosing()
	broken.fails(errors.New("away"))
	refuge := func(s closing) Sink {
		f := delivered("refuge", s)
		f.Config.Only = "fallback"
		return f
	}
	user := delivered("a", broken)
	user.Config.Fallback = "refuge"
	user.Config.Breaker.Failures = 1
	p := start(t, config(t.TempDir()), nil, user, refuge(first))
	defer p.stop()
	p.Intake("floor").Emit(batch(protocol.Origin{}, nil, 0))
	first.wait(t, 1)
	if err := p.Exchange([]Sink{user, refuge(second)}); err != nil {
		t.Fatal(err)
	}
	p.Intake("floor").Emit(batch(protocol.Origin{}, nil, 1))
	second.wait(t, 1)
	if got := append(first.values(), second.values()...); !first.isClosed() || !slices.Equal(got, []float64{0, 1}) {
		t.Errorf("the fallbacks have %v", got)
	}
}
