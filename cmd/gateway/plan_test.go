package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"sluice/cmd/gateway/config"
	"sluice/drivers/mqtt"
)

const planned = `
gateway: plant
drivers:
  floor: {mqtt: {url: "mqtt://h", username: u, password: "secret-1"}}
  line: {serial: {port: /dev/ttyS7, line: 9600 8N1}}
  bus: {modbus: {port: /dev/ttyS8, line: 9600 8N1}}
profiles:
  any: {decode: json}
  other: {decode: json, others: keep}
  meter: {poll: 1s, metrics: {p: {holding: 1, type: int16}}}
devices:
  - {via: floor, profile: any, topic: "plant/{device}", tags: {a: b}}
  - {via: line, profile: other, device: scale}
  - {via: bus, profile: meter, device: m-1, unit: 1}
pipeline: {dir: data}
sinks:
  hub: {fallback: refuge, nats: {url: "nats://h", stream: S}}
  refuge: {only: fallback, file: {path: refuge.ndjson}}
`

// TestPlan changes one thing at a time.
func TestPlan(t *testing.T) {
	kept := []string{"driver floor kept", "driver line kept", "driver bus kept", "sink hub kept", "sink refuge kept"}
	for _, c := range []struct{ old, new, want string }{
		{"", "", ""},
		{"# comments", "", ""},
		{"secret-1", "secret-2", "driver floor restarted mqtt.password"},
		{`"mqtt://h"`, `"mqtt://h", tls: {}, qos: 2, timeout: 3s`, "driver floor restarted mqtt.qos mqtt.timeout"},
		{"{a: b}", "{a: c}", "driver floor updated devices"},
		{"any: {decode: json}", "any: {decode: cbor}", "driver floor updated profiles"},
		{"device: scale", "device: scale-2", "driver line restarted devices"},
		{"other: {decode: json,", "other: {decode: cbor,", "driver line restarted profiles"},
		{"poll: 1s", "poll: 2s", "driver bus restarted profiles"},
		{"stream: S", "stream: T", "sink hub restarted nats.stream"},
		{"fallback: refuge", "fallback: refuge, start: oldest, was: spoke", ""},
		{"fallback: refuge", "fallback: refuge, batch: {max_readings: 7}", "sink hub restarted batch.max_readings"},
		{"refuge.ndjson", "r.ndjson", "sink hub restarted fallback; sink refuge restarted file.path"},
		{"gateway: plant", "gateway: box", "restart [gateway]"},
		{"gateway: plant", "gateway: plant\nlog: {format: json, level: warn}\nhttp: {pprof: true}", "live [log.level]; restart [http.pprof log.format]"},
		{"dir: data", "dir: data2, retain: 1h", "restart [pipeline.dir pipeline.retain]"},
	} {
		before, after := parsed(t, planned), parsed(t, strings.Replace(planned, c.old, c.new, 1))
		p := newPlan(before, after, sameWord)
		var got []string
		for i, s := range p.Steps {
			text := strings.TrimSpace(fmt.Sprint(s.Part, " ", s.Name, " ", s.Action, " ", strings.Join(s.Changed, " ")))
			if text != kept[i] {
				got = append(got, text)
			}
		}
		if len(p.Live) > 0 {
			got = append(got, fmt.Sprint("live ", p.Live))
		}
		if len(p.Restart) > 0 {
			got = append(got, fmt.Sprint("restart ", p.Restart))
		}
		if strings.Join(got, "; ") != c.want || p.isEmpty() != (c.want == "") {
			t.Errorf("%s → %s: %v, want %s", c.old, c.new, got, c.want)
		}
	}
}

func parsed(t testing.TB, text string) *config.File {
	t.Helper()
	f, err := config.Parse("config.yaml", []byte(text), config.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// TestPlanOfManyDevices holds that 10,000 rows are compared in a moment.
func TestPlanOfManyDevices(t *testing.T) {
	before, after := parsed(t, planned), parsed(t, planned)
	for _, f := range []*config.File{before, after} {
		row := f.Drivers[0].MQTTDevices[0]
		f.Drivers[0].MQTTDevices = slices.Repeat([]mqtt.Device{row}, 10_000)
	}
	began := time.Now()
	if p := newPlan(before, after, sameWord); !p.isEmpty() {
		t.Errorf("%+v", p)
	}
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("that took %v", took)
	} else {
		t.Log(took)
	}
}
