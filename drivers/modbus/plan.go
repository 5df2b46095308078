package modbus

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"

	"sluice/protocol"
	"sluice/protocol/binary"
	"sluice/protocol/modbus"
	"sluice/protocol/payload"
)

// space is one of the four tables of addresses that a device has.
type space uint8

const (
	coils space = iota
	discretes
	inputs
	holdings
	spaces
)

var readers = [spaces]modbus.Function{
	modbus.ReadCoils, modbus.ReadDiscreteInputs, modbus.ReadInputRegisters, modbus.ReadHoldingRegisters,
}

// bits reports whether addresses are of single bits.
func (s space) bits() bool { return s <= discretes }

// limits is what a device or its bus allows.
type limits struct {
	registers int // in one request
	gap       int // registers that are read needlessly to spare a request
	forbidden [spaces][]span
}

// span is addresses from the first one to the one behind the last one.
type span struct{ from, to int }

// most returns how many addresses one request may read, and how many of them
// needlessly in a row. The bits of as many registers count as bits.
func (l *limits) most(s space) (addresses, gap int) {
	if s.bits() {
		return min(modbus.MaxReadBits, l.registers*16), l.gap * 16
	}
	return l.registers, l.gap
}

// limits returns what the bus allows.
func (c *Config) limits() limits { return limits{registers: c.MaxRegisters, gap: c.MaxGap} }

// of returns the limits of a device with the wishes of its profile.
func (l limits) of(p *payload.Profile) (limits, error) {
	if n := p.Reads.MaxRegisters; n > 0 {
		l.registers = min(l.registers, n)
	}
	if n := p.Reads.MaxGap; n != nil {
		l.gap = *n
	}
	f := p.Reads.Forbidden
	for s, list := range [spaces][]string{coils: f.Coil, discretes: f.Discrete, inputs: f.Input, holdings: f.Holding} {
		for _, text := range list {
			first, last, err := payload.ParseRange(text)
			if err != nil {
				return l, fmt.Errorf("reads.forbidden %w", err)
			}
			l.forbidden[s] = append(l.forbidden[s], span{int(first), int(last) + 1})
		}
	}
	return l, nil
}

// forbids reports whether one of the addresses must not be read.
func (l *limits) forbids(s space, of span) bool {
	return slices.ContainsFunc(l.forbidden[s], func(f span) bool { return f.from < of.to && of.from < f.to })
}

// metric is a metric of a profile: where a device has it. It is never changed
// and may be shared.
type metric struct {
	name  string
	space space
	span
	point modbus.Point // of registers
	every time.Duration
}

// read is one request and the metrics that its answer holds.
type read struct {
	request modbus.Request
	pdu     []byte
	metrics []int // by their number in the group
}

// group is what is read at the same time and becomes one reading.
type group struct {
	every   time.Duration
	metrics []metric // by name
	reads   []read   // by table and address
}

// plan is how the devices of a profile are read. It is never changed and may be
// shared.
type plan struct{ groups []group } // by period, the shortest first

// newPlan plans as few requests as the limits allow.
func newPlan(p *payload.Profile, l limits) (*plan, error) {
	l, err := l.of(p)
	if err != nil {
		return nil, err
	}
	periods := map[time.Duration][]metric{}
	for _, name := range slices.Sorted(maps.Keys(p.Metrics)) {
		m, err := newMetric(name, p.Metrics[name], p.Poll)
		if err == nil {
			err = l.check(&m)
		}
		if err != nil {
			return nil, err
		}
		periods[m.every] = append(periods[m.every], m)
	}
	all := &plan{}
	for _, every := range slices.Sorted(maps.Keys(periods)) {
		g := group{every: every, metrics: periods[every]}
		g.reads = coalesce(g.metrics, &l)
		all.groups = append(all.groups, g)
	}
	return all, nil
}

func newMetric(name string, of payload.Metric, poll time.Duration) (metric, error) {
	m := metric{name: name, every: cmp.Or(of.Poll, poll)}
	if m.every <= 0 {
		return m, fmt.Errorf("metric %s has no poll", name)
	}
	err := m.locate(of.Register, of.Field())
	if err != nil {
		return m, fmt.Errorf("metric %s: %w", name, err)
	}
	return m, nil
}

// locate finds where the metric stands.
func (m *metric) locate(r payload.Register, f binary.Field) error {
	at := -1
	for s, address := range [spaces]*int{r.Coil, r.Discrete, r.Input, r.Holding} {
		if address != nil {
			m.space, at = space(s), *address
		}
	}
	if at < 0 || at > 65535 {
		return fmt.Errorf("no address from 0 to 65535")
	}
	if m.space.bits() {
		m.span = span{at, at + 1}
		return nil
	}
	var err error
	if m.point, err = modbus.NewPoint(uint16(at), f); err != nil {
		return err
	}
	first, n := m.point.Span()
	m.span = span{int(first), int(first) + n}
	return nil
}

// check returns an error when the metric cannot be read within the limits.
func (l *limits) check(m *metric) error {
	most, _ := l.most(m.space)
	switch {
	case m.to-m.from > most:
		return fmt.Errorf("metric %s has %d registers, but one request may read %d", m.name, m.to-m.from, most)
	case l.forbids(m.space, m.span):
		return fmt.Errorf("metric %s stands where reads.forbidden lets nobody read", m.name)
	}
	return nil
}

// value returns what an answer from an address on holds for the metric. The
// error is a *protocol.Refusal.
func (m *metric) value(start uint16, data []byte, texts *binary.Texts) (protocol.Value, error) {
	if !m.space.bits() {
		return m.point.Value(modbus.Registers{Start: start, Data: data}, 0, texts)
	}
	on, ok := modbus.Coils{Start: start, Data: data}.Coil(uint16(m.from))
	if !ok {
		return protocol.Value{}, protocol.Refuse("missing", "bit %d is not in the answer", m.from)
	}
	return protocol.Bool(on), nil
}
