package fleet_test

import (
	"strings"
	"testing"

	"sluice/cmd/gateway/config"
	"sluice/firmware-sim/fleet"
)

func TestTheExampleGivesItsFleet(t *testing.T) {
	file, err := config.Load("../../config.yaml", config.Options{Secrets: config.Skip})
	if err != nil {
		t.Fatal(err)
	}
	m, err := fleet.FromConfig(file, fleet.Options{Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	counts := map[string]int{}
	for _, d := range m.Simulated() {
		counts[d.Driver+" "+d.Profile]++
		if d.ByCount() {
			t.Errorf("%s is by count", d.Name)
		}
	}
	if len(counts) != 3 || counts["floor climate"] != 50 || counts["floor power"] != 50 || counts["scale weighbridge"] != 1 {
		t.Errorf("got %v", counts)
	}
}

func TestAProfileThatCannotBeSimulatedIsNamed(t *testing.T) {
	const text = `
gateway: g
drivers: {d: {mqtt: {url: "mqtt://127.0.0.1"}}}
profiles: {odd: {decode: {regex: '(?P<a>\d*)(?P<b>\d+)'}}}
devices: [{via: d, profile: odd, topic: "x/{device}"}]
pipeline: {dir: /tmp/x}
sinks: {hub: {nats: {url: "nats://127.0.0.1", subject: "r.{device}"}}}
`
	file, err := config.Parse("test.yaml", []byte(text), config.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := fleet.FromConfig(file, fleet.Options{}); err == nil || !strings.Contains(err.Error(), `simulate profile "odd"`) {
		t.Errorf("got %v", err)
	}
}
