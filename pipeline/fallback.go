package pipeline

import (
	"context"
	"fmt"
	"time"

	"sluice/protocol"
	"sluice/sink"
)

// fallback is a sink that takes the readings of others while they are out of
// order. It has no cursor; several deliveries may use it, one at a time.
type fallback struct {
	name    string
	sink    sink.Sink
	timeout time.Duration // of one write
	health  *health
	turn    chan struct{} // holds one token, taken by who writes and given back; never closed
}

func newFallback(s Sink) *fallback {
	f := &fallback{name: s.Name, sink: s.Sink, timeout: s.Config.Timeout, health: newHealth(), turn: make(chan struct{}, 1)}
	f.turn <- struct{}{}
	return f
}

// write writes as soon as it is the caller's turn.
func (f *fallback) write(ctx context.Context, readings []protocol.Reading) error {
	ctx, cancel := context.WithTimeout(ctx, f.timeout)
	defer cancel()
	select {
	case <-f.turn:
	case <-ctx.Done():
		return fmt.Errorf("write to fallback %s: %w", f.name, context.Cause(ctx))
	}
	defer func() { f.turn <- struct{}{} }()
	err := f.sink.Write(ctx, readings)
	if err == nil || isVerdict(err) {
		f.health.ok()
	} else if ctx.Err() == nil {
		f.health.fail(err)
	}
	return err
}
