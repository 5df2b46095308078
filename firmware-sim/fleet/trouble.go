package fleet

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"sluice/cmd/gateway/config"
	"sluice/firmware-sim/bus"
)

// trouble is a fault and whom it strikes on its bus.
type trouble struct {
	Fault
	kind    kind
	members []member // who may suffer
	units   []uint8  // whom it is meant for; nil for all
}

// AddFaults has faults strike the devices when they are played. It is called
// when all buses are there. The error says what a wrong one meant.
func (m *Model) AddFaults(faults ...Fault) error {
	for _, f := range faults {
		if err := m.addFault(f); err != nil {
			return fmt.Errorf("fault %v: %w", f, err)
		}
	}
	return nil
}

func (m *Model) addFault(f Fault) error {
	k, ok := kindOf(f.Kind)
	if !ok {
		return fmt.Errorf("%q is no fault%s", f.Kind, config.Suggest(f.Kind, FaultKinds()))
	}
	for i := range m.buses {
		b := &m.buses[i]
		if b.Driver == f.Target {
			return b.addTrouble(trouble{Fault: f, kind: k, members: b.members})
		}
		for _, one := range b.members {
			switch {
			case one.polls().name() != f.Target:
			case k.whole:
				return fmt.Errorf("strikes all that is on a bus, want %s:%s", f.Kind, b.Driver)
			default:
				return b.addTrouble(trouble{Fault: f, kind: k, members: b.suffer(k, one), units: []uint8{one.polls().address}})
			}
		}
	}
	return m.unknownTarget(f.Target)
}

// unknownTarget says why no fault can strike who has that name.
func (m *Model) unknownTarget(name string) error {
	if slices.ContainsFunc(m.devices, func(d *Device) bool { return d.Name == name || d.Driver == name }) {
		return fmt.Errorf("%s is asked by nobody: faults strike Modbus devices, and serial devices that are asked", name)
	}
	var known []string
	for i := range m.buses {
		known = append(known, m.buses[i].Driver)
		for _, one := range m.buses[i].members {
			known = append(known, one.polls().name())
		}
	}
	return fmt.Errorf("no device and no driver that is simulated is called %q%s", name, config.Suggest(name, known))
}

// suffer returns who may suffer from a fault of one device.
func (b *busModel) suffer(k kind, one member) []member {
	if k.spills && b.Mode != bus.TCP {
		return b.members
	}
	return []member{one}
}

// addTrouble adds a fault that can strike such a bus.
func (b *busModel) addTrouble(t trouble) error {
	switch {
	case t.kind.line && b.Mode == bus.TCP:
		return errors.New("takes a line, and there is none behind Modbus TCP")
	case t.kind.frame && b.Mode == bus.Text:
		return errors.New("takes Modbus")
	}
	b.troubles = append(b.troubles, t)
	for _, m := range b.members {
		m.polls().troubled = true
	}
	return nil
}

// strike plays the faults of the bus until t ends, and waits for that.
func (b *playedBus) strike(t *talk) error {
	var playing sync.WaitGroup
	failed := make(chan error, len(b.model.troubles)) // one for each, sent before playing is over
	for i := range b.model.troubles {
		one := &b.model.troubles[i]
		playing.Go(func() { failed <- b.play(t, one) })
	}
	playing.Wait()
	close(failed)
	b.count()
	var errs []error
	for err := range failed {
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// count notes how often the faults of the play have struck.
func (b *playedBus) count() {
	b.told = map[string]int64{}
	for _, t := range b.model.troubles {
		if t.Kind == unplug {
			b.told[unplug] = b.away.total()
		} else {
			b.told[t.Kind] = b.Injected(t.kind.fault)
		}
	}
}

// play plays one fault, from its start to its end or that of t.
func (b *playedBus) play(t *talk, one *trouble) error {
	if !sleep(t, one.Start) {
		return nil
	}
	for _, m := range one.members {
		m.polls().strike(b.fleet, time.Now())
	}
	lift, err := b.begin(one)
	if err != nil {
		return err
	}
	if one.Length == 0 {
		<-t.Done()
	} else {
		sleep(t, one.Length)
	}
	if t.Err() != nil {
		return nil // the bus goes away as it is
	}
	err = lift()
	for _, m := range one.members {
		m.polls().lift(time.Now())
	}
	return err
}

// begin makes a fault strike, until lift is called.
func (b *playedBus) begin(one *trouble) (lift func() error, err error) {
	if one.Kind == unplug {
		return func() error { return b.away.end(b.Plug) }, b.away.begin(b.Unplug)
	}
	end := b.Inject(bus.Trouble{Fault: one.kind.fault, Units: one.units})
	return func() error {
		end()
		return nil
	}, nil
}

// outage is how often the bus was unplugged, and is at the same time. It is safe
// for concurrent use.
type outage struct {
	mu    sync.Mutex // guards what follows
	now   int
	sofar int64
}

// begin has the bus unplugged, unless it is.
func (o *outage) begin(unplug func() error) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.now++
	o.sofar++
	if o.now > 1 {
		return nil
	}
	return unplug()
}

// end has it plugged in when this was the last reason not to be.
func (o *outage) end(plug func() error) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.now--
	if o.now > 0 {
		return nil
	}
	return plug()
}

func (o *outage) total() int64 {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.sofar
}
