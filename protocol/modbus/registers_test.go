package modbus

import (
	"errors"
	"math"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"sluice/protocol"
	"sluice/protocol/binary"
)

func point(t testing.TB, address uint16, f binary.Field) Point {
	t.Helper()
	p, err := NewPoint(address, f)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestPoints(t *testing.T) {
	r := Registers{Start: 100, Data: unhex(t, "180d 4366 199a 199a 4366 4d6f 6462 8000 ffff")}
	for _, c := range []struct {
		address uint16
		f       binary.Field
		want    protocol.Value
	}{
		{100, binary.Field{Type: "uint16"}, protocol.Uint(0x180d)},
		{100, binary.Field{Type: "uint8"}, protocol.Uint(0x18)},
		{100, binary.Field{Type: "uint8", At: 1}, protocol.Uint(0x0d)},
		{100, binary.Field{Type: "bool", Bits: "12"}, protocol.Bool(true)},
		{100, binary.Field{Type: "bool", Bits: "1"}, protocol.Bool(false)},
		{101, binary.Field{Type: "float32"}, protocol.Float(230.1)},
		{103, binary.Field{Type: "float32", Order: "CDAB"}, protocol.Float(230.1)},
		{99, binary.Field{Type: "float32", At: 4}, protocol.Float(230.1)},
		{105, binary.Field{Type: "string", Length: 4}, protocol.String("Modb")},
		{107, binary.Field{Type: "int16", Missing: []string{"0x8000"}}, protocol.Value{}},
		{108, binary.Field{Type: "int16"}, protocol.Int(-1)},
	} {
		p := point(t, c.address, c.f)
		if got, err := p.Value(r, 0, nil); err != nil || got != c.want {
			t.Errorf("%d %+v: got %v, %v, want %v", c.address, c.f, got, err, c.want)
		}
	}
	for _, address := range []uint16{0, 99, 109, 65535} {
		p := point(t, address, binary.Field{Type: "uint16"})
		var refusal *protocol.Refusal
		if v, err := p.Value(r, 0, nil); !errors.As(err, &refusal) || refusal.Reason != "missing" {
			t.Errorf("register %d is %v, %v", address, v, err)
		}
		if p.Put(r, 0, protocol.Int(1)) == nil {
			t.Errorf("register %d was put", address)
		}
	}
	half := point(t, 108, binary.Field{Type: "uint32"})
	if v, err := half.Value(r, 0, nil); err == nil {
		t.Errorf("half of the registers give %v", v)
	}
}

func TestPointSpan(t *testing.T) {
	for _, c := range []struct {
		f     binary.Field
		first uint16
		n     int
	}{
		{binary.Field{Type: "uint8"}, 7, 1}, {binary.Field{Type: "uint8", At: 1}, 7, 1}, {binary.Field{Type: "uint8", At: 3}, 8, 1},
		{binary.Field{Type: "uint16", At: 1}, 7, 2}, {binary.Field{Type: "float64"}, 7, 4}, {binary.Field{Type: "uint16", Count: 10, At: 2}, 8, 10},
		{binary.Field{Type: "string", Length: 3}, 7, 2}, {binary.Field{Type: "bool"}, 7, 1},
	} {
		p := point(t, 7, c.f)
		if first, n := p.Span(); first != c.first || n != c.n || p.Count() != max(1, c.f.Count) {
			t.Errorf("%+v: got %d registers from %d on, want %d from %d on", c.f, n, first, c.n, c.first)
		}
	}
}

func TestNewPointRefuses(t *testing.T) {
	for _, c := range []struct {
		address uint16
		f       binary.Field
		want    string
	}{
		{0, binary.Field{Type: "int9"}, "compile field: type is"},
		{0, binary.Field{Type: "int8", At: -1}, "compile field: at is -1, want 0 or more in registers"},
		{65535, binary.Field{Type: "uint32"}, "compile field: 4 bytes from register 65535 on end behind register 65535"},
		{65535, binary.Field{Type: "uint8", At: 2}, "compile field: 1 bytes from register 65536 on end behind register 65535"},
	} {
		if p, err := NewPoint(c.address, c.f); err == nil || !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("%d %+v: %+v, %v", c.address, c.f, p, err)
		}
	}
}

func TestRegistersRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		order := rapid.SampledFrom(binary.Orders()).Draw(t, "order")
		address := rapid.Uint16Max(65532).Draw(t, "address")
		p, err := NewPoint(address, binary.Field{Type: "int64", Order: order})
		if err != nil {
			t.Fatal(err)
		}
		before := rapid.Uint16Max(min(address, 20)).Draw(t, "before")
		r := Registers{Start: address - before, Data: make([]byte, 2*int(before)+8)}
		want := protocol.Int(rapid.Int64().Draw(t, "value"))
		if err := p.Put(r, 0, want); err != nil {
			t.Fatal(err)
		}
		if got, err := p.Value(r, 0, nil); err != nil || got != want {
			t.Fatalf("%v became %v, %v", want, got, err)
		}
	})
}

func TestCoils(t *testing.T) {
	c := Coils{Start: 0x13, Data: []byte{0xcd, 0x6b, 0x05}}
	var on []uint16
	for a := range uint16(0x30) {
		if coil, ok := c.Coil(a); coil {
			on = append(on, a)
		} else if ok != (a >= 0x13 && a < 0x13+24) {
			t.Errorf("coil %d is there: %v", a, ok)
		}
	}
	if want := []uint16{0x13, 0x15, 0x16, 0x19, 0x1a, 0x1b, 0x1c, 0x1e, 0x20, 0x21, 0x23, 0x25}; !reflect.DeepEqual(on, want) {
		t.Errorf("got %x, want %x", on, want)
	}
	again := Coils{Start: 0x13, Data: []byte{0, 0xff, 0}}
	for a := range uint16(0x30) {
		coil, ok := c.Coil(a)
		if again.Set(a, coil) != ok {
			t.Errorf("coil %d was set: %v", a, !ok)
		}
	}
	if !reflect.DeepEqual(again, c) {
		t.Errorf("got %+v, want %+v", again, c)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte{3, 4, 0, 141, 0, 142})
	f.Add([]byte{0x83, 2})
	f.Add([]byte{23, 0, 3, 0, 6, 0, 14, 0, 1, 2, 0, 255})
	f.Add([]byte{43, 14, 1, 1, 0, 0, 1, 0, 3, 'a', 'b', 'c'})
	f.Fuzz(func(t *testing.T, pdu []byte) {
		if ask, err := ParseRequest(pdu); err == nil {
			again, err := ask.Append(nil)
			if err != nil || string(again) != string(pdu) {
				t.Fatalf("%x became %+v and %x, %v", pdu, ask, again, err)
			}
		}
		if answer, err := ParseResponse(pdu); err == nil {
			again, err := answer.Append(nil)
			if err != nil || string(again) != string(pdu) {
				t.Fatalf("%x became %+v and %x, %v", pdu, answer, again, err)
			}
		}
		for _, length := range []func([]byte) int{RequestLength, ResponseLength, TCPLength} {
			if n := length(pdu); n < unknown || n > maxTCP {
				t.Fatalf("%x has the length %d", pdu, n)
			}
		}
		for _, m := range modes {
			if frame, err := m.parse(pdu); err == nil && (len(frame.PDU) == 0 || len(frame.PDU) > maxPDU) {
				t.Fatalf("%s: %x has a PDU of %d bytes", m.name, pdu, len(frame.PDU))
			}
		}
	})
}

// response60 is a frame with 60 registers and the 30 floats in them.
func response60(t testing.TB) ([]byte, []Point) {
	r := Registers{Start: 100, Data: make([]byte, 120)}
	points := make([]Point, 30)
	for i := range points {
		points[i] = point(t, uint16(100+2*i), binary.Field{Type: "float32"})
		if err := points[i].Put(r, 0, protocol.Float(230.1+float64(i)*1.37)); err != nil {
			t.Fatal(err)
		}
	}
	pdu, err := (&Response{Function: ReadInputRegisters, Data: r.Data}).Append(nil)
	if err != nil {
		t.Fatal(err)
	}
	return AppendRTU(nil, 1, pdu), points
}

// read60 is what a driver does with the frame.
func read60(frame []byte, points []Point, metrics []protocol.Metric) ([]protocol.Metric, error) {
	f, err := ParseRTU(frame)
	if err != nil {
		return nil, err
	}
	answer, err := ParseResponse(f.PDU)
	if err != nil {
		return nil, err
	}
	ask := Request{Function: ReadInputRegisters, Address: 100, Quantity: 60}
	if err := answer.Answers(&ask); err != nil {
		return nil, err
	}
	r := Registers{Start: ask.Address, Data: answer.Data}
	for i := range points {
		v, err := points[i].Value(r, 0, nil)
		if err != nil {
			return nil, err
		}
		metrics = append(metrics, protocol.Metric{Name: "voltage", Value: v, Unit: "V"})
	}
	return metrics, nil
}

func TestResponse60(t *testing.T) {
	frame, points := response60(t)
	metrics, err := read60(frame, points, nil)
	if err != nil || len(metrics) != 30 {
		t.Fatalf("%d metrics, %v", len(metrics), err)
	}
	for i, m := range metrics {
		if want := 230.1 + float64(i)*1.37; math.Abs(m.Value.Float()-want) > 1e-9 {
			t.Errorf("metric %d is %v, want %v", i, m.Value, want)
		}
	}
	if n := testing.AllocsPerRun(100, func() { metrics, err = read60(frame, points, metrics[:0]) }); n != 0 || err != nil {
		t.Errorf("%v allocations, want 0, %v", n, err)
	}
}

func BenchmarkResponse60(b *testing.B) {
	frame, points := response60(b)
	var metrics []protocol.Metric
	var err error
	b.SetBytes(int64(len(frame)))
	b.ReportAllocs()
	for b.Loop() {
		if metrics, err = read60(frame, points, metrics[:0]); err != nil {
			b.Fatal(err)
		}
	}
}
