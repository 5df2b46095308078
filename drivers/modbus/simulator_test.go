package modbus

import (
	"context"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	sim "sluice/firmware-sim/bus"
)

// TestSilentUnitOfTen has one unit of ten silent on a line that an arbiter
// watches: the others keep their period, it is left alone after two polls, and
// back with the next probe.
func TestSilentUnitOfTen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const period, silent = 3 * time.Second, 4
		line, err := sim.New(sim.Options{Line: "9600 8E1", Turnaround: 5 * time.Millisecond})
		if err != nil {
			t.Fatal(err)
		}
		units := []int{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}
		for _, u := range units {
			if err := line.Add(sim.Slave{Unit: uint8(u), Holding: []sim.Block{{Values: make([]uint16, 20)}}}); err != nil {
				t.Fatal(err)
			}
		}
		c := lineConfig("9600 8E1")
		c.Timeout, c.Retries = 300*time.Millisecond, 1
		d, e := newDriver(t, c, devices(block(0, 20, period), units...)), &recorder{}
		lift := line.Inject(sim.Trouble{Fault: sim.Silent, Units: []uint8{silent}})
		stop := runOn(t, d, e, line)

		time.Sleep(2*period - time.Second)
		if asked := line.Injected(sim.Silent); asked != 4 || d.Stats().Demoted != 1 {
			t.Errorf("after 2 polls it was asked %d times, and %d units are demoted, want 4 and 1", asked, d.Stats().Demoted)
		}
		time.Sleep(c.Demote.Probe)
		if asked := line.Injected(sim.Silent); asked != 5 {
			t.Errorf("after a probe it was asked %d times, want 5", asked)
		}
		lift()
		back := time.Now()
		time.Sleep(c.Demote.Probe + period)
		stop()

		for _, u := range units {
			readings := e.of(deviceName(u))
			if u == silent {
				// The next probe comes that long after the one before was given
				// up, when the bus is free.
				most := c.Demote.Probe + c.Timeout + 3*c.Timing().Transaction(&d.schedule.units[0].tasks[0].group.reads[0].request)
				if len(readings) == 0 || readings[0].ReceivedTime.Time().Sub(back) > most {
					t.Errorf("%d readings of the silent unit, the first one not within %v", len(readings), most)
				}
				continue
			}
			for i := 1; i < len(readings); i++ {
				took := time.Duration(readings[i].ReceivedTime - readings[i-1].ReceivedTime)
				if took < period*9/10 || took > period*11/10 {
					t.Errorf("unit %d, reading %d: period is %v, want %v", u, i, took, period)
				}
			}
		}
		for _, v := range line.Violations() {
			t.Error(v)
		}
	})
}

// runOn lets d talk to a simulated line until the function it returns is called.
func runOn(t *testing.T, d *Driver, e *recorder, line *sim.Bus) (stop func()) {
	here, there := net.Pipe()
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() {
		if err := line.Serve(ctx, there); err != nil {
			t.Errorf("line: %v", err)
		}
	})
	running.Go(func() { _ = d.newBus(here, e).converse(ctx) }) // it ends with ctx
	return func() {
		cancel()
		running.Wait()
		_ = there.Close()
	}
}
