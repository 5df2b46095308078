package config

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestSplitConfiguration(t *testing.T) {
	f := load(t, "testdata/split/config.yaml", Options{})
	floor, bus := f.Drivers[0].MQTTDevices, f.Drivers[1].ModbusDevices
	var got []string
	for _, d := range floor {
		m := d.Decode.Metrics["temperature"]
		offset := 0.0
		if m.Offset != nil {
			offset = *m.Offset
		}
		got = append(got, strings.TrimSpace(fmt.Sprintln(d.Name, d.Topic, d.Profile, d.Tags, m.Path, m.Unit, offset, d.Decode.Decode.CBOR != nil, len(d.Decode.Metrics))))
	}
	for _, d := range bus {
		m := d.Decode.Metrics["power"]
		got = append(got, strings.TrimSpace(fmt.Sprintln(d.Name, d.Unit, d.Tags, m.Unit, m.Type, m.Scale != nil, d.Decode.Poll)))
	}
	want := []string{
		"a1 rooms/a1/climate climate [{kind room} {site north}] t °C 0 false 2",
		"a2 rooms/a2/climate climate [{kind room} {site north}] t °C 0 false 2",
		"s1 floor/s1 climate [{floor 1} {kind sensor} {site north}] t °C 0 false 2",
		"s2 floor/s2 climate [{floor 2} {kind sensor} {site north}] t °C -0.3 false 2",
		"s3 floor/s3 climate [{floor 2} {kind sensor} {site north}] t °C -0.3 false 2",
		"odd odd/one climate [{kind sensor} {site north}] temp °C -0.5 true 2",
		"m-1 1 [{hall old}] W float32 false 10s",
		"m-2 2 [{hall old}] W float32 false 10s",
		"m-3 3 [{hall old}] W float32 false 10s",
		"m-4 4 [{hall new}] W float32 true 5s",
	}
	if g, w := strings.Join(got, "\n"), strings.Join(want, "\n"); g != w {
		t.Errorf("got\n%s\nwant\n%s", g, w)
	}
	if floor[3].Decode != floor[4].Decode {
		t.Error("two rows that override the same have profiles of their own")
	}
}

// BenchmarkTable reads 10,000 devices from a table.
func BenchmarkTable(b *testing.B) {
	dir := b.TempDir()
	var table strings.Builder
	table.WriteString("device,topic,tags.floor,metrics.t.offset\n")
	for i := range 10_000 {
		fmt.Fprintf(&table, "d%d,plant/hall/d%d,%d,%d.5\n", i, i, i%7, i%10)
	}
	text := `gateway: g
pipeline: {dir: d}
sinks: {s: {nats: {url: "nats://127.0.0.1"}}}
drivers: {floor: {mqtt: {url: "mqtt://127.0.0.1"}, defaults: {profile: p}}}
profiles: {p: {decode: json, metrics: {t: {}}}}
devices: [{via: floor, from: devices.csv}]
`
	for name, content := range map[string]string{"devices.csv": table.String(), "config.yaml": text} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Load(filepath.Join(dir, "config.yaml"), Options{}); err != nil {
			b.Fatal(err)
		}
	}
}
