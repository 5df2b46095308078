package pipeline

import (
	"context"
	"time"

	"github.com/cenkalti/backoff/v5"
)

// newBackoff returns the waits of r. The library draws from [0, 2·interval] at
// factor 1, so half the interval gives full jitter.
func newBackoff(r Retry) backoff.ExponentialBackOff {
	b := backoff.ExponentialBackOff{
		InitialInterval:     r.Min / 2,
		RandomizationFactor: 1,
		Multiplier:          2,
		MaxInterval:         r.Max / 2,
	}
	b.Reset()
	return b
}

// sleep waits and reports whether ctx let it.
func sleep(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}
