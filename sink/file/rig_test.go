package file

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"sluice/protocol"
)

// rig makes sinks of one configuration and reads what they wrote.
type rig struct {
	t    testing.TB
	cfg  Config
	disk disk
	log  bytes.Buffer
	mu   sync.Mutex // guards log
	made int
}

func newRig(t testing.TB) *rig {
	cfg := DefaultConfig()
	cfg.Path = filepath.Join(t.TempDir(), "data", "readings.ndjson")
	return &rig{t: t, cfg: cfg, disk: osDisk{}}
}

func (r *rig) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.log.Write(p)
}

// wantLog wants a line with text in the log.
func (r *rig) wantLog(text string) {
	r.t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	if !strings.Contains(r.log.String(), text) {
		r.t.Errorf("log has no %q:\n%s", text, r.log.String())
	}
}

// open returns a sink that remembers memory. It is closed with the test.
func (r *rig) open(memory []byte) *Sink {
	r.t.Helper()
	s := r.make(memory)
	r.t.Cleanup(func() {
		if err := s.Close(); err != nil {
			r.t.Errorf("Close: %v", err)
		}
	})
	return s
}

// make returns a sink that somebody else closes.
func (r *rig) make(memory []byte) *Sink {
	r.t.Helper()
	r.cfg.Validate(func(field, problem string) { r.t.Errorf("%s %s", field, problem) })
	s, err := New("archive", r.cfg, Options{Gateway: "plant-7", Log: slog.New(slog.NewTextHandler(r, nil))})
	if err != nil {
		r.t.Fatal(err)
	}
	s.disk = r.disk
	if s.attic != nil {
		s.attic.disk = r.disk
	}
	s.Recall(memory)
	return s
}

// batch returns the next n readings; their metric n counts from 1.
func (r *rig) batch(n int) []protocol.Reading {
	device := &protocol.Device{Name: "s1", Profile: "climate", Driver: "floor"}
	readings := make([]protocol.Reading, n)
	for i := range readings {
		r.made++
		readings[i] = protocol.Reading{
			ID: protocol.ID{Epoch: 7, Seq: uint64(r.made)}, Device: device, ReceivedTime: protocol.Timestamp(1763805600_000000000 + r.made),
			Metrics: []protocol.Metric{{Name: "n", Value: protocol.Int(int64(r.made))}},
		}
	}
	return readings
}

func (r *rig) write(s *Sink, readings []protocol.Reading) {
	r.t.Helper()
	if err := s.Write(r.t.Context(), readings); err != nil {
		r.t.Fatalf("Write: %v", err)
	}
}

// files returns the names in the folder.
func (r *rig) files() []string {
	r.t.Helper()
	entries, err := os.ReadDir(filepath.Dir(r.cfg.Path))
	if err != nil {
		r.t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// stored returns the numbers in the file and in those rotated before it, in
// order. A line that is none is an error.
func (r *rig) stored() []int {
	r.t.Helper()
	series := newSeries(r.cfg.Path)
	all, err := series.list(osDisk{})
	if err != nil {
		r.t.Fatal(err)
	}
	var numbers []int
	for i, f := range all {
		if i > 0 && all[i-1].stamp == f.stamp {
			continue // packed, and not removed yet
		}
		numbers = append(numbers, r.numbersIn(f.path)...)
	}
	if _, err := os.Stat(r.cfg.Path); err == nil {
		numbers = append(numbers, r.numbersIn(r.cfg.Path)...)
	}
	return numbers
}

func (r *rig) numbersIn(path string) (numbers []int) {
	r.t.Helper()
	f, err := os.Open(path)
	if err != nil {
		r.t.Fatal(err)
	}
	defer f.Close()
	in := io.Reader(f)
	if filepath.Ext(path) == ".gz" {
		if in, err = gzip.NewReader(f); err != nil {
			r.t.Fatalf("%s: %v", path, err)
		}
	}
	lines := bufio.NewReader(in)
	for {
		line, err := lines.ReadBytes('\n')
		if err == io.EOF && len(line) == 0 {
			return numbers
		}
		n := number(line)
		if err != nil || n == 0 {
			r.t.Fatalf("%s: line %q: %v", path, line, err)
		}
		numbers = append(numbers, n)
	}
}

// number returns the metric n of a line, 0 when there is none.
func number(line []byte) int {
	var said struct{ Metrics struct{ N int } }
	if json.Unmarshal(line, &said) == nil {
		return said.Metrics.N
	}
	n := 0
	if _, rest, ok := strings.Cut(string(line), " n="); ok {
		_, _ = fmt.Sscanf(rest, "%di", &n)
	}
	return n
}

// wantStored wants the numbers 1 to n, each once and in order.
func (r *rig) wantStored(n int) {
	r.t.Helper()
	got := r.stored()
	for i, k := range got {
		if k != i+1 {
			r.t.Fatalf("stored as number %d: %d, want %d", i+1, k, i+1)
		}
	}
	if len(got) != n {
		r.t.Errorf("stored %d readings, want %d", len(got), n)
	}
}
