package pipeline

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"sluice/protocol"
	"sluice/sink"
)

// deaf is a sink whose writes return when it is told to, whatever their context
// says.
type deaf struct {
	hang chan struct{} // closed by the test
}

func (d *deaf) Write(context.Context, []protocol.Reading) error {
	<-d.hang
	return nil
}

func (d *deaf) Close() error { return nil }

func stuckParts(p *Pipeline) []string {
	var parts []string
	for _, s := range p.Stuck() {
		parts = append(parts, s.Part)
	}
	return parts
}

// A write that does not return, long after its time-out, is a delivery that hangs;
// when it returns all is well again.
func TestDeliveryThatHangsIsStuck(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hub, well := &deaf{hang: make(chan struct{})}, newMemory()
		p := start(t, config(t.TempDir()), nil, delivered("hub", hub), delivered("history", well))
		p.Intake("floor").Emit(batch(protocol.Origin{}, nil, 1))
		time.Sleep(DefaultDelivery().Timeout + patience - time.Second)
		if parts := stuckParts(p.Pipeline); parts != nil {
			t.Errorf("%v are stuck within their time-out", parts)
		}
		time.Sleep(2 * time.Second)
		if parts := stuckParts(p.Pipeline); !slices.Equal(parts, []string{"sink hub"}) {
			t.Errorf("stuck is %v, want sink hub", parts)
		}
		close(hub.hang)
		synctest.Wait()
		if parts := stuckParts(p.Pipeline); parts != nil {
			t.Errorf("%v are stuck although the write has returned", parts)
		}
	})
}

// To wait is not to hang: for readings, for a sink that is away or asks for time,
// for a batch to fill, for a write that takes its whole time-out.
func TestWaitingIsNotStuck(t *testing.T) {
	for name, fail := range map[string]error{
		"idle": nil, "away": errors.New("connection refused"), "asked": sink.RetryAfter(errors.New("later"), 3*time.Hour),
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				slow := delivered("hub", newMemory())
				slow.Sink.(*memory).fails(fail)
				slow.Config.Batch.MaxAge = time.Hour
				slow.Config.Retry.Max = 30 * time.Minute
				p := start(t, config(t.TempDir()), nil, slow)
				for range 600 {
					p.Intake("floor").Emit(batch(protocol.Origin{}, nil, 1))
					time.Sleep(time.Minute)
					if s := p.Stuck(); s != nil {
						t.Fatalf("%v", s)
					}
				}
			})
		})
	}
}
