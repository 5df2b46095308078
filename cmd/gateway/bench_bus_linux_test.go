package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"golang.org/x/sys/unix"

	"sluice/cmd/gateway/standin"
	"sluice/firmware-sim/bus"
	"sluice/firmware-sim/wire/pty"
	"sluice/protocol/modbus"
)

// field is simulated Modbus devices, and a gateway that reads them.
type field struct {
	*bench
	buses     []*bus.Bus
	units     int // on each bus
	registers int // of each unit
	period    time.Duration
}

func newField(b *testing.B, units, registers int, period time.Duration) *field {
	return &field{bench: newBench(b), units: units, registers: registers, period: period}
}

// add plays one more bus until the benchmark ends.
func (f *field) add(o bus.Options) *bus.Bus {
	n, err := bus.New(o)
	if err != nil {
		f.Fatal(err)
	}
	for unit := range f.units {
		if err := n.Add(bus.Slave{Unit: uint8(unit + 1), Holding: []bus.Block{{Values: make([]uint16, f.registers)}}}); err != nil {
			f.Fatal(err)
		}
	}
	ctx, cancel := context.WithCancel(f.Context())
	var playing sync.WaitGroup
	playing.Go(func() {
		if err := n.Run(ctx); err != nil {
			f.Error(err)
		}
	})
	f.Cleanup(func() {
		cancel()
		playing.Wait()
		n.Close()
	})
	f.buses = append(f.buses, n)
	return n
}

// profile returns the profile of the units: each register is a metric.
func (f *field) profile() string {
	var text strings.Builder
	fmt.Fprintf(&text, "  meter:\n    poll: %v\n    metrics:\n", f.period)
	for i := range f.registers {
		fmt.Fprintf(&text, "      r%03d: {holding: %d, type: uint16}\n", i, i)
	}
	return text.String()
}

// devices returns the rows of the devices on all buses.
func (f *field) devices() string {
	var text strings.Builder
	for i := range f.buses {
		fmt.Fprintf(&text, "  - {via: bus%02d, profile: meter, unit: 1-%d, device: \"bus%02d-{unit}\"}\n", i, f.units, i)
	}
	return text.String()
}

// requests returns how many requests the units have heard.
func (f *field) requests() (n int64) {
	for _, b := range f.buses {
		n += b.Stats().Requests
	}
	return n
}

// kept returns how many of the requests that had their places in a span of time
// were made, in percent: what is missing was left out.
func (f *field) kept(asked int64, span time.Duration) float64 {
	reads := (f.registers + modbus.MaxReadRegisters - 1) / modbus.MaxReadRegisters
	due := float64(len(f.buses)*f.units*reads) * span.Seconds() / f.period.Seconds()
	return 100 * float64(asked) / due
}

// jitter returns by how much requests have missed their places in time since a
// moment. A unit's places are one period apart; they lie so that it misses as
// often before them as behind them. A request comes when the bus has heard it, so
// that what keeps the simulator waiting counts too. Buses remember their last 256
// requests.
func (f *field) jitter(since time.Time) []time.Duration {
	var all []time.Duration
	for _, b := range f.buses {
		begun := map[uint8][]time.Duration{} // by unit
		for _, i := range b.Trace() {
			if i.Master && i.Start.After(since) {
				begun[i.Unit] = append(begun[i.Unit], i.Start.Sub(since))
			}
		}
		for _, at := range begun {
			all = append(all, misses(at, f.period)...)
		}
	}
	return all
}

// misses turns moments into how far they are from places that are a period apart.
func misses(at []time.Duration, period time.Duration) []time.Duration {
	first := at[0]
	for i, t := range at {
		at[i] = t - first - (t - first).Round(period)
	}
	middle := quantile(at, 0.5)
	for i := range at {
		at[i] = (at[i] - middle).Abs()
	}
	return at
}

// BenchmarkModbusLines has 32 serial lines of 10 units each read, 60 registers
// of each a second.
func BenchmarkModbusLines(b *testing.B) {
	f := newField(b, 10, 60, time.Second)
	dir := b.TempDir()
	var list strings.Builder
	for i := range setting(b, "SLUICE_BENCH_LINES", 32) {
		n := f.add(bus.Options{Line: "115200 8N1", Turnaround: 5 * time.Millisecond, Link: filepath.Join(dir, fmt.Sprintf("bus%02d", i))})
		fmt.Fprintf(&list, "  bus%02d: {modbus: {port: %q, line: 115200 8N1, low_latency: false}}\n", i, n.Path())
	}
	lines := newLineCounter(b)
	f.run(`
drivers:
` + list.String() + `profiles:
` + f.profile() + `devices:
` + f.devices() + `sinks:
  history: {influx: {url: "` + lines.url + `", org: plant, bucket: plant}}
`)
	f.measure(f.requests, func(since time.Time, span time.Duration, asked int64) {
		missed := f.jitter(since)
		violations := int64(0)
		for _, n := range f.buses {
			violations += n.Stats().Violations
		}
		f.ReportMetric(f.kept(asked, span), "%polls")
		f.reportTime(missed, 0.5, "ms-jitter-p50")
		f.reportTime(missed, 0.99, "ms-jitter-p99")
		f.reportTime(missed, 1, "ms-jitter-max")
		f.ReportMetric(float64(violations), "violations")
		f.reportTime(handOver(b), 0.99, "ms-pty-late-p99")
	})
}

// handOver returns how long the kernel takes to hand bytes from one end of a
// terminal to the other, which is a part of every jitter that is measured there:
// it has a thread of its own do it, which waits for its turn as others do.
func handOver(b *testing.B) []time.Duration {
	device, err := pty.Open(filepath.Join(b.TempDir(), "port"))
	if err != nil {
		b.Fatal(err)
	}
	defer device.Close()
	port, err := os.OpenFile(device.Port(), os.O_WRONLY|unix.O_NOCTTY, 0)
	if err != nil {
		b.Fatal(err)
	}
	defer port.Close()
	heard := make([]byte, 1)
	var took []time.Duration
	for range 300 {
		time.Sleep(10 * time.Millisecond)
		began := time.Now()
		if _, err := port.Write(heard); err != nil {
			b.Fatal(err)
		}
		if _, err := device.Read(heard); err != nil {
			b.Fatal(err)
		}
		took = append(took, time.Since(began))
	}
	return took
}

// BenchmarkModbusTCP has 100,000 registers a second read from servers, into NATS
// and InfluxDB, of which one is a real one and the other a counter.
func BenchmarkModbusTCP(b *testing.B) {
	f := newField(b, 100, 100, time.Second)
	var list strings.Builder
	for i := range setting(b, "SLUICE_BENCH_SERVERS", 10) {
		n := f.add(bus.Options{Mode: bus.TCP, Listen: "127.0.0.1:0"})
		fmt.Fprintf(&list, "  bus%02d: {modbus: {url: \"tcp://%s\"}}\n", i, n.Path())
	}
	lines := newLineCounter(b)
	hub, err := standin.NewHub(b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { hub.Close() })
	f.run(`
drivers:
` + list.String() + `profiles:
` + f.profile() + `devices:
` + f.devices() + `sinks:
  hub: {nats: {url: "` + hub.URL() + `", stream: READINGS, create: true}}
  history: {influx: {url: "` + lines.url + `", org: plant, bucket: plant}}
`)
	stored, written := storedCounter(b, hub), lines.lines.Load()
	began := stored()
	f.measure(f.requests, func(_ time.Time, span time.Duration, asked int64) {
		f.ReportMetric(float64(asked)*float64(f.registers)/span.Seconds(), "registers/s")
		f.ReportMetric(f.kept(asked, span), "%polls")
		f.ReportMetric(float64(stored()-began)/span.Seconds(), "stored/s")
		f.ReportMetric(float64(lines.lines.Load()-written)/span.Seconds(), "lines/s")
	})
}

// storedCounter returns what tells how many readings the hub has stored.
func storedCounter(b *testing.B, hub *standin.Hub) func() int64 {
	nc, err := nats.Connect(hub.URL())
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(nc.Close)
	js, err := jetstream.New(nc)
	if err != nil {
		b.Fatal(err)
	}
	return func() int64 {
		stream, err := js.Stream(b.Context(), "READINGS")
		if err != nil {
			b.Fatal(err)
		}
		return int64(stream.CachedInfo().State.Msgs)
	}
}

// lineCounter takes what is written to InfluxDB and counts its lines.
type lineCounter struct {
	url   string
	lines atomic.Int64
}

func newLineCounter(b *testing.B) *lineCounter {
	c := &lineCounter{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		c.lines.Add(countLines(body))
		w.WriteHeader(http.StatusNoContent)
	}))
	b.Cleanup(server.Close)
	c.url = server.URL
	return c
}
