package modbus

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"sluice/drivers"
	"sluice/protocol"
	"sluice/protocol/modbus"
	"sluice/protocol/payload"
)

// commanded returns a profile with a metric and commands.
func commanded() *payload.Profile {
	p := block(0, 60, time.Second)
	p.Commands = map[string]payload.Command{
		"setpoint": {Metric: payload.Metric{Type: "int16", Scale: ptr(0.1), Range: []float64{5, 30}, Register: payload.Register{Holding: ptr(100)}}},
		"total":    {Metric: payload.Metric{Type: "float32", Register: payload.Register{Holding: ptr(200), Order: "CDAB"}}},
		"mode":     {Metric: payload.Metric{Type: "uint16", Map: map[string]string{"0": "off", "2": "auto"}, Register: payload.Register{Holding: ptr(101), Bits: "4-7"}}},
		"relay":    {Metric: payload.Metric{Register: payload.Register{Coil: ptr(5)}}},
		"reset":    {Metric: payload.Metric{Type: "uint16", Register: payload.Register{Holding: ptr(300)}}, Value: "4660", Blind: true},
	}
	return p
}

func TestCommand(t *testing.T) {
	for name, c := range map[string]Config{"rtu": lineConfig("9600 8E1"), "tcp": tcpConfig("tcp://h")} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t, c, devices(commanded(), 1, 2, 3), func(u *slaveUnit) { u.registers[101] = 0xabcd })
				u := b.slave.units[2]
				time.Sleep(100 * time.Millisecond)
				for _, test := range []struct {
					command drivers.Command
					want    protocol.Value
				}{
					{drivers.Command{Name: "setpoint", Value: "21.5"}, protocol.Float(21.5)},
					{drivers.Command{Name: "total", Value: "0.471"}, protocol.Float(0.471)},
					{drivers.Command{Name: "mode", Value: "auto"}, protocol.String("auto")},
					{drivers.Command{Name: "relay", Value: "on"}, protocol.Bool(true)},
					{drivers.Command{Name: "reset"}, protocol.Value{}},
				} {
					got, err := b.Command(t.Context(), "unit02", test.command)
					if err != nil || got.Value != test.want {
						t.Errorf("%v: got %+v, %v, want %v", test.command, got, err, test.want)
					}
				}
				_ = b.stop()
				if u.registers[100] != 215 || u.registers[101] != 0xab2d || !u.coils[5] || u.registers[300] != 4660 {
					t.Errorf("the unit has %d, %x, %v and %d", u.registers[100], u.registers[101], u.coils[5], u.registers[300])
				}
			})
		})
	}
}

func TestCommandRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, tcpConfig("tcp://h"), devices(commanded(), 1))
		time.Sleep(100 * time.Millisecond)
		for _, test := range []struct {
			device  string
			command drivers.Command
			is      error
			says    string
		}{
			{"nobody", drivers.Command{Name: "relay"}, drivers.ErrUnknown, "nobody"},
			{"unit01", drivers.Command{Name: "relais"}, drivers.ErrUnknown, "has no relais"},
			{"unit01", drivers.Command{Name: "relay", Value: "2"}, drivers.ErrValue, `it is "2", want true or false`},
			{"unit01", drivers.Command{Name: "setpoint", Value: "31"}, drivers.ErrValue, "it is 31, want 5 to 30"},
			{"unit01", drivers.Command{Name: "setpoint", Value: "21.55"}, drivers.ErrValue, "want a whole number"},
			{"unit01", drivers.Command{Name: "mode", Value: "16"}, drivers.ErrValue, "does not fit"},
			{"unit01", drivers.Command{Name: "reset", Value: "1"}, drivers.ErrValue, "is 4660, want none"},
		} {
			_, err := b.Command(t.Context(), test.device, test.command)
			if !errors.Is(err, test.is) || !errors.Is(err, drivers.ErrUnsent) || !strings.Contains(err.Error(), test.says) {
				t.Errorf("%v: %v, want %s", test.command, err, test.says)
			}
		}
		b.behave(1, func(q *modbus.Request) behaviour {
			if q.Function == modbus.WriteSingleRegister {
				return behaviour{exception: modbus.IllegalFunction}
			}
			return behaviour{}
		})
		if _, err := b.Command(t.Context(), "unit01", drivers.Command{Name: "setpoint", Value: "10"}); err != nil {
			t.Errorf("a device without function 6: %v", err)
		}
		b.behave(1, func(*modbus.Request) behaviour { return behaviour{exception: modbus.IllegalDataAddress} })
		if _, err := b.Command(t.Context(), "unit01", drivers.Command{Name: "relay", Value: "on"}); !errors.Is(err, modbus.IllegalDataAddress) || !errors.Is(err, drivers.ErrRefused) {
			t.Errorf("got %v, want an exception", err)
		}
		b.behave(1, func(*modbus.Request) behaviour { return behaviour{silent: true} })
		if _, err := b.Command(t.Context(), "unit01", drivers.Command{Name: "relay", Value: "on"}); err == nil || errors.Is(err, drivers.ErrUnsent) {
			t.Errorf("got %v, want no answer", err)
		}
		_ = b.stop()
		if _, err := b.Command(t.Context(), "unit01", drivers.Command{Name: "relay", Value: "on"}); !errors.Is(err, drivers.ErrOffline) {
			t.Errorf("got %v, want offline", err)
		}
	})
}

// TestReadBack has a device that takes another value than it was told.
func TestReadBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, tcpConfig("tcp://h"), devices(commanded(), 1))
		b.behave(1, func(q *modbus.Request) behaviour {
			if q.Function == modbus.ReadHoldingRegisters {
				b.slave.units[1].registers[100] = 200
			}
			return behaviour{}
		})
		time.Sleep(10 * time.Millisecond)
		got, err := b.Command(t.Context(), "unit01", drivers.Command{Name: "setpoint", Value: "21.5"})
		if err == nil || !strings.Contains(err.Error(), "the device has 20") || got.Value != protocol.Float(20) {
			t.Errorf("got %+v, %v", got, err)
		}
		_ = b.stop()
	})
}

// TestCommandGoesFirst fills the queue of a busy line.
func TestCommandGoesFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := commanded()
		p.Poll = 100 * time.Millisecond // ten times as much as fits
		b := newBench(t, lineConfig("9600 8E1"), devices(p, 1, 2, 3, 4, 5, 6, 7))
		time.Sleep(time.Second)
		results := make(chan error, 20) // one for each caller
		for range 20 {
			go func() {
				_, err := b.Command(t.Context(), "unit03", drivers.Command{Name: "reset"})
				results <- err
			}()
		}
		began, full := time.Now(), 0
		for range 20 {
			switch err := <-results; {
			case errors.Is(err, drivers.ErrFull):
				full++
			case err != nil:
				t.Error(err)
			}
		}
		if full < 11 || full > 12 { // 8 wait, and the bus may have taken one
			t.Errorf("%d of 20 commands were refused, want 12", full)
		}
		if took := time.Since(began); took > time.Second {
			t.Errorf("8 commands took %v", took)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := b.Command(ctx, "unit03", drivers.Command{Name: "reset"}); err == nil {
			t.Error("a command went on without its caller")
		}
		_ = b.stop()
	})
}
