package fleet_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"sluice/firmware-sim/fleet"
	"sluice/protocol"
	"sluice/protocol/frame"
	"sluice/protocol/payload"
)

const now protocol.Timestamp = 1763805600_123_456_789

func f64(f float64) *float64 { return &f }

var (
	climate = &payload.Profile{
		Decode: payload.Decode{JSON: &payload.JSON{}},
		Time:   &payload.Time{Path: "ts", Format: "unix_ms"},
		Metrics: map[string]payload.Metric{
			"temperature": {Path: "t", Unit: "°C"},
			"humidity":    {Path: "rh", Unit: "%", Scale: f64(0.1)},
		},
	}
	power       = &payload.Profile{Decode: payload.Decode{JSON: &payload.JSON{}}}
	weighbridge = &payload.Profile{
		Decode:  payload.Decode{Regex: `^(?P<state>ST|US),GS,\s*(?P<weight>[-+]?[0-9.]+)\s*kg`},
		Metrics: map[string]payload.Metric{"state": {Type: "string"}, "weight": {Type: "float", Unit: "kg"}},
	}
	door = &payload.Profile{
		Decode:  payload.Decode{JSON: &payload.JSON{}},
		Metrics: map[string]payload.Metric{"open": {Type: "bool"}},
	}
)

func rows() []fleet.Row {
	return []fleet.Row{
		{Topic: "plant/{area}/{device}/climate", Profile: "climate", Decode: climate},
		{Topic: "plant/{area}/{device}/power", Profile: "power", Decode: power},
		{Topic: "doors/{device}", Profile: "door", Decode: door},
		{Topic: "each/{device}/{metric}", Profile: "meter", Decode: power},
	}
}

// build returns a model of every kind of device, with n of each on MQTT.
func build(t *testing.T, seed uint64, n int) *fleet.Model {
	t.Helper()
	m := fleet.New(fleet.Options{Devices: n, Seed: seed})
	if err := m.AddBroker("floor", 1, rows()); err != nil {
		t.Fatal(err)
	}
	row := fleet.Row{Name: "weighbridge-1", Profile: "weighbridge", Decode: weighbridge, Tags: []protocol.Tag{{Key: "area", Value: "gate"}}}
	if err := m.AddPort("scale", "9600 7E1", frame.Config{}, row); err != nil {
		t.Fatal(err)
	}
	return m
}

// sequence returns what the devices of a model say.
func sequence(t *testing.T, seed uint64) string {
	var b strings.Builder
	for _, d := range build(t, seed, 3).Simulated() {
		for range 50 {
			s := d.Next(now)
			fmt.Fprintf(&b, "%s %s %s\n", d.Name, s.Topic, s.Payload)
		}
	}
	return b.String()
}

func TestTheSameSeedGivesTheSameMessages(t *testing.T) {
	first, again := sequence(t, 7), sequence(t, 7)
	if first != again {
		t.Error("two runs differ")
	}
	if first == sequence(t, 8) {
		t.Error("seeds make no difference")
	}
}

func TestValuesAreUniqueOverAWindow(t *testing.T) {
	for _, d := range build(t, 1, 2).Simulated() {
		if d.ByCount() {
			continue
		}
		var recent []string
		for n := range 3000 {
			s := d.Next(now)
			values := fmt.Sprint(s.Metrics)
			if slices.Contains(recent, values) {
				t.Fatalf("%s: sample %d repeats %s", d.Name, n, values)
			}
			if recent = append(recent, values); len(recent) > 200 {
				recent = recent[1:]
			}
		}
	}
}

func TestOnlySmallValueSpacesAreCounted(t *testing.T) {
	for _, d := range build(t, 1, 1).Simulated() {
		if d.ByCount() != (d.Profile == "door" || d.Profile == "meter") {
			t.Errorf("%s: by count is %v", d.Name, d.ByCount())
		}
	}
}

func TestNeighboursDiffer(t *testing.T) {
	for _, d := range build(t, 1, 1).Simulated() {
		last := ""
		for range 500 {
			values := fmt.Sprint(d.Next(now).Metrics)
			if values == last {
				t.Fatalf("%s repeats %s", d.Name, values)
			}
			last = values
		}
	}
}

func TestIdentities(t *testing.T) {
	m := build(t, 1, 5)
	list := m.Devices()
	if len(list) != 21 {
		t.Fatalf("%d devices", len(list))
	}
	want := []protocol.Device{
		{Name: "climate-001", Profile: "climate", Driver: "floor", Tags: []protocol.Tag{{Key: "area", Value: "a"}}},
		{Name: "climate-002", Profile: "climate", Driver: "floor", Tags: []protocol.Tag{{Key: "area", Value: "b"}}},
		{Name: "climate-005", Profile: "climate", Driver: "floor", Tags: []protocol.Tag{{Key: "area", Value: "a"}}},
		{Name: "door-001", Profile: "door", Driver: "floor"},
		{Name: "weighbridge-1", Profile: "weighbridge", Driver: "scale", Tags: []protocol.Tag{{Key: "area", Value: "gate"}}},
	}
	for i, n := range []int{0, 1, 4, 10, 20} {
		if fmt.Sprint(list[n]) != fmt.Sprint(want[i]) {
			t.Errorf("device %d is %v, want %v", n, list[n], want[i])
		}
	}
	if len(m.Notes()) != 0 {
		t.Errorf("notes %v", m.Notes())
	}
}

func TestTopics(t *testing.T) {
	cases := []struct {
		topic, name string
		want        []string // topics of the first three devices
		tags        string   // of the last of them
	}{
		{"a/{device}", "", []string{"a/power-001", "a/power-002", "a/power-003"}, "[]"},
		{"{site}/{area}/{device}/{rest...}", "", []string{"a/a/power-001/a/1", "b/a/power-002/a/1", "c/a/power-003/a/1"}, "[{area a} {rest a/1} {site c}]"},
		{"a/+/b/#", "boiler", []string{"a/a/b/a/1"}, "[]"},
		{"/{area}//x", "boiler", []string{"/a//x"}, "[{area a}]"},
	}
	for _, c := range cases {
		m := fleet.New(fleet.Options{Devices: 3})
		if err := m.AddBroker("d", 0, []fleet.Row{{Topic: c.topic, Name: c.name, Profile: "power", Decode: power}}); err != nil {
			t.Fatal(err)
		}
		var got []string
		tags := ""
		for _, d := range m.Simulated() {
			got = append(got, d.Next(now).Topic)
			tags = fmt.Sprint(d.Tags)
		}
		if !slices.Equal(got, c.want) || tags != c.tags {
			t.Errorf("%s: got %v %s, want %v %s", c.topic, got, tags, c.want, c.tags)
		}
	}
}

func TestTopicsThatAreNone(t *testing.T) {
	for _, topic := range []string{"", "a/#/b", "{rest...}/b", "a/x{device}", "a/b+"} {
		m := fleet.New(fleet.Options{})
		if err := m.AddBroker("d", 0, []fleet.Row{{Topic: topic, Name: "x", Profile: "power", Decode: power}}); err == nil {
			t.Errorf("%q: no error", topic)
		}
	}
}

func TestARowBehindAnotherIsLeftOutAndNoted(t *testing.T) {
	m := fleet.New(fleet.Options{Devices: 3})
	err := m.AddBroker("d", 0, []fleet.Row{
		{Topic: "plant/{rest...}", Name: "all", Profile: "power", Decode: power},
		{Topic: "plant/{device}/x", Profile: "power", Decode: power},
		{Topic: "other/{device}", Profile: "power", Decode: power},
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(m.Devices()) != 4 || len(m.Notes()) != 1 {
		t.Errorf("devices %v, notes %v", m.Devices(), m.Notes())
	}
}

func TestInventedNamesAvoidGivenOnes(t *testing.T) {
	m := fleet.New(fleet.Options{Devices: 2})
	err := m.AddBroker("d", 0, []fleet.Row{
		{Topic: "a/{device}", Profile: "power", Decode: power},
		{Topic: "b", Name: "power-001", Profile: "power", Decode: power},
		{Topic: "c/{device}", Profile: "power", Decode: power},
	})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, d := range m.Devices() {
		names = append(names, d.Name)
	}
	if want := []string{"power-002", "power-003", "power-001", "power-004", "power-005"}; !slices.Equal(names, want) {
		t.Errorf("got %v, want %v", names, want)
	}
}

func BenchmarkNext(b *testing.B) {
	m := fleet.New(fleet.Options{Devices: 1})
	if err := m.AddBroker("floor", 1, rows()[:1]); err != nil {
		b.Fatal(err)
	}
	d := m.Simulated()[0]
	b.ReportAllocs()
	for b.Loop() {
		d.Next(now)
	}
}
