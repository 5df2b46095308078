package fleet

import (
	"context"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"sluice/firmware-sim/bus"
)

// Bus is what one Modbus driver talks to.
type Bus struct {
	Driver string
	Mode   bus.Mode
	Line   string // of a serial line, and of one behind a converter
	Listen bool   // it is reached by TCP
}

// Unit is a row of the device list with one address on a bus.
type Unit struct {
	Row
	Address uint8
}

// AddBus adds the devices behind one Modbus driver.
func (m *Model) AddBus(b Bus, units []Unit) error {
	found := busModel{Bus: b}
	for _, u := range units {
		m.reserve([]Row{u.Row})
		one, err := newUnit(b.Driver, u, m.opts.Seed)
		if m.leavesOut(u.Row, err) {
			continue
		}
		if err != nil {
			return fmt.Errorf("simulate driver %s: %w", b.Driver, err)
		}
		found.members = append(found.members, one)
		m.devices = append(m.devices, one.device())
	}
	m.buses = append(m.buses, found)
	return nil
}

// busModel is a bus and who is on it.
type busModel struct {
	Bus
	members  []member
	troubles []trouble
}

// line is how fast a line behind a converter is, which no configuration says.
const converterLine = "115200 8N1"

// turnaround is how long a unit takes to begin an answer.
const turnaround = 3 * time.Millisecond

// playedBus is a bus in a Fleet. From Open until Run it is away.
type playedBus struct {
	*bus.Bus
	fleet *Fleet
	model *busModel
	away  outage
	told  map[string]int64 // how often faults have struck; written by run
}

func (f *Fleet) addBus(m *busModel) error {
	b := &playedBus{fleet: f, model: m}
	o := bus.Options{Mode: m.Mode, Line: m.Line, Turnaround: turnaround, Seed: f.model.opts.Seed, Ledger: b.answered}
	if m.Listen {
		o.Listen, o.Turnaround = f.listen(), turnaround/10
		if m.Mode != bus.TCP && o.Line == "" {
			o.Line = converterLine
		}
	} else {
		o.Link = filepath.Join(f.play.Ports, m.Driver)
	}
	var err error
	if b.Bus, err = bus.New(o); err != nil {
		return fmt.Errorf("offer bus of driver %s: %w", m.Driver, err)
	}
	f.buses = append(f.buses, b)
	for _, one := range m.members {
		if err := one.join(b.Bus); err != nil {
			return fmt.Errorf("offer bus of driver %s: %w", m.Driver, err)
		}
	}
	return b.Unplug()
}

// listen returns where the next bus by TCP listens.
func (f *Fleet) listen() string {
	port := f.play.TCPPort
	for _, b := range f.buses {
		if port > 0 && b.model.Listen {
			port++
		}
	}
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
}

// Buses returns the buses on offer: links that lead to pseudo terminals, and
// addresses. They come and go with Run.
func (f *Fleet) Buses() []Port {
	var ports []Port
	for _, b := range f.buses {
		ports = append(ports, Port{Driver: b.model.Driver, Path: b.Path()})
	}
	return ports
}

// BusCounts are what has happened on the bus of one driver.
type BusCounts struct {
	Driver     string
	Requests   int64            // that were heard
	Answers    int64            // that went out whole, spoilt ones among them
	Violations int64            // of the rules of the line by its master
	Struck     map[string]int64 // how often faults have struck, by their kind
}

// BusCounts returns the counts of every bus. It is called after Run has returned.
func (f *Fleet) BusCounts() []BusCounts {
	var list []BusCounts
	for _, b := range f.buses {
		s := b.Stats()
		list = append(list, BusCounts{
			Driver: b.model.Driver, Requests: s.Requests, Answers: s.Answers, Violations: int64(len(b.violations())), Struck: b.told,
		})
	}
	return list
}

// violations returns what the master of the bus did wrong.
func (b *playedBus) violations() []bus.Violation {
	return slices.DeleteFunc(b.Violations(), func(v bus.Violation) bool {
		return v.Kind == bus.Gap && b.model.Listen // a converter sees to the silence itself
	})
}

// BusFaults says what masters did wrong on the buses: they talked over others,
// or without the silence before.
func (f *Fleet) BusFaults() []string {
	var list []string
	for _, b := range f.buses {
		if v := b.violations(); len(v) > 0 {
			list = append(list, fmt.Sprintf("driver %s broke the rules of its bus %d times, first: %v", b.model.Driver, len(v), v[0]))
		}
	}
	return list
}

// Unasked says which metrics nobody asked for.
func (f *Fleet) Unasked() []string {
	var list []string
	for _, b := range f.buses {
		told := map[time.Duration]bool{}
		for _, one := range b.model.members {
			for _, every := range one.polls().unasked() {
				if !told[every] {
					told[every] = true
					list = append(list, fmt.Sprintf("driver %s: what is polled every %v was not asked for: play for longer than that", b.model.Driver, every))
				}
			}
		}
	}
	return list
}

// hush is how long answers that are under way take at the end.
const hush = 200 * time.Millisecond

// run plays the bus until t ends, then lets the last answers through and takes it
// away.
func (b *playedBus) run(t *talk) error {
	ctx, cancel := context.WithCancel(context.WithoutCancel(t))
	defer cancel()
	if err := b.Plug(); err != nil {
		return err
	}
	played := make(chan error, 1) // sent to once, by the goroutine below
	go func() { played <- b.Run(ctx) }()
	struck := make(chan error, 1) // likewise
	go func() { struck <- b.strike(t) }()
	select {
	case err := <-played:
		t.end()
		return errors.Join(err, <-struck)
	case <-t.Done():
	}
	err := <-struck
	b.Inject(bus.Trouble{Fault: bus.Silent})
	<-time.After(hush)
	err = errors.Join(err, b.Unplug())
	cancel()
	err = errors.Join(err, <-played)
	for _, one := range b.model.members {
		one.polls().settle(b.fleet)
	}
	return err
}

// answered hears of every answer just before its last byte goes out.
func (b *playedBus) answered(a bus.Answer) {
	if !a.Sound() || a.Written {
		return
	}
	for _, one := range b.model.members {
		if one.polls().address == a.Unit {
			one.answered(b.fleet, &a)
		}
	}
}
