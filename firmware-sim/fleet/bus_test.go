package fleet

import (
	"context"
	"encoding/binary"
	"io"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"sluice/firmware-sim/bus"
	"sluice/firmware-sim/ledger"
	"sluice/protocol"
	"sluice/protocol/modbus"
	"sluice/protocol/payload"
)

// plant is a bus of two units by TCP that a test is the master of.
func plant(t *testing.T, l *ledger.Ledger, faults ...Fault) (f *Fleet, ask func(unit uint8, q modbus.Request) []byte, end func()) {
	t.Helper()
	at := func(n int) *int { return &n }
	scale := 0.1
	p := &payload.Profile{Poll: time.Second, Reads: payload.Reads{MaxRegisters: 10, Forbidden: payload.Forbidden{Holding: []string{"4-5"}}}, Metrics: map[string]payload.Metric{
		"power":   {Type: "float32", Unit: "W", Register: payload.Register{Holding: at(0)}},
		"climate": {Type: "int16", Scale: &scale, Unit: "°C", Register: payload.Register{Holding: at(2)}},
		"state":   {Type: "uint16", Map: map[string]string{"0": "idle", "7": "busy"}, Register: payload.Register{Holding: at(3)}},
		"on":      {Register: payload.Register{Coil: at(9)}},
		"energy":  {Type: "uint64", Unit: "kWh", Register: payload.Register{Input: at(20), Poll: time.Hour}},
	}}
	m := New(Options{Seed: 7})
	var units []Unit
	for i, name := range []string{"one", "two"} {
		units = append(units, Unit{Row{Number: 1, Name: name, Profile: "meter", Decode: p}, uint8(i + 1)})
	}
	if err := m.AddBus(Bus{Driver: "plc", Mode: bus.TCP, Listen: true}, units); err != nil {
		t.Fatal(err)
	}
	if err := m.AddFaults(faults...); err != nil {
		t.Fatal(err)
	}
	f, err := Open(m, Play{Ledger: l})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1) // sent to once, by the goroutine below
	go func() { ended <- f.Run(ctx) }()
	var conn net.Conn
	for conn == nil { // the bus comes with Run
		if conn, err = net.Dial("tcp", f.Buses()[0].Path); err != nil {
			conn = nil
		}
	}
	t.Cleanup(func() { conn.Close() })
	ask = func(unit uint8, q modbus.Request) []byte {
		pdu, err := q.Append(nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := conn.Write(modbus.AppendTCP(nil, 1, unit, pdu)); err != nil {
			t.Fatal(err)
		}
		head := make([]byte, 7)
		if _, err := io.ReadFull(conn, head); err != nil {
			t.Fatal(err)
		}
		rest := make([]byte, binary.BigEndian.Uint16(head[4:])-1)
		if _, err := io.ReadFull(conn, rest); err != nil {
			t.Fatal(err)
		}
		return rest
	}
	end = func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
	return f, ask, end
}

var (
	holdings = modbus.Request{Function: modbus.ReadHoldingRegisters, Address: 0, Quantity: 4}
	coils    = modbus.Request{Function: modbus.ReadCoils, Address: 9, Quantity: 1}
)

func TestBusAccountsForWhatWasAnswered(t *testing.T) {
	l := ledger.New("sink")
	f, ask, end := plant(t, l)
	ask(1, holdings)
	ask(1, coils) // one reading is whole
	ask(2, coils) // and half of one
	if got := ask(1, modbus.Request{Function: modbus.ReadHoldingRegisters, Address: 0, Quantity: 6}); got[0] != 0x83 {
		t.Errorf("registers that may not be read are answered with % x", got)
	}
	end()
	if sent, open := l.Totals(); sent != 1 || open != 0 {
		t.Errorf("%d readings were sent, %d of them unconfirmed, want 1 and 0", sent, open)
	}
	if v := l.Verdict("sink"); v.Lost != 1 {
		t.Errorf("what never arrived is not missed: %+v", v)
	}
	unasked := f.Unasked()
	if len(unasked) != 2 || !slices.ContainsFunc(unasked, func(s string) bool { return strings.Contains(s, "every 1h0m0s") }) {
		t.Errorf("unasked: %q", unasked)
	}
}

// TestBusHoldsWhatItExpects decodes the registers by hand.
func TestBusHoldsWhatItExpects(t *testing.T) {
	l := ledger.New("sink")
	_, ask, end := plant(t, l)
	for range 2 {
		data := ask(1, holdings)[2:]
		on := ask(1, coils)[2]&1 != 0
		bits := binary.BigEndian.Uint32(data)
		state := map[uint16]string{0: "idle", 7: "busy"}[binary.BigEndian.Uint16(data[6:])]
		power := modbus.Registers{Data: data}
		point, err := modbus.NewPoint(0, (&payload.Metric{Type: "float32"}).Field())
		if err != nil {
			t.Fatal(err)
		}
		value, err := point.Value(power, 0, nil)
		if err != nil || bits == 0 {
			t.Fatal(err, bits)
		}
		l.Delivered("sink", "one", 0, []protocol.Metric{
			{Name: "climate", Value: protocol.Scaled(int64(int16(binary.BigEndian.Uint16(data[4:]))), -1), Unit: "°C"},
			{Name: "on", Value: protocol.Bool(on)},
			{Name: "power", Value: value, Unit: "W"},
			{Name: "state", Value: protocol.String(state)},
		})
	}
	end()
	// The second answer came at once, as to a master that had not heard the first.
	if v := l.Verdict("sink"); v.Lost != 0 || v.Wrong != 0 || v.Delivered < 1 {
		t.Errorf("got %+v", v)
	}
}
