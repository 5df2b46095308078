package fleet

import (
	"sync"
	"time"

	"sluice/firmware-sim/bus"
	"sluice/firmware-sim/ledger"
	"sluice/protocol"
)

// member is a device on a bus.
type member interface {
	polls() *polled
	// join puts it on the bus.
	join(b *bus.Bus) error
	// answered hears of every answer that it gave as it was meant.
	answered(f *Fleet, a *bus.Answer)
}

// polled is a device that says what it is asked for. What is asked for at the
// same time becomes one reading.
type polled struct {
	address  uint8 // of the device on its bus
	groups   []*group
	troubled bool // faults strike the bus

	mu      sync.Mutex // guards what follows, and the groups
	faults  int        // that strike it now
	excused bool       // a fault struck it, and it is not yet asked as usual again
	lifted  time.Time  // when what the last one left is over
}

// group is the metrics of a device that have the same period. From one answer
// that completes them to the next they do not change.
type group struct {
	*Device
	every   time.Duration
	metrics []register // of a unit, by name, as the messages of the form
	sample  Sample     // what the device says when it is asked
	read    int        // metrics that were answered since the sample was taken
	began   time.Time  // when the first of them was
	heard   time.Time  // when the last of them was
	astray  bool       // a poll may have broken off: what was answered need not belong together
	done    time.Time  // when the sample before was answered for
	ref     ledger.Ref // of that
	asked   bool
}

func (p *polled) polls() *polled { return p }

func (p *polled) name() string { return p.groups[0].Name }

// device returns what stands for the device in the model.
func (p *polled) device() *Device {
	first := p.groups[0].Device
	for _, g := range p.groups {
		first.byCount = first.byCount || g.byCount
	}
	return first
}

// complete notes that a sample went out. When it comes so soon after another one
// that this was not received, and asked for again, the other one does not count.
// p.mu is held.
func (p *polled) complete(f *Fleet, g *group, a *bus.Answer) {
	usual := a.At.Sub(g.done) >= g.every/2
	if whole := a.At.Sub(g.began) <= g.began.Sub(g.done); whole && p.steady(g.done) {
		g.astray = false
	}
	if p.excused && g == p.groups[0] && !g.astray && usual && a.Faults == 0 {
		p.excused = false
		f.judge(g.Name, a.At)
	}
	switch {
	case !g.asked:
	case usual || p.excused:
		f.confirm(g.ref)
	case p.troubled:
		f.waive(g.ref) // or the poll before was late because of others
	default:
		f.unsend(g.ref)
	}
	g.done, g.asked = a.At, true
	f.sent.Add(1)
	if l := f.play.Ledger; l != nil {
		g.ref = l.Sent(g.Name, ledger.Sample{Time: g.sample.Time, At: protocol.At(a.At), Metrics: g.sample.Metrics})
	}
}

// What faults do to what goes on around them: a poll has begun before, and a late
// answer comes after.
const (
	before    = time.Second
	aftermath = 2 * time.Second
)

// steady reports whether no fault has touched what happens after a time. p.mu is
// held.
func (p *polled) steady(at time.Time) bool { return p.faults == 0 && at.After(p.lifted) }

// strike notes that a fault strikes the device from now on. What it says, and
// what comes of that, is nobody's merit or fault until it is asked as usual
// again: the gateway may leave it alone for a while.
func (p *polled) strike(f *Fleet, now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.faults++
	if !p.excused {
		p.excused = true
		f.excuse(p.name(), now.Add(-before))
	}
	for _, g := range p.groups {
		g.astray = true
	}
}

// lift notes that a fault is over.
func (p *polled) lift(now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.faults--
	p.lifted = now.Add(aftermath)
}

// settle confirms what was answered last.
func (p *polled) settle(f *Fleet) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, g := range p.groups {
		if g.asked {
			f.confirm(g.ref)
		}
	}
}

// unasked returns the periods of what nobody asked for.
func (p *polled) unasked() []time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	var list []time.Duration
	for _, g := range p.groups {
		if !g.asked {
			list = append(list, g.every)
		}
	}
	return list
}
