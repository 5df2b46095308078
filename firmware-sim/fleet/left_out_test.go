package fleet_test

import (
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"sluice/cmd/gateway/config"
	"sluice/firmware-sim/fleet"
	"sluice/protocol"
)

// load returns the model of a configuration with these drivers, profiles and
// devices.
func load(t *testing.T, text string) (*fleet.Model, error) {
	t.Helper()
	file, err := config.Parse("test.yaml", []byte("gateway: g\npipeline: {dir: /tmp/x}\nsinks: {hub: {nats: {url: \"nats://127.0.0.1\", subject: \"r.{device}\"}}}\n"+text), config.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return fleet.FromConfig(file, fleet.Options{Devices: 2, Seed: 1})
}

const mixed = `
drivers: {d: {mqtt: {url: "mqtt://127.0.0.1"}}, p: {serial: {port: /dev/ttyUSB0, line: "9600 8N1"}}}
profiles: {meter: {decode: sml}, tag: {decode: ruuvi}, host: {decode: {influx: {device: host}}}}
devices:
  - {via: d, profile: meter, topic: "meters/{device}"}
  - {via: p, profile: meter, device: m-1}
  - {via: d, profile: builtin/zigbee2mqtt, topic: "zigbee2mqtt/{device}"}
  - {via: d, profile: tag, topic: "tags/{device}", tags: {area: hall}}
  - {via: d, profile: host, topic: "hosts/{device}", tags: {measurement: own}}
`

func TestWhatCannotBeSimulatedIsLeftOutAndNoted(t *testing.T) {
	m, err := load(t, mixed)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"device 1 (profile meter) is not simulated: decode sml is not known to the simulator",
		"device 2 (profile meter) is not simulated: decode sml is not known to the simulator",
	}
	if !slices.Equal(m.Notes(), want) {
		t.Errorf("notes %q", m.Notes())
	}
	var names []string
	for _, d := range m.Devices() {
		names = append(names, d.Name)
	}
	if !slices.Equal(names, []string{"zigbee2mqtt-001", "zigbee2mqtt-002", "tag-001", "tag-002", "host-001", "host-002"}) {
		t.Errorf("devices %v", names)
	}
}

func TestAPortWithoutADeviceIsThereAndSilent(t *testing.T) {
	m, err := load(t, mixed)
	if err != nil {
		t.Fatal(err)
	}
	f, err := fleet.Open(m, fleet.Play{Brokers: map[string]fleet.Broker{"d": {URL: "tcp://127.0.0.1:1"}}, Ports: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if len(f.Ports()) != 1 || f.Ports()[0].Driver != "p" {
		t.Fatalf("ports %v", f.Ports())
	}
	if _, err := os.Stat(f.Ports()[0].Path); err != nil {
		t.Error(err)
	}
}

func TestAFleetOfWhatCannotBeSimulatedIsAnError(t *testing.T) {
	_, err := load(t, `
drivers: {p: {serial: {port: /dev/ttyUSB0, line: "9600 8N1", frame: {fixed: {length: 9}}}}}
profiles: {packed: {decode: cbor}}
devices: [{via: p, profile: packed, device: m-1}]
`)
	if err == nil || !strings.Contains(err.Error(), "device 1 (profile packed) is not simulated: frame fixed with decode cbor") {
		t.Errorf("got %v", err)
	}
}

// What messages say about their device belongs to its identity.
func TestMessagesTellTags(t *testing.T) {
	m, err := load(t, mixed)
	if err != nil {
		t.Fatal(err)
	}
	devices := m.Devices()
	tag, host := devices[2], devices[4]
	if len(tag.Tags) != 2 || tag.Tags[0] != (protocol.Tag{Key: "area", Value: "hall"}) || tag.Tags[1].Key != "mac" || tag.Tags[1] == devices[3].Tags[1] {
		t.Errorf("%+v", tag)
	}
	if !slices.Equal(host.Tags, []protocol.Tag{{Key: "measurement", Value: "host"}}) {
		t.Errorf("%+v", host)
	}
}

func TestAClockOfSecondsMakesADeviceWait(t *testing.T) {
	m, err := load(t, `
drivers: {d: {mqtt: {url: "mqtt://127.0.0.1"}}}
profiles: {slow: {decode: json, time: {path: at, format: "2006-01-02 15:04:05", max_skew: 10s}}}
devices: [{via: d, profile: slow, topic: "x", device: one}]
`)
	if err != nil {
		t.Fatal(err)
	}
	d := m.Simulated()[0]
	sent := 0
	for ; d.Due(now) && sent < 100; sent++ {
		d.Next(now)
	}
	if sent < 4 || sent > 8 {
		t.Errorf("%d messages at once", sent)
	}
	if !d.Due(now + protocol.Timestamp(5*time.Second)) {
		t.Error("it does not go on")
	}
}
