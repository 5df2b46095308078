package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestWarnings(t *testing.T) {
	dir := t.TempDir()
	for name, mode := range map[string]os.FileMode{"open": 0o644, "closed": 0o600} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte("s3cret"), mode); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, mode); err != nil { // whatever the umask
			t.Fatal(err)
		}
	}
	text := `gateway: g
drivers:
  floor: {mqtt: {url: "mqtt://a", username: u, password: hunter2}}
  other: {mqtt: {url: "mqtt://b", username: u, password: "${file:open}"}}
  third: {mqtt: {url: "mqtt://c", username: u, password: "${file:closed}"}}
profiles:
  p: {decode: json, metrics: {e: {unit: KWH}, t: {unit: degC}, x: {unit: mA}, y: {unit: kWh}}}
devices:
  - {via: floor, profile: p, topic: "plant/{device}/state"}
  - {via: floor, profile: p, topic: "plant/hall/{device}"}
  - {via: other, profile: p, topic: "{device}"}
  - {via: third, profile: p, topic: "{device}"}
pipeline: {dir: d}
sinks:
  out: {file: {path: "-"}}
`
	f, err := Parse(filepath.Join(dir, "f.yaml"), []byte(text), Options{})
	if err != nil {
		t.Fatal(err)
	}
	want := `f.yaml:3:58: drivers.floor.mqtt.password stands in the file itself, want ${env:NAME} or ${file:PATH}
f.yaml:4:58: everybody on this machine may read open: chmod o-r open
f.yaml:7:41: profiles.p.metrics.e.unit is "KWH"; did you mean "kWh"?
f.yaml:7:57: profiles.p.metrics.t.unit is "degC"; did you mean "°C"?
f.yaml:10:37: device 2 topic is "plant/hall/{device}": what "plant/{device}/state" of device 1 fits too goes to that one`
	if got := strings.ReplaceAll(f.Warnings.Error(), dir+"/", ""); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}
