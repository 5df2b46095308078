package fleet

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"sluice/firmware-sim/bus"
	"sluice/firmware-sim/wire"
	"sluice/protocol"
	"sluice/protocol/modbus"
	"sluice/protocol/payload"
)

// unit is one Modbus device.
type unit struct {
	polled
	reads     payload.Reads
	registers map[place]uint16 // guarded by mu
}

// place is an address in one of a device's tables.
type place struct {
	bus.Table
	address uint16
}

// register is where a metric stands.
type register struct {
	metric   payload.Metric
	table    bus.Table
	point    modbus.Point // of registers
	from, to int          // addresses, to the one behind the last
	read     bool
}

func newUnit(driver string, u Unit, seed uint64) (*unit, error) {
	periods := map[time.Duration]map[string]payload.Metric{}
	for name, m := range u.Decode.Metrics {
		every := cmp.Or(m.Poll, u.Decode.Poll)
		if periods[every] == nil {
			periods[every] = map[string]payload.Metric{}
		}
		periods[every][name] = m
	}
	one := &unit{polled: polled{address: u.Address}, reads: u.Decode.Reads, registers: map[place]uint16{}}
	for _, every := range slices.Sorted(maps.Keys(periods)) {
		form, err := wire.NewRegisters(u.Profile, periods[every])
		if err != nil {
			return nil, err
		}
		d := protocol.Device{Name: u.Name, Profile: u.Profile, Driver: driver, Tags: u.Tags}
		g := &group{Device: newDevice(d, []voice{{form: form}}, seed), every: every}
		for _, name := range slices.Sorted(maps.Keys(periods[every])) {
			r, err := newRegister(periods[every][name])
			if err != nil {
				return nil, fmt.Errorf("metric %s: %w", name, err)
			}
			g.metrics = append(g.metrics, r)
		}
		one.groups = append(one.groups, g)
	}
	return one, nil
}

func newRegister(m payload.Metric) (register, error) {
	r := register{metric: m}
	for table, address := range map[bus.Table]*int{bus.Coils: m.Coil, bus.Discrete: m.Discrete, bus.Input: m.Input, bus.Holding: m.Holding} {
		if address != nil {
			r.table, r.from, r.to = table, *address, *address+1
		}
	}
	if r.bits() {
		return r, nil
	}
	var err error
	if r.point, err = modbus.NewPoint(uint16(r.from), m.Field()); err == nil {
		first, n := r.point.Span()
		r.from, r.to = int(first), int(first)+n
	}
	return r, err
}

func (r *register) bits() bool { return r.table == bus.Coils || r.table == bus.Discrete }

// begin takes the first samples.
func (u *unit) begin() {
	u.mu.Lock()
	defer u.mu.Unlock()
	for _, g := range u.groups {
		u.take(g)
	}
}

// take takes a sample and puts it into the registers. u.mu is held.
func (u *unit) take(g *group) {
	g.sample = g.Next(protocol.At(time.Now()))
	g.again()
	texts := strings.Split(strings.TrimSuffix(string(g.sample.Payload), "\n"), "\n")
	for i := range g.metrics {
		u.put(&g.metrics[i], texts[i])
	}
}

// put writes the text of a metric into its registers. u.mu is held.
func (u *unit) put(r *register, text string) {
	if r.bits() {
		u.registers[place{r.table, uint16(r.from)}] = map[bool]uint16{true: 1}[text == "true"]
		return
	}
	all := modbus.Registers{Start: uint16(r.from), Data: make([]byte, 2*(r.to-r.from))}
	for i := range r.to - r.from {
		n := u.registers[place{r.table, uint16(r.from + i)}] // other bits of it are another metric's
		all.Data[2*i], all.Data[2*i+1] = byte(n>>8), byte(n)
	}
	_ = r.point.Put(all, 0, valueOf(&r.metric, text)) // the form keeps to what fits
	for i := range r.to - r.from {
		u.registers[place{r.table, uint16(r.from + i)}] = uint16(all.Data[2*i])<<8 | uint16(all.Data[2*i+1])
	}
}

// valueOf returns what the registers of a metric hold for a text.
func valueOf(m *payload.Metric, text string) protocol.Value {
	switch {
	case m.Type == "bool":
		return protocol.Bool(text == "true")
	case m.Type == "string":
		return protocol.String(text)
	case strings.HasPrefix(m.Type, "float"):
		f, _ := strconv.ParseFloat(text, 64)
		return protocol.Float(f)
	}
	n, _ := strconv.ParseInt(text, 10, 64)
	return protocol.Int(n)
}

// again has all of a group yet to be asked for.
func (g *group) again() {
	g.read = 0
	for i := range g.metrics {
		g.metrics[i].read = false
	}
}

// join puts the unit on the bus.
func (u *unit) join(b *bus.Bus) error {
	u.begin()
	return b.Add(u.slave())
}

// slave returns the unit as the bus wants it: with all registers from the first
// to the last one in use, but those that may not be read.
func (u *unit) slave() bus.Slave {
	s := bus.Slave{Unit: u.address, MaxRead: u.reads.MaxRegisters, Value: func(t bus.Table, address uint16, _ time.Time) (uint16, bool) {
		u.mu.Lock()
		defer u.mu.Unlock()
		n, ok := u.registers[place{t, address}]
		return n, ok
	}}
	f := u.reads.Forbidden
	for table, of := range map[bus.Table]struct {
		blocks    *[]bus.Block
		forbidden []string
	}{
		bus.Holding: {&s.Holding, f.Holding}, bus.Input: {&s.Input, f.Input}, bus.Coils: {&s.Coils, f.Coil}, bus.Discrete: {&s.Discrete, f.Discrete},
	} {
		*of.blocks = u.blocks(table, of.forbidden)
	}
	return s
}

func (u *unit) blocks(table bus.Table, forbidden []string) []bus.Block {
	least, most := math.MaxInt, -1
	for at := range u.registers {
		if at.Table == table {
			least, most = min(least, int(at.address)), max(most, int(at.address))
		}
	}
	free := func(address int) bool {
		return !slices.ContainsFunc(forbidden, func(text string) bool {
			first, last, err := payload.ParseRange(text)
			return err == nil && int(first) <= address && address <= int(last)
		})
	}
	var blocks []bus.Block
	open := false
	for address := least; address <= most; address++ {
		if !free(address) {
			open = false
			continue
		}
		if !open {
			blocks = append(blocks, bus.Block{Start: uint16(address)})
			open = true
		}
		last := &blocks[len(blocks)-1]
		last.Values = append(last.Values, 0)
	}
	return blocks
}

// answered notes what an answer said. A request reads what is due at the same
// time: it begins and ends with metrics of one period.
func (u *unit) answered(f *Fleet, a *bus.Answer) {
	u.mu.Lock()
	defer u.mu.Unlock()
	from, to := int(a.Address), int(a.Address)+len(a.Values)
	for _, g := range u.groups {
		begins := slices.ContainsFunc(g.metrics, func(r register) bool { return r.table == a.Table && r.from == from })
		ends := slices.ContainsFunc(g.metrics, func(r register) bool { return r.table == a.Table && r.to == to })
		if !begins || !ends {
			continue
		}
		if g.astray && a.At.Sub(g.heard) > g.every/2 {
			g.again()
		}
		if g.heard = a.At; g.read == 0 {
			g.began = a.At
		}
		for i := range g.metrics {
			if r := &g.metrics[i]; r.table == a.Table && from <= r.from && r.to <= to && !r.read {
				r.read = true
				g.read++
			}
		}
		if g.read == len(g.metrics) {
			u.complete(f, g, a)
			u.take(g)
		}
		return
	}
}
