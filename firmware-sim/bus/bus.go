package bus

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"slices"
	"sync"
	"time"

	"sluice/firmware-sim/wire/pty"
)

// Bus is a line with devices on it, and the other end of what a gateway opens.
// Its methods are safe for concurrent use; Run is called once at a time.
type Bus struct {
	options Options
	timing  timing

	change chan struct{} // Plug and Close send, Run receives; one is enough to make it look again
	socket socket

	mu       sync.Mutex // guards all that follows, the wires and the conns
	slaves   [256]*slave
	devices  []*device
	talkers  []*device // the devices that talk by themselves
	book     book      // what the devices listen to
	line     *wire     // the one wire of all conns, but for TCP
	conns    []*conn   // the first one gets what nobody asked for
	random   random
	troubles []*trouble
	babble   time.Time // when somebody babbles next
	arbiter  arbiter
	stats    Stats
	struck   [faults][256]int64 // how often a fault has struck a unit
}

// New makes a bus without devices and offers it at its link or address: it can
// be opened at once, and is answered by Run. Without either it is for Serve. The
// caller closes it.
func New(o Options) (*Bus, error) {
	t, err := o.timing()
	if err != nil {
		return nil, fmt.Errorf("make bus: %w", err)
	}
	if o.Lump == 0 {
		o.Lump = defaultLump
	}
	b := &Bus{
		options: o, timing: t,
		change: make(chan struct{}, 1),
		random: random{rand.New(rand.NewPCG(o.Seed, 1))},
	}
	b.line = &wire{timing: t, judged: true, arbiter: &b.arbiter}
	if o.Link != "" || o.Listen != "" {
		if err := b.Plug(); err != nil {
			return nil, err
		}
	}
	return b, nil
}

// Add puts a slave on the bus, also while it is played.
func (b *Bus) Add(s Slave) error {
	n, err := newSlave(s)
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case err != nil:
		return fmt.Errorf("add slave: %w", err)
	case b.options.Mode == Text:
		return errors.New("add slave: a text bus has devices")
	case b.options.Mode != TCP && (s.Unit == 0 || s.Unit > 247):
		return fmt.Errorf("add slave: unit is %d, want 1 to 247", s.Unit)
	case b.slaves[s.Unit] != nil:
		return fmt.Errorf("add slave: unit %d is there already", s.Unit)
	}
	b.slaves[s.Unit] = n
	return nil
}

// AddDevice puts a device on a text bus, also while it is played.
func (b *Bus) AddDevice(d Device) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case b.options.Mode != Text:
		return fmt.Errorf("add device: a bus of mode %v has slaves", b.options.Mode)
	case slices.ContainsFunc(b.devices, func(o *device) bool { return o.Unit == d.Unit }):
		return fmt.Errorf("add device: unit %d is there already", d.Unit)
	case d.Talk != nil && d.Every <= 0:
		return fmt.Errorf("add device: unit %d talks, but not every so often", d.Unit)
	}
	n := &device{Device: d}
	b.devices = append(b.devices, n)
	b.book.add(n)
	if d.Talk != nil {
		b.talkers = append(b.talkers, n)
	}
	b.poke()
	return nil
}

// Set changes values of a slave from an address on. Where Value has a say it is
// asked nevertheless.
func (b *Bus) Set(unit uint8, t Table, address uint16, values ...uint16) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	s := b.slaves[unit]
	if s == nil || t >= tables {
		return fmt.Errorf("set values: unit %d, %v is not there", unit, t)
	}
	cells := s.cells(t, address, len(values))
	if cells == nil {
		return fmt.Errorf("set values: unit %d has not %d in %v from %d on", unit, len(values), t, address)
	}
	copy(cells, values)
	return nil
}

// Get returns n values of a slave from an address on, as they were set or
// written, nil when they are not there.
func (b *Bus) Get(unit uint8, t Table, address uint16, n int) []uint16 {
	b.mu.Lock()
	defer b.mu.Unlock()
	if s := b.slaves[unit]; s != nil && t < tables {
		return slices.Clone(s.cells(t, address, n))
	}
	return nil
}

func (b *Bus) attach(line Line) *conn {
	b.mu.Lock()
	defer b.mu.Unlock()
	c := &conn{bus: b, line: line, wire: b.line, ear: newEar(b.options.Mode, &b.book), patient: linePatient}
	if b.options.Mode == TCP {
		c.wire = &wire{}
	}
	if _, tcp := line.(*net.TCPConn); tcp || b.options.Mode == TCP {
		c.patient = tcpPatient
	}
	b.conns = append(b.conns, c)
	return c
}

func (b *Bus) detach(c *conn) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.stats.Bad += c.ear.bad()
	b.stats.Skipped += c.ear.skipped()
	b.stats.Lost += int64(c.wire.forget(c))
	b.conns = slices.DeleteFunc(b.conns, func(o *conn) bool { return o == c })
	if len(b.conns) == 0 {
		b.line.last = Interval{} // who comes next cannot know what was on the line
	}
	b.poke()
}

// poke has all conns look again what there is to do.
func (b *Bus) poke() {
	for _, c := range b.conns {
		c.wake()
	}
}

// settle counts what is handed over whole to c, and enters it in the ledger.
func (b *Bus) settle(c *conn) {
	b.mu.Lock()
	for _, t := range c.done {
		if rest := t.rest; rest != nil {
			rest.faults |= t.faults
			rest.cut = t.cut
		}
		if t.answer && !t.cut {
			b.stats.Answers++
		}
		if t.faults.Has(Collision) {
			b.count(Collision, t.unit)
		}
	}
	b.mu.Unlock()
	if b.options.Ledger == nil {
		return
	}
	now := time.Now()
	for _, t := range c.done {
		for _, a := range t.answers {
			if a.At, a.Faults = now, t.faults; !t.cut {
				b.options.Ledger(a)
			}
		}
	}
}

// lose counts bytes that the master did not take, and sees to it that what they
// belong to is not taken for answered.
func (b *Bus) lose(c *conn, n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.stats.Lost += int64(n)
	for _, t := range c.wire.out {
		if t.to == c && t.sent > 0 {
			t.cut = true
		}
	}
	for _, t := range c.done {
		if t.rest != nil {
			t.rest.cut = true
		}
	}
}

// Run plays the bus at its link or address until ctx ends. While it is unplugged
// Run waits. After Close it returns nil.
func (b *Bus) Run(ctx context.Context) error {
	for ctx.Err() == nil {
		var err error
		tty, listener, closed := b.socket.now()
		switch {
		case closed:
			return nil
		case tty != nil:
			err = b.Serve(ctx, tty)
		case listener != nil:
			err = b.accept(ctx, listener)
		}
		if err != nil {
			return fmt.Errorf("play bus at %s: %w", b.Path(), err)
		}
		select {
		case <-ctx.Done():
		case <-b.change:
		}
	}
	return nil
}

var _ Line = (*pty.Pty)(nil)
