package sinktest

import (
	"context"
	"errors"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"sluice/protocol"
	"sluice/sink"
)

func (s *suite) stores(t *testing.T) {
	out := s.open(t, s.far.Addr)
	first, second := s.batch(2500), s.batch(1)
	write(t, out, first)
	write(t, out, second)
	s.expect(t, slices.Concat(pointsOf(first), pointsOf(second)))
}

func (s *suite) storesAgain(t *testing.T) {
	out := s.far.New(t, s.far.Addr)
	batch := s.batch(40)
	write(t, out, batch[:25])
	write(t, out, batch)
	if err := out.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
	write(t, s.open(t, s.far.Addr), batch)
	s.expect(t, pointsOf(batch))
}

// recalls plays a gateway that is killed: what its journal remembers of the sink is
// older than what the sink has written, and the readings since come again.
func (s *suite) recalls(t *testing.T) {
	first, second, third := s.batch(30), s.batch(200), s.batch(30)
	killed := s.far.New(t, s.far.Addr)
	before, ok := killed.(sink.Rememberer)
	if !ok {
		killed.Close()
		return // it need not be able to
	}
	before.Recall(nil)
	write(t, killed, first)
	memory := slices.Clone(before.Remember())
	if len(memory) > 400 {
		t.Errorf("Remember returns %d bytes, want at most 400", len(memory))
	}
	write(t, killed, second)
	if err := killed.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
	out := s.far.New(t, s.far.Addr)
	out.(sink.Rememberer).Recall(memory)
	t.Cleanup(func() { out.Close() })
	write(t, out, second)
	write(t, out, third)
	once := *s
	once.far.ExactlyOnce = s.far.ExactlyOnce || len(memory) > 0
	once.expect(t, slices.Concat(pointsOf(first), pointsOf(second), pointsOf(third)))
}

func (s *suite) storesNothing(t *testing.T) {
	write(t, s.open(t, s.far.Addr), nil)
}

func (s *suite) keepsNothing(t *testing.T) {
	out := s.open(t, s.far.Addr)
	batch, other := s.batch(200), s.batch(200)
	want := slices.Concat(pointsOf(batch), pointsOf(other))
	write(t, out, batch)
	for i := range batch {
		copy(batch[i].Metrics, other[i].Metrics)
		batch[i].ID, batch[i].Device, batch[i].SourceTime = other[i].ID, other[i].Device, other[i].SourceTime
	}
	write(t, out, batch)
	for i := range batch {
		batch[i] = protocol.Reading{}
	}
	s.expect(t, want)
}

func (s *suite) heedsContext(t *testing.T) {
	out := s.open(t, s.far.Addr)
	batch := s.batch(3)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := out.Write(ctx, batch); !errors.Is(err, context.Canceled) {
		t.Errorf("Write with a cancelled context = %v", err)
	}
	Deliver(t, out, batch)
	s.expect(t, pointsOf(batch))
}

func (s *suite) survivesSilence(t *testing.T) {
	addr := s.far.Silent
	if addr == "" {
		addr = silence(t)
	}
	out := s.open(t, addr)
	for range 2 {
		ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
		begin := time.Now()
		if err := out.Write(ctx, s.batch(3)); err == nil {
			t.Error("Write to a far end that never answers = nil")
		}
		if took := time.Since(begin); took > patience/3 {
			t.Errorf("Write took %v after its context had ended", took)
		}
		cancel()
	}
}

func (s *suite) survivesAbsence(t *testing.T) {
	s.far.Stop(t)
	out := s.open(t, s.far.Addr)
	batch := s.batch(10)
	s.refused(t, out, batch)
	s.refused(t, out, batch)
	s.far.Start(t)
	Deliver(t, out, batch)
	s.expect(t, pointsOf(batch))
}

func (s *suite) survivesRestart(t *testing.T) {
	out := s.open(t, s.far.Addr)
	before, after := s.batch(700), s.batch(700)
	write(t, out, before)
	s.far.Stop(t)
	s.refused(t, out, after)
	s.far.Start(t)
	Deliver(t, out, after)
	s.expect(t, slices.Concat(pointsOf(before), pointsOf(after)))
}

func (s *suite) connects(t *testing.T) {
	out := s.far.New(t, s.far.Addr)
	c, ok := out.(sink.Connector)
	if !ok {
		out.Close()
		return // it need not be able to
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := c.Connect(ctx); err != nil {
		t.Errorf("Connect: %v", err)
	}
	if err := out.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
	s.far.Stop(t)
	absent := s.far.New(t, s.far.Addr)
	defer absent.Close()
	if err := absent.(sink.Connector).Connect(ctx); err == nil {
		t.Error("Connect finds a far end that is not there")
	}
	s.far.Start(t)
	for absent.(sink.Connector).Connect(ctx) != nil {
		if ctx.Err() != nil {
			t.Fatal("Connect does not find the far end that has returned")
		}
	}
}

func (s *suite) endsGoroutines(t *testing.T) {
	before := goleak.IgnoreCurrent()
	out := s.far.New(t, s.far.Addr)
	write(t, out, s.batch(10))
	if err := out.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
	unused := s.far.New(t, s.far.Addr)
	if err := unused.Close(); err != nil {
		t.Errorf("Close without a Write: %v", err)
	}
	noLeak(t, before)

	s.far.Stop(t)
	before = goleak.IgnoreCurrent()
	out = s.far.New(t, s.far.Addr)
	s.refused(t, out, s.batch(10))
	if err := out.Close(); err != nil {
		t.Errorf("Close while the far end is absent: %v", err)
	}
	noLeak(t, before)
	s.far.Start(t)
}

// refused wants Write to fail soon while the far end is absent, and not for
// good.
func (s *suite) refused(t *testing.T, out sink.Sink, batch []protocol.Reading) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	err := out.Write(ctx, batch)
	var partial *sink.PartialError
	if err == nil || ctx.Err() != nil || sink.IsPermanent(err) || errors.As(err, &partial) {
		t.Errorf("Write to an absent far end = %v (context: %v), want an error that invites a retry", err, ctx.Err())
	}
}

// Deliver writes the readings again and again, as a delivery does, until the far
// end has confirmed them.
func Deliver(t testing.TB, out sink.Sink, readings []protocol.Reading) {
	t.Helper()
	deliver(t, out, readings)
}

// deliver returns how often Write failed.
func deliver(t testing.TB, out sink.Sink, readings []protocol.Reading) (failed int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for ; ; failed++ {
		err := out.Write(ctx, readings)
		if err == nil {
			return failed
		}
		select {
		case <-ctx.Done():
			t.Fatalf("Write: %v", err)
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// silence returns the address of a server that accepts connections and never
// says anything.
func silence(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var accepting sync.WaitGroup
	accepting.Go(func() {
		var held []net.Conn
		for {
			conn, err := l.Accept()
			if err != nil {
				break
			}
			held = append(held, conn)
		}
		for _, conn := range held {
			conn.Close()
		}
	})
	t.Cleanup(func() {
		l.Close()
		accepting.Wait()
	})
	return l.Addr().String()
}

// noLeak wants every goroutine started since before was taken to end.
func noLeak(t *testing.T, before goleak.Option) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for {
		err := goleak.Find(before)
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Error(err)
			return
		}
	}
}
