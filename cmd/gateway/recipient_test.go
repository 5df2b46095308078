package main

import (
	"context"
	"log/slog"
	"strings"
	"testing"

	"sluice/drivers"
	"sluice/protocol"
	"sluice/protocol/payload"
)

// listener is a driver that has heard some devices.
type listener []*protocol.Device

func (listener) Run(context.Context, drivers.Emitter) error { return nil }

func (l listener) Heard() []*protocol.Device { return l }

// toldGateway has two drivers with devices of the same names.
func toldGateway() *gateway {
	commands := func(c payload.Command, names ...string) toldProfile {
		p := toldProfile{}
		for _, name := range names {
			p[name] = c
		}
		return p
	}
	level := payload.Command{Topic: "x", Payload: "{value}", Metric: payload.Metric{Range: []float64{0, 5}}}
	wide := level
	wide.Range = []float64{0, 50}
	add := func(name string, d drivers.Driver, rows ...toldRow) *driver {
		return &driver{name: name, driver: d, rows: rows, told: &toldCounts{}, log: slog.New(slog.DiscardHandler)}
	}
	return &gateway{drivers: []*driver{
		add("floor", listener{{Name: "pump", Profile: "p"}, {Name: "fan", Profile: "p"}, {Name: "mute", Profile: "none"}},
			toldRow{"", "floor/{device}", "p", commands(level, "level")},
			toldRow{"", "cellar/{device}", "p", commands(wide, "level")}),
		add("roof", listener{}, toldRow{"pump", "roof/pump", "q", commands(level, "level", "open")}),
	}}
}

func TestRecipient(t *testing.T) {
	g := toldGateway()
	for _, test := range []struct {
		device, command, driver string
		want                    string // the driver, or a part of the error
	}{
		{"fan", "level", "", "floor"},
		{"pump", "open", "", "roof"},
		{"pump", "level", "roof", "roof"},
		{"pump", "level", "", `drivers floor and roof have a device "pump": say which with --driver`},
		{"new", "level", "", "floor"},
		{"new", "open", "", `no device is called "new"`},
		{"pmup", "open", "", `no device is called "pmup"; did you mean "pump"?`},
		{"fan", "lvel", "", `device fan has no command "lvel"; did you mean "level"?`},
		{"fan", "level", "root", `no driver is called "root"; did you mean "roof"?`},
		{"fan", "open", "", `device fan has no command "open": there is level`},
	} {
		m, err := g.recipient(&tellOrder{Device: test.device, Command: test.command, Driver: test.driver})
		got := ""
		if err != nil {
			got = err.Error()
		} else {
			got = m.driver.name
		}
		if !strings.HasPrefix(got, test.want) {
			t.Errorf("%+v: %s", test, got)
		}
	}
}

// TestRowsThatDiffer has rows that say a part of their profile themselves: which
// one is that of a device, the driver knows.
func TestRowsThatDiffer(t *testing.T) {
	g := toldGateway()
	o := &tellOrder{Device: "fan", Command: "level", Value: "20"}
	m, err := g.recipient(o)
	if err != nil || len(m.commands) != 2 {
		t.Fatalf("%v commands, %v", m.commands, err)
	}
	if err := m.check(o); err != nil {
		t.Errorf("what one of the rows takes: %v", err)
	}
	o.Value = "51"
	if err := m.check(o); err == nil {
		t.Error("what none of the rows takes is sent")
	}
}
