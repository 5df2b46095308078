package modbus

import (
	"encoding/binary"
	"io"
	"sync"
	"testing"
	"time"

	"sluice/drivers"
	"sluice/protocol"
	"sluice/protocol/modbus"
	"sluice/protocol/payload"
)

// slave is the other end of a bus: units with registers, which answer as they
// are told to. It is safe for concurrent use.
type slave struct {
	framing framing
	timing  Timing // with Char: bytes take their time

	mu    sync.Mutex
	units map[byte]*slaveUnit
	asked []asked
}

// asked is a request and what the bus was busy with because of it.
type asked struct {
	began   time.Time // the request
	at      time.Time // it had come in whole
	ended   time.Time // the answer; zero when there was none
	unit    byte
	request modbus.Request
}

type slaveUnit struct {
	registers [1 << 16]uint16 // holding and input alike
	coils     [1 << 16]bool
	// behave changes what happens next; nil: the unit answers well.
	behave func(q *modbus.Request) behaviour
}

// behaviour is how a unit answers one request.
type behaviour struct {
	silent    bool
	late      time.Duration
	exception modbus.Exception
	as        byte // answers as another unit, 0: as itself
	corrupt   bool
	cut       int // so many bytes of the frame are missing
}

func newSlave(c Config, units ...byte) *slave {
	s := &slave{framing: c.framed(), timing: c.Timing(), units: map[byte]*slaveUnit{}}
	for _, u := range units {
		s.units[u] = &slaveUnit{}
	}
	return s
}

// change calls f under the lock.
func (s *slave) change(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f()
}

func (s *slave) requests() []asked {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]asked(nil), s.asked...)
}

// serve answers on a line until it fails.
func (s *slave) serve(line io.ReadWriter) {
	stream := modbus.NewRTU(modbus.Requests)
	switch s.framing {
	case framedTCP:
		stream = modbus.NewTCP(modbus.Requests)
	case framedASCII:
		stream = modbus.NewASCII()
	}
	buf := make([]byte, 1024)
	for {
		n, err := line.Read(buf)
		stream.Feed(buf[:n])
		began := time.Now()
		for f, ok := stream.Next(); ok; f, ok = stream.Next() {
			time.Sleep(s.timing.Wire(len(f.PDU)))
			if q, err := modbus.ParseRequest(f.PDU); err == nil {
				q.Data = append([]byte(nil), q.Data...)
				s.answer(line, began, f.Unit, f.Transaction, q)
			}
		}
		if err != nil {
			return
		}
	}
}

func (s *slave) answer(line io.Writer, began time.Time, address byte, transaction uint16, q modbus.Request) {
	s.mu.Lock()
	s.asked = append(s.asked, asked{began: began, at: time.Now(), unit: address, request: q})
	mine := len(s.asked) - 1
	u := s.units[address]
	var b behaviour
	if u == nil {
		b.silent = true
	} else if u.behave != nil {
		b = u.behave(&q)
	}
	if b.silent {
		s.mu.Unlock()
		return
	}
	r := u.do(&q)
	if b.exception != 0 {
		r = q.Refuse(b.exception)
	}
	s.mu.Unlock()
	pdu, _ := r.Append(nil)
	if b.as != 0 {
		address = b.as
	}
	send := func() {
		frame := s.frame(address, transaction, pdu)
		if b.corrupt {
			frame[len(frame)-3] ^= 1
		}
		_, _ = line.Write(frame[:len(frame)-b.cut])
	}
	if b.late > 0 {
		time.AfterFunc(b.late, send)
		return
	}
	time.Sleep(s.timing.Char * time.Duration(s.framing.bytes(len(pdu))))
	if s.timing.Char > 0 {
		time.Sleep(s.timing.Turnaround)
	}
	s.change(func() { s.asked[mine].ended = time.Now() })
	send()
}

func (s *slave) frame(address byte, transaction uint16, pdu []byte) []byte {
	switch s.framing {
	case framedTCP:
		return modbus.AppendTCP(nil, transaction, address, pdu)
	case framedASCII:
		return modbus.AppendASCII(nil, address, pdu)
	}
	return modbus.AppendRTU(nil, address, pdu)
}

// do carries out a request.
func (u *slaveUnit) do(q *modbus.Request) modbus.Response {
	var data []byte
	switch q.Function {
	case modbus.ReadHoldingRegisters, modbus.ReadInputRegisters:
		for i := range int(q.Quantity) {
			data = binary.BigEndian.AppendUint16(data, u.registers[int(q.Address)+i])
		}
	case modbus.ReadCoils, modbus.ReadDiscreteInputs:
		data = make([]byte, (q.Quantity+7)/8)
		for i := range int(q.Quantity) {
			modbus.Coils{Data: data}.Set(uint16(i), u.coils[int(q.Address)+i])
		}
	case modbus.WriteSingleRegister:
		u.registers[q.Address] = q.Value
	case modbus.WriteSingleCoil:
		u.coils[q.Address] = q.Value == modbus.CoilOn
	case modbus.WriteMultipleRegisters:
		for i := range int(q.Quantity) {
			u.registers[int(q.Address)+i] = binary.BigEndian.Uint16(q.Data[2*i:])
		}
	case modbus.WriteMultipleCoils:
		for i := range int(q.Quantity) {
			u.coils[int(q.Address)+i], _ = modbus.Coils{Data: q.Data}.Coil(uint16(i))
		}
	}
	return q.Result(data)
}

// recorder is an emitter that keeps what it gets.
type recorder struct {
	mu       sync.Mutex
	readings []protocol.Reading
	flaws    int
	rejected map[string]int // by reason
}

func (r *recorder) Emit(b *protocol.Batch) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, reading := range b.Readings {
		reading.Metrics = append([]protocol.Metric(nil), reading.Metrics...)
		r.readings = append(r.readings, reading)
	}
	r.flaws += len(b.Flaws)
	b.Done(nil)
	return true
}

func (r *recorder) Reject(_, reason string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.rejected == nil {
		r.rejected = map[string]int{}
	}
	r.rejected[reason]++
}

func (r *recorder) Refuse() {}

// rejections returns how often a device was rejected for reason.
func (r *recorder) rejections(reason string) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.rejected[reason]
}

// of returns the readings of a device.
func (r *recorder) of(device string) []protocol.Reading {
	r.mu.Lock()
	defer r.mu.Unlock()
	var list []protocol.Reading
	for _, reading := range r.readings {
		if reading.Device.Name == device {
			list = append(list, reading)
		}
	}
	return list
}

var (
	_ drivers.Emitter    = (*recorder)(nil)
	_ drivers.Accountant = (*recorder)(nil)
)

func ptr[T any](v T) *T { return &v }

// holding returns a metric in holding registers.
func holding(at int, kind string) payload.Metric {
	return payload.Metric{Type: kind, Register: payload.Register{Holding: ptr(at)}}
}

// block returns a profile with n registers from an address on, called r000 and
// so on.
func block(at, n int, every time.Duration) *payload.Profile {
	p := &payload.Profile{Poll: every, Metrics: map[string]payload.Metric{}}
	for i := range n {
		p.Metrics[name(i)] = holding(at+i, "uint16")
	}
	return p
}

func name(i int) string {
	return "r" + string([]byte{byte('0' + i/100), byte('0' + i/10%10), byte('0' + i%10)})
}

func lineConfig(line string) Config {
	c := DefaultConfig()
	c.Port, c.Line = "/dev/null", line
	return c
}

func tcpConfig(url string) Config {
	c := DefaultConfig()
	c.URL = url
	return c
}

func devices(p *payload.Profile, units ...int) []Device {
	var list []Device
	for _, u := range units {
		list = append(list, Device{Name: deviceName(u), Unit: u, Profile: "p", Decode: p})
	}
	return list
}

func deviceName(u int) string { return "unit" + string([]byte{byte('0' + u/10%10), byte('0' + u%10)}) }

func newDriver(t testing.TB, c Config, list []Device) *Driver {
	t.Helper()
	d, err := New("bus", c, list, Options{})
	if err != nil {
		t.Fatal(err)
	}
	return d
}
