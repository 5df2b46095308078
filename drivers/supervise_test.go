package drivers_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"sluice/drivers"
	"sluice/protocol"
)

// driverFunc is a driver made of one function.
type driverFunc func(ctx context.Context, e drivers.Emitter) error

func (f driverFunc) Run(ctx context.Context, e drivers.Emitter) error { return f(ctx, e) }

type nowhere struct{}

func (nowhere) Emit(*protocol.Batch) bool { return false }

// supervise runs f until the returned function is called, which returns when
// Supervise has.
func supervise(t *testing.T, log *slog.Logger, r drivers.Restart, f driverFunc) (s *drivers.Status, stop func()) {
	ctx, cancel := context.WithCancel(t.Context())
	s = drivers.NewStatus(log)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		drivers.Supervise(ctx, f, nowhere{}, s, log, r)
	}()
	return s, func() {
		cancel()
		<-ended
	}
}

func TestSuperviseBacksOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var starts []time.Time
		r := drivers.Restart{Min: 100 * time.Millisecond, Max: 2 * time.Second}
		s, stop := supervise(t, slog.New(slog.DiscardHandler), r, func(context.Context, drivers.Emitter) error {
			starts = append(starts, time.Now())
			return errors.New("broker is away")
		})
		time.Sleep(time.Minute)
		synctest.Wait()
		if c := s.Condition(); c.State != drivers.Down || c.Detail != "broker is away" {
			t.Errorf("condition is %+v, want down with the reason", c)
		}
		stop()
		limit := r.Min
		for i := 1; i < len(starts); i++ {
			if gap := starts[i].Sub(starts[i-1]); gap > limit {
				t.Errorf("restart %d came after %v, want at most %v", i, gap, limit)
			}
			limit = min(2*limit, r.Max)
		}
		if n := len(starts); n < 30 || n > 200 {
			t.Errorf("%d starts in a minute, want about 60", n)
		}
	})
}

func TestSuperviseForgetsOldFailures(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		runs := 0
		var ended time.Time
		var gap time.Duration
		_, stop := supervise(t, slog.New(slog.DiscardHandler), drivers.Restart{Min: 100 * time.Millisecond, Max: time.Hour},
			func(ctx context.Context, _ drivers.Emitter) error {
				runs++
				switch {
				case runs == 13: // after twelve failures the wait may be minutes
					time.Sleep(20 * time.Second)
					ended = time.Now()
				case runs == 14:
					gap = time.Since(ended)
					<-ctx.Done()
				}
				return errors.New("lost")
			})
		time.Sleep(12 * time.Hour)
		synctest.Wait()
		stop()
		if runs != 14 || gap > 100*time.Millisecond {
			t.Errorf("run %d came %v after a run of 20s, want run 14 within 100ms", runs, gap)
		}
	})
}

func TestSuperviseRecovers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		runs := 0
		s, stop := supervise(t, logTo(&log), drivers.DefaultRestart(), func(ctx context.Context, _ drivers.Emitter) error {
			if runs++; runs == 1 {
				panic("index out of range")
			}
			if runs == 2 {
				return nil // nobody asked it to end
			}
			<-ctx.Done()
			return nil
		})
		time.Sleep(time.Minute)
		synctest.Wait()
		if c := s.Condition(); runs != 3 || c.State != drivers.Down || c.Detail != "driver ended by itself" {
			t.Errorf("after %d runs the condition is %+v, want the third run after it ended by itself", runs, c)
		}
		stop()
		for _, want := range []string{`msg="driver panicked" panic="index out of range" stack=`, `err="driver panicked: index out of range"`} {
			if !strings.Contains(log.String(), want) {
				t.Errorf("the log lacks %s:\n%s", want, log.String())
			}
		}
	})
}

func TestSuperviseEndsWhileItWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, stop := supervise(t, slog.New(slog.DiscardHandler), drivers.Restart{Min: 10 * time.Hour, Max: 10 * time.Hour},
			func(context.Context, drivers.Emitter) error { return errors.New("lost") })
		synctest.Wait()
		began := time.Now()
		stop()
		if took := time.Since(began); took > 0 {
			t.Errorf("Supervise took %v to end, want none", took)
		}
		if state := s.Condition().State; state != drivers.Down {
			t.Errorf("state is %s, want down", state)
		}
	})
}

// TestSuperviseShutdownIsNoFailure ends a driver that returns an error because
// it was stopped.
func TestSuperviseShutdownIsNoFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, stop := supervise(t, slog.New(slog.DiscardHandler), drivers.DefaultRestart(),
			func(ctx context.Context, _ drivers.Emitter) error {
				<-ctx.Done()
				return ctx.Err()
			})
		synctest.Wait()
		stop()
		if c := s.Condition(); c.State != drivers.Connecting {
			t.Errorf("condition is %+v, want it unchanged", c)
		}
	})
}
