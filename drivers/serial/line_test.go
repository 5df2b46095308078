package serial

import (
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"sluice/drivers/drivertest"
	"sluice/firmware-sim/bus"
	"sluice/protocol"
	"sluice/protocol/payload"
	"sluice/protocol/payload/sdi12"
)

// wired is a driver on a simulated line, in a bubble.
type wired struct {
	*bus.Bus
	*drivertest.Emitter
	t       *testing.T
	driver  *Driver
	answers []bus.Answer // what was said, as the bus's ledger has it; whole after hangUp
	hangUp  func()       // ends the line and all that goes over it
}

// pipe is one end of a line in a bubble.
type pipe struct{ net.Conn }

func (pipe) Drain() error { return nil }
func (pipe) Flush() error { return nil }

// wire lets a driver of devices talk with what is on a line until the test ends.
func wire(t *testing.T, c Config, devices []Device, others ...bus.Device) *wired {
	t.Helper()
	w := &wired{t: t, Emitter: drivertest.NewEmitter(t)}
	d, err := New("bench", c, devices, Options{})
	if err != nil {
		t.Fatal(err)
	}
	w.driver = d
	w.Bus, err = bus.New(bus.Options{
		Mode: bus.Text, Line: c.Line, Turnaround: 15 * time.Millisecond,
		Ledger: func(a bus.Answer) { w.answers = append(w.answers, a) },
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range others {
		if err := w.AddDevice(o); err != nil {
			t.Fatal(err)
		}
	}
	w.plugIn()
	return w
}

// plugIn connects the driver and the line until hangUp is called.
func (w *wired) plugIn() {
	here, there := net.Pipe()
	served, played := make(chan error, 1), make(chan error, 1) // the results, sent once each
	go func() {
		s := &session{Driver: w.driver, conn: pipe{here}, emitter: w.Emitter}
		served <- s.serve()
	}()
	go func() { played <- w.Serve(w.t.Context(), there) }()
	open := true
	w.hangUp = func() {
		if open {
			open = false
			_ = here.Close()
			_ = there.Close()
			<-served
			if err := <-played; err != nil {
				w.t.Errorf("the bus was played until %v", err)
			}
		}
	}
	w.t.Cleanup(func() {
		w.hangUp()
		for _, v := range w.Violations() {
			w.t.Errorf("%v", v)
		}
	})
}

// of returns the values of a metric that a device has reported, as text.
func (w *wired) of(device string) string {
	var values []string
	for _, r := range w.Readings() {
		if r.Device.Name == device {
			values = append(values, r.Metrics[0].Value.String())
		}
	}
	return strings.Join(values, " ")
}

// counts returns the rejections as text.
func (w *wired) rejections() string {
	var all []string
	for r, n := range w.Rejected() {
		all = append(all, fmt.Sprintf("%s %s %d", r.Device, r.Reason, n))
	}
	slices.Sort(all)
	return strings.Join(all, ", ")
}

func lineConfig() Config { return testConfig("/dev/null") }

// soil is the profile of an SDI-12 sensor, which measures for a second first.
func soil(poll time.Duration) *payload.Profile {
	return &payload.Profile{
		Decode: payload.Decode{SDI12: &sdi12.Config{}},
		Poll:   poll,
		Ask: &payload.Ask{
			Before:  []payload.Prelude{{Send: "{unit}M!", Answer: true, Pause: time.Second}},
			Request: "{unit}D0!", Expect: "{unit}",
		},
	}
}

// probe is a soil sensor on the line, which numbers its measurements.
func probe(unit string, n uint8) bus.Device {
	measured := 0
	return bus.Device{Unit: n, Answers: map[string]bus.Speech{
		unit + "M!": func(time.Time) []byte { measured++; return []byte(unit + "0011\r\n") },
		unit + "D0!": func(time.Time) []byte {
			return fmt.Appendf(nil, "%s+%d\r\n", unit, measured)
		},
	}}
}

// weigher is the profile of devices that say v=1 without their address, as those
// that are asked by it do.
func weigher(poll time.Duration, ask *payload.Ask) *payload.Profile {
	return &payload.Profile{Decode: payload.Decode{Regex: `v=(?P<value>[0-9]+)$`}, Poll: poll, Ask: ask}
}

// counting says a text with a number that grows.
func counting(format string) bus.Speech {
	n := 0
	return func(time.Time) []byte { n++; return fmt.Appendf(nil, format, n) }
}

func deviceOf(name, unit string, p *payload.Profile) Device {
	return Device{Name: name, Unit: unit, Profile: "profile", Decode: p, Tags: []protocol.Tag{{Key: "area", Value: "gate"}}}
}
