package pipeline

import (
	"os"
	"runtime/debug"
	"strconv"
	"strings"
	"testing"
	"time"

	"sluice/protocol"
)

// BenchmarkBacklog lets a million readings gather behind a dead sink and then
// drain into it. SLUICE_BACKLOG is another number of readings; measure memory in
// a process of its own. One round is one iteration.
func BenchmarkBacklog(b *testing.B) {
	total := int64(1_000_000)
	if text := os.Getenv("SLUICE_BACKLOG"); text != "" {
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil || n < perBatch {
			b.Fatalf("SLUICE_BACKLOG is %q, want a number of readings, at least %d", text, perBatch)
		}
		total = n / perBatch * perBatch
	}
	for b.Loop() {
		backlog(b, total)
	}
}

func backlog(b *testing.B, total int64) {
	c := sized(b.TempDir(), "always")
	c.MaxSize = 2 << 30
	hub := newCounter(total)
	hub.dead.Store(true)
	free := newLoad().flow(64, perBatch)
	p := pipe(b, c, nil, delivered("hub", hub))

	resetPeak(b)
	begin := time.Now()
	for range total / perBatch {
		batch := <-free
		stamp(batch, protocol.At(time.Now()))
		if !p.intake.Emit(batch) {
			b.Fatal("a batch was refused")
		}
	}
	for range cap(free) {
		<-free
	}
	grown, growing := time.Since(begin), peak(b)
	if s := p.Stats().Deliveries[0]; s.InJournal != uint64(total) {
		b.Fatalf("backlog of %d readings: %+v", total, s)
	}

	resetPeak(b)
	hub.dead.Store(false)
	<-hub.reached
	drained := time.Since(hub.began)
	b.ReportMetric(float64(peak(b))/1e6, "MB-peak-draining")
	b.ReportMetric(float64(growing)/1e6, "MB-peak-growing")
	b.ReportMetric(float64(total)/grown.Seconds(), "readings/s-growing")
	b.ReportMetric(float64(total)/drained.Seconds(), "readings/s-draining")
	p.stop()
	if s := p.Stats().Deliveries[0]; s.Delivered != uint64(total) {
		b.Fatalf("delivered %d readings of %d", s.Delivered, total)
	}
}

// resetPeak begins another measurement of peak, from what is in use now.
func resetPeak(b *testing.B) {
	b.Helper()
	debug.FreeOSMemory()
	if err := os.WriteFile("/proc/self/clear_refs", []byte("5"), 0); err != nil {
		b.Fatal(err)
	}
}

// peak returns the most bytes of memory that this process had since resetPeak.
func peak(b *testing.B) int64 {
	b.Helper()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		b.Fatal(err)
	}
	for line := range strings.Lines(string(status)) {
		if text, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kib, err := strconv.ParseInt(strings.Fields(text)[0], 10, 64)
			if err != nil {
				b.Fatal(err)
			}
			return kib << 10
		}
	}
	b.Fatal("no VmHWM in /proc/self/status")
	return 0
}
