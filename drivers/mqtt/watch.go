package mqtt

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"

	"sluice/protocol"
	"sluice/protocol/payload"
)

// watches are the commands that wait for a reading. They are safe for concurrent
// use; as long as there are none they cost receive the look at a number.
type watches struct {
	waiting atomic.Int32
	mu      sync.Mutex
	all     map[*watch]bool // as many as there are commands under way
}

// watch waits until a metric of a device is what the device was told.
type watch struct {
	device, metric string
	told           payload.Told
	agreed         chan protocol.Value // see sends the first value that agrees, so that the room of 1 is enough; never closed
	last           protocol.Value      // guarded by watches.mu: the latest one seen; null: none was
}

func (ws *watches) begin(device, metric string, told payload.Told) *watch {
	w := &watch{device: device, metric: metric, told: told, agreed: make(chan protocol.Value, 1)}
	ws.mu.Lock()
	defer ws.mu.Unlock()
	if ws.all == nil {
		ws.all = map[*watch]bool{}
	}
	ws.all[w] = true
	ws.waiting.Store(int32(len(ws.all)))
	return w
}

func (ws *watches) end(w *watch) {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	delete(ws.all, w)
	ws.waiting.Store(int32(len(ws.all)))
}

// see shows readings to those that wait. It never blocks.
func (ws *watches) see(readings []protocol.Reading) {
	if ws.waiting.Load() == 0 {
		return
	}
	ws.mu.Lock()
	defer ws.mu.Unlock()
	for w := range ws.all {
		for i := range readings {
			w.see(&readings[i])
		}
	}
}

// see is called under watches.mu.
func (w *watch) see(r *protocol.Reading) {
	if r.Device.Name != w.device || r.Historical {
		return
	}
	for _, m := range r.Metrics {
		if m.Name != w.metric || m.Value.IsNull() {
			continue
		}
		w.last = m.Value
		if w.told.Agrees(m.Value) {
			select {
			case w.agreed <- m.Value:
			default: // an earlier one did
			}
		}
	}
}

// wait returns the value that the metric has, when it is what the device was
// told. The error says what it is at the end of ctx.
func (ws *watches) wait(ctx context.Context, w *watch) (protocol.Value, error) {
	select {
	case v := <-w.agreed:
		return v, nil
	case <-ctx.Done():
	}
	ws.mu.Lock()
	defer ws.mu.Unlock()
	why := context.Cause(ctx)
	if w.last.IsNull() {
		return w.last, fmt.Errorf("the command is published, but no reading of %s with %s has come: %w", w.device, w.metric, why)
	}
	return w.last, fmt.Errorf("the command is published, but %s of %s still is %v: %w", w.metric, w.device, w.last, why)
}
