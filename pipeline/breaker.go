package pipeline

import (
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/sony/gobreaker/v2"

	"sluice/sink"
)

// Breaker says when a sink is left in peace.
type Breaker struct {
	Failures int           `yaml:"failures"` // writes in a row that fail until it opens, default 5
	Pause    time.Duration `yaml:"pause"`    // until it is tried again, default 10s
}

// Validate reports what is wrong with b, as Config.Validate does.
func (b *Breaker) Validate(report func(field, problem string)) {
	if b.Failures < 1 || b.Failures > 1000 {
		report("breaker.failures", fmt.Sprintf("is %d, want 1 to 1000", b.Failures))
	}
	if b.Pause < 100*time.Millisecond || b.Pause > time.Hour {
		report("breaker.pause", fmt.Sprintf("is %v, want 100ms to 1h", b.Pause))
	}
}

// breaker is the circuit breaker of a delivery: closed, all writes go through;
// open, none does; half-open, one does and decides.
type breaker struct {
	config  Breaker
	log     *slog.Logger
	circuit *gobreaker.CircuitBreaker[struct{}]
	state   atomic.Int32 // a gobreaker.State, for Stats
}

func newBreaker(config Breaker, log *slog.Logger) *breaker {
	b := &breaker{config: config, log: log}
	b.reset()
	return b
}

// reset closes the circuit: the sink is known to be back.
func (b *breaker) reset() {
	b.circuit = gobreaker.NewCircuitBreaker[struct{}](gobreaker.Settings{
		Timeout:     b.config.Pause,
		ReadyToTrip: func(c gobreaker.Counts) bool { return c.ConsecutiveFailures >= uint32(b.config.Failures) },
		// What the sink has looked at and rejected says that it is well.
		IsSuccessful: func(err error) bool { return err == nil || isVerdict(err) },
		// And one that says when to come again is waited for.
		IsExcluded: func(err error) bool { return sink.RetryWait(err) > 0 },
		OnStateChange: func(_ string, from, to gobreaker.State) {
			b.state.Store(int32(to))
			if from == gobreaker.StateClosed {
				b.log.Warn("sink is left in peace for now: its circuit breaker has opened", "pause", b.config.Pause)
			}
		},
	})
	b.state.Store(int32(gobreaker.StateClosed))
}

// do calls write unless the circuit is open. tried is false when it was.
func (b *breaker) do(write func() error) (tried bool, err error) {
	_, err = b.circuit.Execute(func() (struct{}, error) {
		tried = true
		return struct{}{}, write()
	})
	return tried, err
}

// isOpen reports whether a write would not be tried now.
func (b *breaker) isOpen() bool { return b.circuit.State() == gobreaker.StateOpen }

// String returns closed, half-open or open. It is safe for concurrent use.
func (b *breaker) String() string { return gobreaker.State(b.state.Load()).String() }

// isVerdict reports whether a sink has judged the readings and not failed.
func isVerdict(err error) bool {
	_, partial := asPartial(err)
	return partial || sink.IsPermanent(err)
}
