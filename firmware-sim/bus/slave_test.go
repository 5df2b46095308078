package bus

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"sluice/protocol/modbus"
)

var fast = Options{Line: "115200 8N1", Turnaround: 5 * time.Millisecond}

func TestFunctions(t *testing.T) {
	for _, mode := range []Mode{RTU, ASCII, TCP} {
		t.Run(mode.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o := fast
				o.Mode = mode
				r := play(t, o, meter(3))
				for _, step := range []struct {
					q    modbus.Request
					data []byte
				}{
					{modbus.Request{Function: 1, Address: 10, Quantity: 9}, []byte{0b1101, 1}},
					{modbus.Request{Function: 2, Address: 0, Quantity: 2}, []byte{0b10}},
					{modbus.Request{Function: 3, Address: 100, Quantity: 4}, []byte{0, 1, 0, 2, 0, 3, 0, 4}},
					{modbus.Request{Function: 4, Address: 1, Quantity: 1}, []byte{0, 8}},
					{modbus.Request{Function: 5, Address: 11, Value: modbus.CoilOn}, nil},
					{modbus.Request{Function: 15, Address: 12, Quantity: 3, Data: []byte{0b100}}, nil},
					{modbus.Request{Function: 1, Address: 10, Quantity: 9}, []byte{0b10011, 1}},
					{modbus.Request{Function: 6, Address: 101, Value: 0x1234}, nil},
					{modbus.Request{Function: 16, Address: 102, Quantity: 2, Data: []byte{0xaa, 0xbb, 0xcc, 0xdd}}, nil},
					{modbus.Request{Function: 22, Address: 101, Value: 0xff00, Or: 0x00ff}, nil},
					{modbus.Request{Function: 23, Address: 100, Quantity: 4, WriteAddress: 100, Data: []byte{5, 6}}, []byte{5, 6, 0x12, 0xff, 0xaa, 0xbb, 0xcc, 0xdd}},
				} {
					got, err := r.ask(3, step.q)
					if err != nil || !bytes.Equal(got.Data, step.data) {
						t.Errorf("%v: % x, %v, want % x", step.q.Function, got.Data, err, step.data)
					}
				}
				if got := r.Get(3, Holding, 100, 4); !slices.Equal(got, []uint16{0x506, 0x12ff, 0xaabb, 0xccdd}) {
					t.Errorf("the slave has %x", got)
				}
				if s := r.Stats(); s.Requests != 11 || s.Answers != 11 {
					t.Errorf("%+v", s)
				}
				demand(t, r.Bus)
			})
		})
	}
}

func TestExceptions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := meter(3)
		s.MaxRead = 3
		r := play(t, fast, s)
		for _, step := range []struct {
			q    modbus.Request
			want modbus.Exception
		}{
			{modbus.Request{Function: 3, Address: 99, Quantity: 2}, modbus.IllegalDataAddress},
			{modbus.Request{Function: 3, Address: 103, Quantity: 2}, modbus.IllegalDataAddress},
			{modbus.Request{Function: 3, Address: 100, Quantity: 4}, modbus.IllegalDataValue},
			{modbus.Request{Function: 4, Address: 100, Quantity: 1}, modbus.IllegalDataAddress},
			{modbus.Request{Function: 1, Address: 18, Quantity: 2}, modbus.IllegalDataAddress},
			{modbus.Request{Function: 5, Address: 9}, modbus.IllegalDataAddress},
			{modbus.Request{Function: 6, Address: 104}, modbus.IllegalDataAddress},
			{modbus.Request{Function: 22, Address: 104}, modbus.IllegalDataAddress},
			{modbus.Request{Function: 23, Address: 5, Quantity: 1, WriteAddress: 100, Data: []byte{7, 7}}, modbus.IllegalDataAddress},
		} {
			if _, err := r.ask(3, step.q); !errors.Is(err, step.want) {
				t.Errorf("%v from %d: %v, want %v", step.q.Function, step.q.Address, err, step.want)
			}
		}
		if got := r.Get(3, Holding, 100, 1); got[0] != 1 {
			t.Error("a refused exchange has written")
		}
		if s := r.Stats(); s.Exceptions != 9 || len(*r.answers) != 0 {
			t.Errorf("%+v, ledger %v", s, *r.answers)
		}
		// A function that the specification knows and we do not.
		r.write(modbus.AppendRTU(nil, 3, []byte{7}))
		if got := r.listen(time.Second); !bytes.Contains(got, modbus.AppendRTU(nil, 3, []byte{0x87, 1})) {
			t.Errorf("function 7: % x", got)
		}
	})
}

func TestNobodyAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := play(t, fast, meter(3), meter(4))
		if _, err := r.ask(9, read2); !timedOut(err) {
			t.Errorf("a unit that is not there: %v", err)
		}
		if _, err := r.ask(0, modbus.Request{Function: 6, Address: 100, Value: 77}); !timedOut(err) {
			t.Errorf("a broadcast: %v", err)
		}
		for _, unit := range []uint8{3, 4} {
			if got := r.Get(unit, Holding, 100, 1); got[0] != 77 {
				t.Errorf("unit %d did not hear the broadcast", unit)
			}
		}
		if s := r.Stats(); s.Unheard != 1 || s.Broadcasts != 1 || s.Requests != 2 || s.Answers != 0 {
			t.Errorf("%+v", s)
		}
		demand(t, r.Bus)
	})
}

func TestNobodyAnswersOnTCP(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := play(t, Options{Mode: TCP}, meter(3))
		if _, err := r.ask(9, read2); !errors.Is(err, modbus.GatewayTargetNoResponse) {
			t.Error(err)
		}
	})
}

func TestLedgerAndWander(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := meter(3)
		s.Value = Wander(5, 100, 200, time.Second)
		r := play(t, fast, s)
		seen := map[uint16]bool{}
		for range 20 {
			got, err := r.ask(3, read2)
			if err != nil {
				t.Fatal(err)
			}
			last := (*r.answers)[len(*r.answers)-1]
			if last.Unit != 3 || last.Table != Holding || last.Address != 100 || !last.At.Equal(time.Now()) || !last.Sound() {
				t.Fatalf("ledger has %+v", last)
			}
			if v := words(got.Data); !slices.Equal(v, last.Values) || v[0] < 100 || v[0] > 200 || v[0] == v[1] && seen[v[0]] {
				t.Fatalf("answer %v, ledger %v", v, last.Values)
			}
			seen[last.Values[0]] = true
			time.Sleep(300 * time.Millisecond)
		}
		if len(seen) < 8 {
			t.Errorf("only %d values in 20", len(seen))
		}
	})
}

func TestAddRefuses(t *testing.T) {
	b, err := New(Options{Line: "9600"})
	if err != nil {
		t.Fatal(err)
	}
	for want, s := range map[string]Slave{
		"unit is 0":                {},
		"unit is 248":              {Unit: 248},
		"address 5 is in two":      {Unit: 1, Holding: []Block{{4, []uint16{1, 1}}, {5, []uint16{1}}}},
		"input: the block from 65": {Unit: 1, Input: []Block{{65535, []uint16{1, 1}}}},
	} {
		if err := b.Add(s); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
	if err := errors.Join(b.Add(meter(1)), b.Set(1, Input, 1, 5)); err != nil || b.Get(1, Input, 0, 2)[1] != 5 {
		t.Error(err)
	}
	if b.Add(meter(1)) == nil || b.Set(1, Input, 1, 5, 5) == nil || b.Set(2, Input, 1) == nil || b.AddDevice(Device{}) == nil {
		t.Error("what cannot be was taken")
	}
}

func TestNewRefuses(t *testing.T) {
	for want, o := range map[string]Options{
		"want a baud rate":      {},
		"want data bits":        {Line: "9600 9N1"},
		"a link or listens":     {Line: "9600", Link: "x", Listen: "y"},
		"needs listen":          {Mode: TCP, Link: "x"},
		"negative":              {Line: "9600", Turnaround: -1},
		"mode 7 is not known":   {Mode: 7},
		`line "fast 8N1": want`: {Line: "fast 8N1"},
	} {
		if b, err := New(o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v, %v, want %s", o, b, err, want)
		}
	}
}
