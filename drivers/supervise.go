package drivers

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"time"

	"github.com/cenkalti/backoff/v5"
)

// Restart says how long Supervise waits before it runs a lost driver again: a
// random time up to Min after the first failure, up to twice that after each
// further one in a row, and never longer than Max (full jitter).
type Restart struct{ Min, Max time.Duration }

// DefaultRestart suits brokers and ports nearby.
func DefaultRestart() Restart { return Restart{Min: 200 * time.Millisecond, Max: 10 * time.Second} }

// settled is how long a driver must have run for its next failure to count as
// the first in a row.
const settled = 10 * time.Second

// Supervise runs d until ctx ends, and again after every error or panic. It
// reports failures to status and returns when d has ended for good. It is the
// one place where a panic is recovered: a driver's panic is its own.
func Supervise(ctx context.Context, d Driver, e Emitter, status *Status, log *slog.Logger, r Restart) {
	// The library draws from [0, 2·interval] at factor 1, so half the
	// interval gives full jitter.
	wait := &backoff.ExponentialBackOff{
		InitialInterval:     r.Min / 2,
		RandomizationFactor: 1,
		Multiplier:          2,
		MaxInterval:         r.Max / 2,
	}
	wait.Reset()
	for {
		began := time.Now()
		err := runOnce(ctx, d, e, log)
		status.Rest()
		if ctx.Err() != nil {
			return
		}
		status.Down(err)
		if time.Since(began) > settled {
			wait.Reset()
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait.NextBackOff()):
		}
	}
}

// Panic carries a panic from a goroutine on which nobody else would recover it,
// such as a library's, to the one that Run runs on: Run panics with it.
type Panic struct {
	Value any
	Stack []byte // of the goroutine where it happened
}

// errEnded stands for a driver that returned nil although nobody stopped it.
var errEnded = errors.New("driver ended by itself")

func runOnce(ctx context.Context, d Driver, e Emitter, log *slog.Logger) (err error) {
	defer func() {
		if v := recover(); v != nil {
			p, carried := v.(*Panic)
			if !carried {
				p = &Panic{v, debug.Stack()}
			}
			log.Error("driver panicked", "panic", p.Value, "stack", string(p.Stack))
			err = fmt.Errorf("driver panicked: %v", p.Value)
		}
	}()
	if err := d.Run(ctx, e); err != nil {
		return err
	}
	return errEnded
}
