package pipeline

import (
	"sync/atomic"
	"time"
)

// patience is how much longer than it has said a loop may take for a turn: disks of
// edge boxes stall for tens of seconds, and going on is all that they need then.
const patience = time.Minute

// pulse is when a loop is to have come round, so that one that hangs is seen. The
// loop says how long it waits before it does; what it does between two waits has
// to fit into patience. The clock is the monotonic one: setting the other makes
// nobody late.
type pulse struct {
	began time.Time
	due   atomic.Int64 // nanoseconds after began; 0: the loop waits for work, however long
}

func newPulse() *pulse { return &pulse{began: time.Now()} }

// within says that the loop comes round after wait, or sooner.
func (p *pulse) within(wait time.Duration) {
	p.due.Store(int64(time.Since(p.began) + wait + patience))
}

// rest says that the loop waits until there is something to do.
func (p *pulse) rest() { p.due.Store(0) }

// late returns how long ago the loop was to come round, 0 when it is in time. It is
// safe for concurrent use.
func (p *pulse) late() time.Duration {
	due := p.due.Load()
	if due == 0 {
		return 0
	}
	return max(0, time.Since(p.began)-time.Duration(due))
}

// Stuck is a loop of the pipeline that hangs.
type Stuck struct {
	Part string        // "journal", or "sink" and its name
	Late time.Duration // how long ago it was to come round
}

// Stuck returns the loops that hang, such as a delivery whose sink does not return
// from a write long after its time-out. To wait for a sink, for readings, or for
// room on the disk is not to hang. It is safe for concurrent use.
func (p *Pipeline) Stuck() []Stuck {
	var list []Stuck
	add := func(part string, of *pulse) {
		if late := of.late(); late > 0 {
			list = append(list, Stuck{part, late})
		}
	}
	add("journal", p.committer.pulse)
	p.mu.RLock()
	defer p.mu.RUnlock()
	for _, d := range p.deliveries {
		add("sink "+d.name, d.pulse)
	}
	return list
}
