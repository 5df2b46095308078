package bus

import (
	"bytes"
	"net"
	"testing"
	"time"

	"sluice/protocol/modbus"
)

// still is a line on which nothing happens.
type still struct{ net.Conn }

func (still) SetReadDeadline(time.Time) error { return nil }

// FuzzRequests has a master send anything, in any pieces and at any time, to a
// bus with every fault. Afterwards nothing is left over, and the bus answers as
// if nothing had been.
func FuzzRequests(f *testing.F) {
	read := modbus.AppendRTU(nil, 1, []byte{3, 0, 100, 0, 2})
	f.Add(uint8(0), uint64(1), read)
	f.Add(uint8(0), uint64(2), modbus.AppendRTU(read, 0, []byte{16, 0, 100, 0, 1, 2, 7, 7}))
	f.Add(uint8(0), uint64(3), modbus.AppendRTU(nil, 1, []byte{43, 14, 1, 0}))
	f.Add(uint8(1), uint64(4), modbus.AppendASCII(nil, 1, []byte{1, 0, 10, 0, 9}))
	f.Add(uint8(2), uint64(5), modbus.AppendTCP(nil, 9, 1, []byte{23, 0, 100, 0, 1, 0, 100, 0, 1, 2, 5, 6}))
	f.Add(uint8(2), uint64(6), modbus.AppendTCP(nil, 9, 1, []byte{0x80}))
	f.Add(uint8(3), uint64(7), []byte("0M!0D0!x\r\n1M!"))
	f.Fuzz(func(t *testing.T, mode uint8, seed uint64, p []byte) {
		o := Options{Mode: Mode(mode % 4), Line: "9600 8E1", Turnaround: 7 * time.Millisecond, Jitter: time.Millisecond, Seed: seed, Ledger: func(Answer) {}}
		b, err := New(o)
		if err != nil {
			t.Fatal(err)
		}
		request, want := furnish(t, b)
		c := b.attach(still{})
		defer b.detach(c)
		var lifts []func()
		for fault := range Collision {
			lifts = append(lifts, b.Inject(Trouble{Fault: fault, Chance: 0.3}))
		}
		now := time.Unix(1_000_000, 0)
		for rest := p; len(rest) > 0; {
			n := 1 + b.random.IntN(len(rest))
			now = now.Add(b.random.N(50 * time.Millisecond))
			b.step(c, now, rest[:n])
			rest = rest[n:]
		}
		for _, lift := range lifts {
			lift()
		}
		for range 3 {
			now = now.Add(time.Hour)
			b.step(c, now, nil)
		}
		if len(c.wire.out) != 0 || o.Mode != TCP && (c.ear.held() != 0 || len(c.heard) != 0) {
			t.Fatalf("%d on their way, %d held, %d heard", len(c.wire.out), c.ear.held(), len(c.heard))
		}
		if o.Mode == TCP {
			return // what follows may be the rest of what was begun
		}
		b.step(c, now, request)
		if got := b.step(c, now.Add(time.Hour), nil); !bytes.Equal(got, want) {
			t.Errorf("afterwards the answer is % x, want % x", got, want)
		}
	})
}

// furnish puts devices on a bus and returns a request and the answer to it.
func furnish(t *testing.T, b *Bus) (request, answer []byte) {
	if b.options.Mode == Text {
		addDevices(t, b, probe(0), Device{Unit: 1, Wake: "1", Awake: time.Second, Answers: map[string]Speech{"1M!": Say("x")}})
		return []byte("0M!"), []byte("00012\r\n")
	}
	if err := b.Add(meter(1)); err != nil {
		t.Fatal(err)
	}
	q, a := []byte{4, 0, 0, 0, 1}, []byte{4, 2, 0, 7}
	if b.options.Mode == ASCII {
		return modbus.AppendASCII(nil, 1, q), modbus.AppendASCII(nil, 1, a)
	}
	return modbus.AppendRTU(nil, 1, q), modbus.AppendRTU(nil, 1, a)
}

// step does what play does when p has come, and returns what is handed over.
func (b *Bus) step(c *conn, now time.Time, p []byte) []byte {
	c.collect(now)
	b.settle(c)
	if len(p) > 0 {
		c.hear(now, p)
	}
	return c.lump
}
