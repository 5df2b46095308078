package serial

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"sluice/drivers"
	"sluice/drivers/drivertest"
	"sluice/firmware-sim/bus"
	"sluice/protocol/payload"
)

// rack is a driver on a port with simulated devices behind it.
type rack struct {
	*bus.Bus
	t      *testing.T
	driver *Driver
	status *drivers.Status
	link   string
	played chan error // the bus's result, sent once
}

func newRack(t *testing.T, c Config, devices []Device, others ...bus.Device) *rack {
	t.Helper()
	c.Port = filepath.Join(t.TempDir(), "port")
	r := &rack{t: t, status: drivers.NewStatus(slog.New(slog.DiscardHandler)), link: c.Port, played: make(chan error, 1)}
	var err error
	if r.driver, err = New("rack", c, devices, Options{Status: r.status}); err != nil {
		t.Fatal(err)
	}
	if r.Bus, err = bus.New(bus.Options{Mode: bus.Text, Line: c.Line, Link: c.Port, Turnaround: 5 * time.Millisecond}); err != nil {
		t.Fatal(err)
	}
	for _, o := range others {
		if err := r.AddDevice(o); err != nil {
			t.Fatal(err)
		}
	}
	go func() { r.played <- r.Bus.Run(context.Background()) }()
	t.Cleanup(func() {
		if err := errors.Join(r.Close(), <-r.played); err != nil {
			t.Error(err)
		}
		for _, v := range r.Violations() {
			t.Errorf("%v", v)
		}
	})
	return r
}

// run runs the driver until the function it returns is called.
func (r *rack) run(e drivers.Emitter) (stop func()) {
	others := goleak.IgnoreCurrent()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1) // Run's result, sent once
	go func() { ended <- r.driver.Run(ctx, e) }()
	return func() {
		r.t.Helper()
		cancel()
		if err := <-ended; err != nil {
			r.t.Errorf("Run returned %v", err)
		}
		if leak := goleak.Find(others); leak != nil {
			r.t.Errorf("Run left goroutines behind: %v", leak)
		}
	}
}

func (r *rack) lose() {
	if err := r.Unplug(); err != nil {
		r.t.Error(err)
	}
}

func (r *rack) restore() {
	if err := r.Plug(); err != nil {
		r.t.Error(err)
	}
}

func fastConfig() Config {
	c := testConfig("")
	c.Line, c.Gap = "115200 8N1", 5*time.Millisecond
	return c
}

// sayings are values that a device answers with, each once.
type sayings struct {
	mu     sync.Mutex
	values []int
}

func (s *sayings) say(v int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.values = append(s.values, v)
}

// next answers with the next value, or with what is none.
func (s *sayings) next(time.Time) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.values) == 0 {
		return []byte("busy\r\n")
	}
	v := s.values[0]
	s.values = s.values[1:]
	return fmt.Appendf(nil, "v=%d\r\n", v)
}

func TestAskedConformance(t *testing.T) {
	drivertest.Run(t, drivertest.Case{
		Waits: true,
		New: func(t *testing.T) drivertest.Rig {
			s := &sayings{}
			p := weigher(20*time.Millisecond, &payload.Ask{Request: "?\r\n"})
			r := newRack(t, fastConfig(), []Device{deviceOf("scale-1", "", p)},
				bus.Device{Answers: map[string]bus.Speech{"?\r\n": s.next}})
			return drivertest.Rig{
				Driver: r.driver, Status: r.status, Device: "scale-1",
				Send: s.say, Lose: r.lose, Restore: r.restore,
			}
		},
	})
}

// TestReplugWhileAsked pulls the plug in the middle of requests and commands.
func TestReplugWhileAsked(t *testing.T) {
	p := weigher(50*time.Millisecond, &payload.Ask{Request: "?{unit}\r\n", Expect: "{unit}"})
	p.Commands = map[string]payload.Command{"tare": {Request: "T{unit}\r\n", Expect: "{unit}T"}}
	slow := func(unit string, n uint8) bus.Device {
		return bus.Device{Unit: n, Turnaround: 20 * time.Millisecond, Answers: map[string]bus.Speech{
			"?" + unit + "\r\n": counting(unit + "v=%d\r\n"), "T" + unit + "\r\n": bus.Say(unit + "T\r\n"),
		}}
	}
	r := newRack(t, fastConfig(), []Device{deviceOf("a", "A", p), deviceOf("b", "B", p)}, slow("A", 1), slow("B", 2))
	e := drivertest.NewEmitter(t)
	stop := r.run(e)
	ctx, cancel := context.WithCancel(t.Context())
	told := make(chan int, 1) // how many commands were done, sent once
	go func() {
		done := 0
		for ctx.Err() == nil {
			_, err := r.driver.Command(ctx, "b", drivers.Command{Name: "tare"})
			switch {
			case err == nil:
				done++
			case errors.Is(err, drivers.ErrOffline):
				<-time.After(10 * time.Millisecond)
			}
		}
		told <- done
	}()
	var longest time.Duration
	for range 10 {
		before := len(e.Readings())
		e.Wait(before + 5)
		r.lose()
		drivertest.Eventually(t, "the driver is down", func() bool { return r.status.Condition().State == drivers.Down })
		before = len(e.Readings())
		r.restore()
		plugged := time.Now()
		longest = max(longest, e.Wait(before + 1)[before].ReceivedTime.Time().Sub(plugged))
	}
	cancel()
	if done := <-told; done < 10 {
		t.Errorf("%d commands were done", done)
	}
	stop()
	t.Logf("readings went on within %v of every return", longest)
	if longest > promise {
		t.Errorf("readings went on %v after a return, want %v", longest, promise)
	}
}

// TestAskedOnAPort: polls of many devices keep their period on a real terminal.
func TestAskedOnAPort(t *testing.T) {
	const units, every = 10, 500 * time.Millisecond
	p := weigher(every, &payload.Ask{Request: "?{unit}\r\n", Expect: "{unit}"})
	var devices []Device
	var others []bus.Device
	for n := range units {
		unit := string(rune('A' + n))
		devices = append(devices, deviceOf("d-"+unit, unit, p))
		others = append(others, bus.Device{Unit: uint8(n), Answers: map[string]bus.Speech{"?" + unit + "\r\n": counting(unit + "v=%d\r\n")}})
	}
	r := newRack(t, fastConfig(), devices, others...)
	e := drivertest.NewEmitter(t)
	stop := r.run(e)
	readings := e.Wait(10 * units)
	stop()
	seen := map[string][]time.Time{}
	for _, reading := range readings {
		seen[reading.Device.Name] = append(seen[reading.Device.Name], reading.ReceivedTime.Time())
	}
	for name, times := range seen {
		if span := times[len(times)-1].Sub(times[0]); len(times) < 9 || span > time.Duration(len(times)+2)*every {
			t.Errorf("%s was read %d times in %v", name, len(times), span)
		}
	}
	if s := r.driver.Stats(); s.Skipped > 2*units {
		t.Errorf("%+v", s)
	}
}

// TestNobodyAnswers: a line on which nobody answers is down, and says so.
func TestNobodyAnswers(t *testing.T) {
	c := fastConfig()
	c.Demote.After = 1
	retries := 0
	p := weigher(20*time.Millisecond, &payload.Ask{Request: "?", Timeout: 20 * time.Millisecond, Retries: &retries})
	r := newRack(t, c, []Device{deviceOf("m", "", p)})
	stop := r.run(drivertest.NewEmitter(t))
	drivertest.Eventually(t, "the driver is down", func() bool {
		now := r.status.Condition()
		return now.State == drivers.Down && strings.Contains(now.Detail, "no device answers")
	})
	stop()
}
