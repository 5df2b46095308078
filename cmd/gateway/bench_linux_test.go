package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// bench is the real program, in a process of its own so that it can be told what
// it alone costs.
type bench struct {
	*testing.B
	span    time.Duration
	gateway *exec.Cmd
	log     bytes.Buffer // of the gateway; read when it has ended
}

func newBench(b *testing.B) *bench {
	return &bench{B: b, span: time.Duration(setting(b, "SLUICE_BENCH_SECONDS", 10)) * time.Second}
}

// warm is how long a gateway runs before it is measured: devices have been asked,
// memory has found its size, and missing ports are looked for seldom.
const warm = 8 * time.Second

// run starts the gateway with a configuration, of which the beginning and the
// pipeline are always the same, and lets it warm up.
func (b *bench) run(config string) {
	binary, err := buildGateway()
	if err != nil {
		b.Fatal(err)
	}
	dir := b.TempDir()
	path := filepath.Join(dir, "config.yaml")
	text := "gateway: bench\nhttp: {listen: \"\"}\npipeline: {dir: journal}\n" + config
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		b.Fatal(err)
	}
	b.gateway = exec.Command(binary, "run", path)
	b.gateway.Stderr = &b.log
	if err := b.gateway.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(b.end)
	rest(b.Context(), warm)
}

// end ends the gateway as an operator would.
func (b *bench) end() {
	_ = b.gateway.Process.Signal(os.Interrupt)
	if err := b.gateway.Wait(); err != nil {
		b.Errorf("gateway: %v", err)
	}
	if b.Failed() {
		b.Logf("gateway: %s", b.log.Bytes())
	}
}

// measure reports what the gateway costs during a span of time, and calls report
// with when that began, how long it was and what has been counted in it. Beside
// that it reports how late timers are in this process, which has no less to wait
// for on the same machine than the gateway.
func (b *bench) measure(count func() int64, report func(since time.Time, span time.Duration, counted int64)) {
	for b.Loop() {
		since, busy, counted := time.Now(), b.cpu(), count()
		late := lateness(since.Add(b.span))
		span, busy, counted := time.Since(since), b.cpu()-busy, count()-counted
		report(since, span, counted)
		b.ReportMetric(100*busy.Seconds()/span.Seconds(), "%core")
		b.reportTime(late, 0.99, "ms-timer-late-p99")
	}
	b.ReportMetric(b.status("VmHWM")/1024, "MB-RSS")
	b.ReportMetric(b.status("Threads"), "threads")
}

// lateness sleeps until a time, and returns by how much it has woken too late.
func lateness(until time.Time) []time.Duration {
	const step = 10 * time.Millisecond
	var late []time.Duration
	for next := time.Now().Add(step); next.Before(until); next = next.Add(step) {
		time.Sleep(time.Until(next))
		late = append(late, time.Since(next))
	}
	time.Sleep(time.Until(until))
	return late
}

// reportTime reports a part of times: 0.5 is the median.
func (b *bench) reportTime(times []time.Duration, part float64, name string) {
	b.ReportMetric(float64(quantile(times, part))/float64(time.Millisecond), name)
}

// ticksPerSecond is how Linux counts the time of processes.
const ticksPerSecond = 100

// cpu returns the time that the gateway has used so far.
func (b *bench) cpu() time.Duration {
	text, err := os.ReadFile("/proc/" + strconv.Itoa(b.gateway.Process.Pid) + "/stat")
	if err != nil {
		b.Fatal(err)
	}
	// Behind the name, which may hold anything, utime and stime are the 12th
	// and the 13th field.
	fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
	ticks := 0
	for _, field := range fields[11:13] {
		n, err := strconv.Atoi(field)
		if err != nil {
			b.Fatal(err)
		}
		ticks += n
	}
	return time.Duration(ticks) * time.Second / ticksPerSecond
}

// status returns a number of the gateway's status.
func (b *bench) status(name string) float64 {
	text, err := os.ReadFile("/proc/" + strconv.Itoa(b.gateway.Process.Pid) + "/status")
	if err != nil {
		b.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if value, ok := strings.CutPrefix(line, name+":"); ok {
			n, err := strconv.ParseFloat(strings.Fields(value)[0], 64)
			if err != nil {
				b.Fatal(err)
			}
			return n
		}
	}
	b.Fatalf("the gateway's status has no %s", name)
	return 0
}
