package bus

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"time"

	"sluice/protocol/modbus"
)

// Table is one of the four address spaces of a slave.
type Table uint8

// The tables.
const (
	Holding Table = iota
	Input
	Coils
	Discrete
	tables // how many
)

var tableNames = [tables]string{"holding", "input", "coils", "discrete"}

// String returns the table's name.
func (t Table) String() string {
	if t < tables {
		return tableNames[t]
	}
	return fmt.Sprintf("table %d", uint8(t))
}

// Block is registers, or coils of 0 and 1, from an address on.
type Block struct {
	Start  uint16
	Values []uint16
}

// Slave is a Modbus device. What lies in no block does not exist: asking for it
// is answered with exception 2.
type Slave struct {
	Unit uint8

	Holding, Input, Coils, Discrete []Block // in any order, none over another

	// Value, when not nil, is asked for every value that is read: where it
	// returns false the block's counts. It must not call the bus.
	Value func(t Table, address uint16, at time.Time) (value uint16, ok bool)

	MaxRead int // registers that one request may read, 0 for the specification's 125; beyond it comes exception 3

	Turnaround, Jitter time.Duration // both 0: those of the bus
}

// slave is a Slave at work.
type slave struct {
	Slave
	stores [tables][]Block // sorted; neighbours are joined
}

func newSlave(s Slave) (*slave, error) {
	n := &slave{Slave: s}
	for t, blocks := range [tables][]Block{s.Holding, s.Input, s.Coils, s.Discrete} {
		store, err := join(blocks)
		if err != nil {
			return nil, fmt.Errorf("unit %d, %v: %w", s.Unit, Table(t), err)
		}
		n.stores[t] = store
	}
	return n, nil
}

// join copies blocks into as few as possible.
func join(blocks []Block) ([]Block, error) {
	blocks = slices.Clone(blocks)
	slices.SortStableFunc(blocks, func(a, b Block) int { return cmp.Compare(a.Start, b.Start) })
	var joined []Block
	end := 0
	for _, b := range blocks {
		switch {
		case int(b.Start)+len(b.Values) > 1<<16:
			return nil, fmt.Errorf("the block from %d on ends behind 65535", b.Start)
		case int(b.Start) < end:
			return nil, fmt.Errorf("address %d is in two blocks", b.Start)
		case len(joined) > 0 && int(b.Start) == end:
			last := &joined[len(joined)-1]
			last.Values = append(last.Values, b.Values...)
		default:
			joined = append(joined, Block{Start: b.Start, Values: slices.Clone(b.Values)})
		}
		end = int(b.Start) + len(b.Values)
	}
	return joined, nil
}

// cells returns the values of n addresses, nil when one of them is missing.
func (s *slave) cells(t Table, address uint16, n int) []uint16 {
	for _, b := range s.stores[t] {
		if at := int(address) - int(b.Start); at >= 0 && at+n <= len(b.Values) {
			return b.Values[at : at+n]
		}
	}
	return nil
}

// work is one request under way.
type work struct {
	slave    *slave
	at       time.Time // of the answer
	answers  []Answer  // for the ledger, when it is kept
	accounts bool
}

// do executes a request and returns the answer to it.
func (w *work) do(pdu []byte) modbus.Response {
	q, err := modbus.ParseRequest(pdu)
	if err == nil {
		var data []byte
		if data, err = w.execute(&q); err == nil {
			return q.Result(data)
		}
	} else if len(pdu) > 0 {
		q.Function = modbus.Function(pdu[0])
	}
	why := modbus.ServerDeviceFailure
	errors.As(err, &why)
	w.answers = nil
	return q.Refuse(why)
}

func (w *work) execute(q *modbus.Request) ([]byte, error) {
	switch q.Function {
	case modbus.ReadCoils:
		return w.readBits(Coils, q)
	case modbus.ReadDiscreteInputs:
		return w.readBits(Discrete, q)
	case modbus.ReadHoldingRegisters:
		return w.readRegisters(Holding, q)
	case modbus.ReadInputRegisters:
		return w.readRegisters(Input, q)
	case modbus.WriteSingleCoil:
		return nil, w.write(Coils, q.Address, []uint16{q.Value >> 15})
	case modbus.WriteSingleRegister:
		return nil, w.write(Holding, q.Address, []uint16{q.Value})
	case modbus.WriteMultipleCoils:
		return nil, w.write(Coils, q.Address, bits(q))
	case modbus.WriteMultipleRegisters:
		return nil, w.write(Holding, q.Address, words(q.Data))
	case modbus.MaskWriteRegister:
		return nil, w.mask(q)
	case modbus.ReadWriteRegisters:
		if w.slave.cells(Holding, q.Address, int(q.Quantity)) == nil {
			return nil, modbus.IllegalDataAddress
		}
		if err := w.write(Holding, q.WriteAddress, words(q.Data)); err != nil {
			return nil, err
		}
		return w.readRegisters(Holding, q)
	}
	return nil, modbus.IllegalFunction
}

// read returns the values of n addresses as they are at the time of the answer.
func (w *work) read(t Table, address uint16, n int) ([]uint16, error) {
	cells := w.slave.cells(t, address, n)
	if cells == nil {
		return nil, modbus.IllegalDataAddress
	}
	values := slices.Clone(cells)
	if w.slave.Value != nil {
		for i := range values {
			if v, ok := w.slave.Value(t, address+uint16(i), w.at); ok {
				values[i] = v
			}
		}
	}
	w.note(t, address, values, false)
	return values, nil
}

func (w *work) readRegisters(t Table, q *modbus.Request) ([]byte, error) {
	if most := w.slave.MaxRead; most > 0 && int(q.Quantity) > most {
		return nil, modbus.IllegalDataValue
	}
	values, err := w.read(t, q.Address, int(q.Quantity))
	data := make([]byte, 0, 2*len(values))
	for _, v := range values {
		data = binary.BigEndian.AppendUint16(data, v)
	}
	return data, err
}

func (w *work) readBits(t Table, q *modbus.Request) ([]byte, error) {
	values, err := w.read(t, q.Address, int(q.Quantity))
	data := make([]byte, (len(values)+7)/8)
	for i, v := range values {
		modbus.Coils{Data: data}.Set(uint16(i), v != 0)
	}
	return data, err
}

func (w *work) write(t Table, address uint16, values []uint16) error {
	cells := w.slave.cells(t, address, len(values))
	if cells == nil {
		return modbus.IllegalDataAddress
	}
	copy(cells, values)
	w.note(t, address, values, true)
	return nil
}

func (w *work) mask(q *modbus.Request) error {
	cells := w.slave.cells(Holding, q.Address, 1)
	if cells == nil {
		return modbus.IllegalDataAddress
	}
	return w.write(Holding, q.Address, []uint16{cells[0]&q.Value | q.Or&^q.Value})
}

func (w *work) note(t Table, address uint16, values []uint16, written bool) {
	if w.accounts {
		w.answers = append(w.answers, Answer{Unit: w.slave.Unit, Table: t, Address: address, Values: values, Written: written})
	}
}

// bits returns the coils that q writes.
func bits(q *modbus.Request) []uint16 {
	values := make([]uint16, q.Quantity)
	for i := range values {
		if on, _ := (modbus.Coils{Data: q.Data}).Coil(uint16(i)); on {
			values[i] = 1
		}
	}
	return values
}

// words returns the registers that data holds.
func words(data []byte) []uint16 {
	values := make([]uint16, len(data)/2)
	for i := range values {
		values[i] = binary.BigEndian.Uint16(data[2*i:])
	}
	return values
}
