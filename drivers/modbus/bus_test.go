package modbus

import (
	"context"
	"errors"
	"maps"
	"math/rand/v2"
	"net"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"sluice/drivers"
	"sluice/protocol"
	"sluice/protocol/modbus"
	"sluice/protocol/payload"
)

// bench is a bus between a driver and a slave, in a bubble with a time of its
// own.
type bench struct {
	*Driver
	slave    *slave
	recorder *recorder
	ended    chan error // serve's result, sent once
	stop     func() error
}

func newBench(t *testing.T, c Config, list []Device, prepare ...func(u *slaveUnit)) *bench {
	t.Helper()
	b := &bench{Driver: newDriver(t, c, list), recorder: &recorder{}, ended: make(chan error, 1)}
	b.slave = newSlave(c)
	for _, d := range list {
		u := &slaveUnit{}
		for _, f := range prepare {
			f(u)
		}
		b.slave.units[byte(d.Unit)] = u
	}
	here, there := net.Pipe()
	ctx, cancel := context.WithCancel(t.Context())
	served := make(chan struct{}) // closed when the slave has ended
	go func() {
		defer close(served)
		b.slave.serve(there)
	}()
	go func() { b.ended <- b.newBus(here, b.recorder).converse(ctx) }()
	b.stop = func() error {
		cancel()
		err := <-b.ended
		_ = there.Close()
		<-served
		time.Sleep(time.Second) // for answers that are late
		return err
	}
	return b
}

func (b *bench) behave(u int, f func(q *modbus.Request) behaviour) {
	b.slave.change(func() { b.slave.units[byte(u)].behave = f })
}

// times returns n times a behaviour, and the usual one from then on.
func times(n int, b behaviour) func(q *modbus.Request) behaviour {
	return func(*modbus.Request) behaviour {
		if n--; n >= 0 {
			return b
		}
		return behaviour{}
	}
}

func TestReads(t *testing.T) {
	for name, c := range map[string]Config{
		"rtu": lineConfig("19200 8E1"), "tcp": tcpConfig("tcp://h"), "rtu by tcp": tcpConfig("rtu+tcp://h:4001"),
		"ascii": func() Config { c := lineConfig("9600 7E1"); c.Mode = "ascii"; return c }(),
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := &payload.Profile{Poll: time.Second, Metrics: map[string]payload.Metric{
					"power":  {Type: "int32", Unit: "W", Scale: ptr(0.1), Register: payload.Register{Holding: ptr(10), Order: "CDAB"}},
					"relay":  {Register: payload.Register{Coil: ptr(3)}},
					"serial": {Type: "string", Register: payload.Register{Input: ptr(100), Length: 4, Poll: 10 * time.Second}},
					"none":   {Type: "int16", Register: payload.Register{Holding: ptr(12), Missing: []string{"0x7FFF"}}},
				}}
				b := newBench(t, c, devices(p, 7), func(u *slaveUnit) {
					u.registers[10], u.registers[12], u.coils[3] = 1234, 0x7fff, true
					u.registers[100], u.registers[101] = 'a'<<8|'b', 'c'<<8
				})
				start := protocol.At(time.Now())
				time.Sleep(2500 * time.Millisecond)
				if err := b.stop(); !errors.Is(err, context.Canceled) && !errors.Is(err, net.ErrClosed) {
					t.Errorf("serve returned %v", err)
				}
				got := b.recorder.of("unit07")
				if len(got) != 4 {
					t.Fatalf("got %d readings, want 3 of 3 metrics and 1 of 1: %+v", len(got), got)
				}
				want := []protocol.Metric{
					{Name: "none"}, {Name: "power", Value: protocol.Float(123.4), Unit: "W"}, {Name: "relay", Value: protocol.Bool(true)},
				}
				for _, r := range got {
					if r.Metrics[0].Name == "serial" {
						want := protocol.Metric{Name: "serial", Value: protocol.String("abc")}
						if r.Metrics[0] != want {
							t.Errorf("got %+v, want %+v", r.Metrics[0], want)
						}
						continue
					}
					if !slices.Equal(r.Metrics, want) {
						t.Errorf("got %+v, want %+v", r.Metrics, want)
					}
					if at := time.Duration(r.ReceivedTime - start); at%time.Second > 300*time.Millisecond {
						t.Errorf("read at %v, want near a whole second", at)
					}
				}
			})
		})
	}
}

// TestSilentUnit is the issue's: one unit of ten is silent, and the others keep
// their period.
func TestSilentUnit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := lineConfig("9600 8E1")
		c.Timeout = 300 * time.Millisecond
		const period = 3 * time.Second
		b := newBench(t, c, devices(block(0, 20, period), 1, 2, 3, 4, 5, 6, 7, 8, 9, 10))
		b.behave(4, func(*modbus.Request) behaviour { return behaviour{silent: true} })
		time.Sleep(time.Minute)
		if n := b.Stats().Demoted; n != 1 {
			t.Errorf("%d units are demoted, want 1", n)
		}
		b.behave(4, nil)
		back := time.Now()
		time.Sleep(time.Minute)
		_ = b.stop()
		for u := 1; u <= 10; u++ {
			readings := b.recorder.of(deviceName(u))
			if u == 4 {
				if len(readings) == 0 || readings[0].ReceivedTime.Time().Sub(back) > c.Demote.Probe+period {
					t.Errorf("the silent unit is not back within one probe")
				}
				continue
			}
			if len(readings) != 40 {
				t.Errorf("unit %d was read %d times in 2m, want 40", u, len(readings))
			}
			for i := 1; i < len(readings); i++ {
				took := time.Duration(readings[i].ReceivedTime - readings[i-1].ReceivedTime)
				if took < period*9/10 || took > period*11/10 {
					t.Errorf("unit %d, reading %d: period is %v, want %v", u, i, took, period)
				}
			}
		}
		asked := 0
		for _, q := range b.slave.requests() {
			if q.unit == 4 && q.at.Before(back) {
				asked++
			}
		}
		if asked != 5 && asked != 6 { // 2 polls of 2 requests, and a probe each 30 s
			t.Errorf("the silent unit was asked %d times in a minute", asked)
		}
		if n := b.recorder.rejected["timeout"]; n < 3 || n > 5 {
			t.Errorf("%d timeouts were counted", n)
		}
	})
}

// TestOnTime has a busy line with faults: polls of the units that
// answer keep their places, and no request begins before the gap is over.
func TestOnTime(t *testing.T) {
	for _, line := range []string{"115200 8N1", "57600 8E1"} {
		synctest.Test(t, func(t *testing.T) {
			c := lineConfig(line)
			b := newBench(t, c, devices(block(0, 60, time.Second), 1, 2, 3, 4, 5, 6, 7, 8, 9, 10))
			random := rand.New(rand.NewPCG(1, 2))
			b.behave(3, func(*modbus.Request) behaviour {
				if random.IntN(4) > 0 {
					return behaviour{}
				}
				return []behaviour{{silent: true}, {corrupt: true}, {cut: 4}, {exception: 4}}[random.IntN(4)]
			})
			began := protocol.At(time.Now())
			time.Sleep(time.Minute)
			_ = b.stop()
			requests, gap := b.slave.requests(), c.Timing().Gap
			for i := 1; i < len(requests); i++ {
				if quiet := requests[i].began.Sub(requests[i-1].ended); quiet < gap {
					t.Fatalf("request %d began %v after the answer before, want %v", i, quiet, gap)
				}
			}
			for u := 1; u <= 10; u++ {
				readings := b.recorder.of(deviceName(u))
				if u != 3 && len(readings) != 60 {
					t.Errorf("%s: unit %d was read %d times in a minute", line, u, len(readings))
				}
			}
			// An answer that does not come holds the line up once.
			for i, r := range b.recorder.of("unit10") {
				place := time.Duration(i)*time.Second + 900*time.Millisecond
				if late := time.Duration(r.ReceivedTime-began) - place - c.patience(); late > 2*c.Timing().Transaction(&requests[0].request) {
					t.Errorf("%s: unit 10 was late by %v and a timeout", line, late)
				}
			}
		})
	}
}

// TestFaults lets one answer go wrong: it is asked for again, and no reading is
// lost or wrong.
func TestFaults(t *testing.T) {
	for name, test := range map[string]struct {
		fault  behaviour
		again  bool
		reason string // what is counted when it happens twice
	}{
		"silent":     {behaviour{silent: true}, true, "timeout"},
		"late":       {behaviour{late: 350 * time.Millisecond}, true, "timeout"},
		"corrupt":    {behaviour{corrupt: true}, true, "checksum"},
		"truncated":  {behaviour{cut: 3}, true, "truncated"},
		"wrong unit": {behaviour{as: 9}, true, "wrong_unit"},
		"busy":       {behaviour{exception: modbus.ServerDeviceBusy}, true, "exception_6"},
		"refused":    {behaviour{exception: modbus.IllegalDataAddress}, false, "exception_2"},
		"gateway":    {behaviour{exception: modbus.GatewayTargetNoResponse}, true, "exception_11"},
	} {
		for _, count := range []int{1, 2} {
			t.Run(name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					b := newBench(t, lineConfig("19200 8E1"), devices(block(0, 10, 2*time.Second), 1))
					b.behave(1, times(count, test.fault))
					time.Sleep(5 * time.Second)
					_ = b.stop()
					want, rejected := 3, map[string]int(nil)
					switch {
					case !test.again:
						want, rejected = 3-count, map[string]int{test.reason: count}
					case count == 2:
						want, rejected = 2, map[string]int{test.reason: 1}
					}
					if n := len(b.recorder.of("unit01")); n != want {
						t.Errorf("got %d readings, want %d", n, want)
					}
					if !maps.Equal(b.recorder.rejected, rejected) {
						t.Errorf("rejected %v, want %v", b.recorder.rejected, rejected)
					}
				})
			})
		}
	}
}

// TestNoise has a line on which there is more noise than anything else: what is
// read is right, and nothing hangs.
func TestNoise(t *testing.T) {
	ascii := lineConfig("19200 7E1")
	ascii.Mode = modeASCII
	for name, c := range map[string]Config{"rtu": lineConfig("19200 8E1"), "ascii": ascii, "rtu by tcp": tcpConfig("rtu+tcp://h:1")} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d, e, s := newDriver(t, c, devices(block(0, 5, time.Second), 1, 2)), &recorder{}, newSlave(c, 1, 2)
				s.units[1].registers[0], s.units[2].registers[0] = 1, 2
				here, there := net.Pipe()
				ctx, cancel := context.WithCancel(t.Context())
				var others sync.WaitGroup
				others.Go(func() { s.serve(there) })
				others.Go(func() {
					random := rand.New(rand.NewPCG(3, 4))
					noise := make([]byte, 40)
					for ctx.Err() == nil {
						time.Sleep(time.Duration(random.IntN(300)) * time.Millisecond)
						for i := range noise {
							noise[i] = byte(random.Uint32())
						}
						if random.IntN(2) == 0 { // like an answer's head
							copy(noise, []byte{byte(1 + random.IntN(2)), 3, 10})
						}
						if _, err := there.Write(noise[:1+random.IntN(len(noise))]); err != nil {
							return
						}
					}
				})
				others.Go(func() { _ = d.newBus(here, e).converse(ctx) })
				time.Sleep(5 * time.Minute)
				cancel()
				_ = there.Close()
				others.Wait()
				for u := 1; u <= 2; u++ {
					readings := e.of(deviceName(u))
					for _, r := range readings {
						if got := r.Metrics[0].Value; got != protocol.Uint(uint64(u)) {
							t.Fatalf("unit %d has %v", u, got)
						}
					}
					if len(readings) < 150 {
						t.Errorf("unit %d was read %d times in 5 minutes: %v", u, len(readings), e.rejected)
					}
				}
			})
		})
	}
}

// TestLateAnswer has two requests to one unit whose answers look alike: a late
// one never counts for the other.
func TestLateAnswer(t *testing.T) {
	for name, c := range map[string]Config{"rtu": lineConfig("19200 8E1"), "rtu by tcp": tcpConfig("rtu+tcp://h:1"), "tcp": tcpConfig("tcp://h")} {
		for _, late := range []time.Duration{10, 100, 250, 500, 590} {
			t.Run(name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					c.Timeout = 300 * time.Millisecond
					p := &payload.Profile{Poll: 500 * time.Millisecond, Metrics: map[string]payload.Metric{
						"a": holding(0, "uint16"), "b": holding(1000, "uint16"),
						"c": {Type: "uint16", Register: payload.Register{Holding: ptr(2000), Poll: 700 * time.Millisecond}},
					}}
					b := newBench(t, c, devices(p, 1, 2), func(u *slaveUnit) {
						u.registers[0], u.registers[1000], u.registers[2000] = 1, 2, 3
					})
					n := 0
					b.behave(1, func(*modbus.Request) behaviour {
						if n++; n%5 == 0 {
							return behaviour{late: late * time.Millisecond}
						}
						return behaviour{}
					})
					time.Sleep(time.Minute)
					_ = b.stop()
					readings := append(b.recorder.of("unit01"), b.recorder.of("unit02")...)
					for _, r := range readings {
						for _, m := range r.Metrics {
							if want := uint64(m.Name[0] - 'a' + 1); m.Value.Uint() != want {
								t.Fatalf("%s is %v, want %d", m.Name, m.Value, want)
							}
						}
					}
					if len(readings) < 200 {
						t.Errorf("got only %d readings", len(readings))
					}
				})
			})
		}
	}
}

// TestOneRangeIsSilent has a unit that does not answer for one of two ranges:
// the other is read nevertheless.
func TestOneRangeIsSilent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &payload.Profile{Poll: 2 * time.Second, Metrics: map[string]payload.Metric{"a": holding(0, "uint16"), "b": holding(1000, "uint16")}}
		b := newBench(t, lineConfig("19200 8E1"), devices(p, 1))
		b.behave(1, func(q *modbus.Request) behaviour { return behaviour{silent: q.Address == 0} })
		time.Sleep(20 * time.Second)
		_ = b.stop()
		if n := len(b.recorder.of("unit01")); n < 4 {
			t.Errorf("got %d readings of what can be read", n)
		}
		if n := b.Stats().Demoted; n != 0 {
			t.Error("a unit that answers was demoted")
		}
	})
}

func TestFlaw(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &payload.Profile{Poll: time.Second, Metrics: map[string]payload.Metric{
			"digits": {Type: "bcd", Register: payload.Register{Holding: ptr(0), Length: 2}}, "good": holding(1, "uint16"),
		}}
		b := newBench(t, tcpConfig("tcp://h"), devices(p, 1), func(u *slaveUnit) { u.registers[0] = 0xabcd })
		time.Sleep(500 * time.Millisecond)
		_ = b.stop()
		got := b.recorder.of("unit01")
		if len(got) != 1 || len(got[0].Metrics) != 1 || got[0].Metrics[0].Name != "good" || b.recorder.flaws != 1 {
			t.Errorf("got %+v and %d flaws", got, b.recorder.flaws)
		}
	})
}

// TestNobodyAnswers has a connection that is made anew when it may be dead, once
// in a probe.
func TestNobodyAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, tcpConfig("tcp://h"), devices(block(0, 2, time.Second), 1, 2))
		time.Sleep(40 * time.Second)
		if b.status.Condition().State != drivers.Up {
			t.Errorf("the bus is %+v", b.status.Condition())
		}
		silent := func(*modbus.Request) behaviour { return behaviour{silent: true} }
		b.behave(1, silent)
		b.behave(2, silent)
		time.Sleep(20 * time.Second)
		select {
		case err := <-b.ended:
			if !errors.Is(err, errNobody) {
				t.Errorf("serve ended: %v", err)
			}
			b.ended <- nil
		default:
			t.Error("the connection is still in use")
		}
		if c := b.status.Condition(); c.State != drivers.Down || c.Detail != errNobody.Error() {
			t.Errorf("the bus is %+v", c)
		}
		_ = b.stop()
	})
}
