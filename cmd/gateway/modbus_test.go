package main

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"sluice/cmd/gateway/config"
	"sluice/drivers/drivertest"
	"sluice/firmware-sim/bus"
)

// TestModbusToFile reads simulated meters by TCP into a file, by a
// configuration as operators write it.
func TestModbusToFile(t *testing.T) {
	meters, err := bus.New(bus.Options{Mode: bus.TCP, Listen: "127.0.0.1:0", Seed: 7})
	if err != nil {
		t.Fatal(err)
	}
	defer meters.Close()
	for unit := range uint8(3) {
		s := bus.Slave{Unit: unit + 1, Input: []bus.Block{{Start: 0, Values: []uint16{0x4366, 0x8000, 50, 1000}}}}
		if err := meters.Add(s); err != nil {
			t.Fatal(err)
		}
	}
	ctx, stop := context.WithCancel(t.Context())
	played := make(chan error, 1) // sent to once, when the bus has ended
	go func() { played <- meters.Run(ctx) }()
	defer func() {
		stop()
		<-played
	}()

	dir := t.TempDir()
	f, err := config.Parse(filepath.Join(dir, "config.yaml"), []byte(`
gateway: plant-7
http: {listen: 127.0.0.1:0}
drivers:
  meters: {modbus: {url: "tcp://`+meters.Path()+`"}}
profiles:
  meter:
    poll: 50ms
    metrics:
      voltage: {input: 0, type: float32, unit: V}
      frequency: {input: 2, type: uint16, unit: Hz, range: [49, 51]}
      power: {input: 3, type: int16, unit: W, scale: 0.1}
devices:
  - {via: meters, profile: meter, unit: 1-3, device: "meter-{unit}", tags: {area: roof}}
pipeline: {dir: journal}
sinks:
  out: {file: {path: out.ndjson}}
`), config.Options{})
	if err != nil {
		t.Fatal(err)
	}
	running, halt := context.WithCancel(t.Context())
	ended := make(chan error, 1) // sent to once, when the gateway has ended
	go func() { ended <- runGateway(running, &reloader{file: f, log: slog.New(slog.DiscardHandler)}) }()
	want := func(unit int) string {
		return `"device":"meter-` + strconv.Itoa(unit) + `","profile":"meter","driver":"meters"`
	}
	drivertest.Eventually(t, "readings of three meters", func() bool {
		written, _ := os.ReadFile(filepath.Join(dir, "out.ndjson")) // not there yet: nothing is in it
		text := string(written)
		for unit := 1; unit <= 3; unit++ {
			if strings.Count(text, want(unit)) < 5 {
				return false
			}
		}
		return strings.Contains(text, `"tags":{"area":"roof"},"metrics":{"frequency":50,"power":100,"voltage":230.5},"units":{"frequency":"Hz","power":"W","voltage":"V"}`)
	})
	halt()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
