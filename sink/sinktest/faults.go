package sinktest

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"sluice/protocol"
	"sluice/sink"
)

// beyondRun keeps the readings of RunFaults apart from those of Run.
const beyondRun = 1_000_000

// RunFaults puts a faulty line between the sink and its far end: in the end each
// reading is stored, once where the sink promises that, else at most one window
// of them twice per fault.
func RunFaults(t *testing.T, far Far) {
	if far.Slow == 0 {
		far.Slow = 300 * time.Millisecond
	}
	s := &suite{far: far, epoch: uint64(time.Now().UnixNano()), made: beyondRun}
	t.Run("connections are refused", s.isRefused)
	t.Run("nobody is behind the line", s.isDead)
	t.Run("the line swallows everything", s.isBlackHole)
	t.Run("the line is cut in the middle of a batch", s.isCut)
	t.Run("the line loses answers", s.losesAnswers)
	t.Run("each answer takes long", s.isSlow)
	t.Run("the line comes and goes", s.flaps)
	if far.Secure != nil {
		t.Run("TLS", s.isSecure)
	}
}

// trial is one sink behind one faulty line.
type trial struct {
	*suite
	line   *Line
	out    sink.Sink
	want   []Point
	faults int // Writes that failed
}

// try returns a sink that has written something, so that it has a connection.
func (s *suite) try(t *testing.T) *trial {
	t.Helper()
	r := &trial{suite: s, line: StartLine(t, s.far.Addr)}
	r.out = s.open(t, r.line.Addr())
	r.deliver(t, r.next(10))
	return r
}

// next returns n readings that have to be stored in the end.
func (r *trial) next(n int) []protocol.Reading {
	batch := r.batch(n)
	r.want = append(r.want, pointsOf(batch)...)
	return batch
}

func (r *trial) deliver(t *testing.T, batch []protocol.Reading) {
	t.Helper()
	r.faults += deliver(t, r.out, batch)
}

// fails wants Writes to fail, soon and not for good.
func (r *trial) fails(t *testing.T, batch []protocol.Reading) {
	t.Helper()
	for range 2 {
		r.refused(t, r.out, batch)
		r.faults++
	}
}

// settle mends the line, delivers the batch, and wants everything stored.
func (r *trial) settle(t *testing.T, batch []protocol.Reading) {
	t.Helper()
	r.line.Mend(t)
	r.deliver(t, batch)
	if doubled := r.expect(t, r.want); doubled > r.far.Window*r.faults && !r.far.ExactlyOnce {
		t.Errorf("stored %d readings twice over %d faults, want at most %d for each", doubled, r.faults, r.far.Window)
	}
}

func (s *suite) isRefused(t *testing.T) {
	r := s.try(t)
	batch := r.next(300)
	r.line.Cut()
	r.fails(t, batch)
	r.settle(t, batch)
}

func (s *suite) isDead(t *testing.T) {
	r := s.try(t)
	batch := r.next(300)
	s.far.Stop(t)
	r.fails(t, batch)
	s.far.Start(t)
	r.settle(t, batch)
}

func (s *suite) isBlackHole(t *testing.T) {
	r := s.try(t)
	batch := r.next(300)
	r.line.Freeze(t)
	for range 2 {
		ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
		begin := time.Now()
		if err := r.out.Write(ctx, batch); err == nil || sink.IsPermanent(err) {
			t.Errorf("Write into a black hole = %v, want an error that invites a retry", err)
		}
		if took := time.Since(begin); took > patience/3 {
			t.Errorf("Write took %v after its context had ended", took)
		}
		cancel()
		r.faults++
	}
	r.settle(t, batch)
}

func (s *suite) isCut(t *testing.T) {
	for _, bytes := range []int{0, 1500, 4000} {
		t.Run(fmt.Sprintf("after %d bytes", bytes), func(t *testing.T) {
			r := s.try(t)
			batch := r.next(1500)
			r.line.CloseAfter(t, bytes)
			r.fails(t, batch)
			r.settle(t, batch)
		})
	}
}

// losesAnswers cuts a line over which everything may have been stored.
func (s *suite) losesAnswers(t *testing.T) {
	r := s.try(t)
	for range 3 {
		batch := r.next(500)
		r.line.LoseAnswer(t)
		r.refused(t, r.out, batch)
		r.faults++
		r.settle(t, batch)
	}
}

func (s *suite) isSlow(t *testing.T) {
	r := s.try(t)
	batch := r.next(300)
	r.line.spoil(t, fmt.Sprintf(delayAnswers, s.far.Slow.Milliseconds()))
	write(t, r.out, batch)
	r.settle(t, r.next(10))
}

func (s *suite) flaps(t *testing.T) {
	r := s.try(t)
	batch := r.next(2000)
	var flapping sync.WaitGroup
	flapping.Go(func() {
		for i := range 8 {
			time.Sleep(time.Duration(1+5*i) * time.Millisecond) // up, ever longer
			r.line.Cut()
			time.Sleep(20 * time.Millisecond) // down
			r.line.Mend(t)
		}
	})
	for i := 0; i < len(batch); i += 100 {
		r.deliver(t, batch[i:i+100])
	}
	flapping.Wait()
	r.settle(t, r.next(10))
}
