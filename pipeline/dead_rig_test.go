package pipeline

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"sluice/drivers/drivertest"
	"sluice/pipeline/journal"
	"sluice/protocol"
	"sluice/sink"
)

// picky is a sink that rejects the readings for which odd holds, one by one or, when
// it is blunt, the batch that has one.
type picky struct {
	mu     sync.Mutex
	odd    func(*protocol.Reading) bool // nil: takes all
	down   error
	blunt  bool
	got    []protocol.Reading
	writes int
}

var errOdd = errors.New("odd")

func (s *picky) Write(_ context.Context, readings []protocol.Reading) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.writes++
	if s.down != nil {
		return s.down
	}
	var p sink.PartialError
	for i := range readings {
		if s.odd != nil && s.odd(&readings[i]) {
			p.Rejected = append(p.Rejected, sink.Rejection{Index: i, Err: errOdd})
		}
	}
	if s.blunt && p.Rejected != nil {
		return sink.Permanent(errOdd)
	}
	for i, r := range readings {
		if !slices.ContainsFunc(p.Rejected, func(x sink.Rejection) bool { return x.Index == i }) {
			r.Metrics = slices.Clone(r.Metrics)
			s.got = append(s.got, r)
		}
	}
	if p.Rejected == nil {
		return nil
	}
	return &p
}

func (s *picky) Close() error { return nil }

func (s *picky) set(change func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change()
}

func (s *picky) readings() []protocol.Reading {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.got)
}

// values returns the first metric of what came, in ascending order.
func (s *picky) values() []float64 {
	var values []float64
	for _, r := range s.readings() {
		values = append(values, r.Metrics[0].Value.Float())
	}
	slices.Sort(values)
	return values
}

func anything(*protocol.Reading) bool { return true }

// ofTen rejects every tenth reading of batch.
func ofTen(r *protocol.Reading) bool { return int(r.Metrics[0].Value.Float())%10 == 3 }

// bury makes dead letters of the values 0 to n-1 in a new folder, and ends.
func bury(t *testing.T, n int) Config {
	t.Helper()
	c := config(t.TempDir())
	p := start(t, c, nil, delivered("hub", &picky{odd: anything}))
	fill(t, p, 0, n)
	drivertest.Eventually(t, "all are rejected", func() bool { return p.Stats().Deliveries[0].DeadLettered == uint64(n) })
	p.stop()
	return c
}

// resend asks for a replay while no pipeline runs.
func resend(t *testing.T, c Config) (letters, unfit uint64) {
	t.Helper()
	a, err := Reopen(c, []string{"hub"}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	if letters, unfit, err = a.ReplayDead("hub"); err != nil {
		t.Fatal(err)
	}
	return letters, unfit
}

// summary returns what is kept of hub while no pipeline runs.
func summary(t *testing.T, c Config) DeadSummary {
	t.Helper()
	a, err := Look(c.Dir)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	s, err := a.DeadLetters(t.Context(), "hub")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// deadNames returns the names of the files in the folder dead.
func deadNames(t *testing.T, c Config) []string {
	t.Helper()
	names, err := journal.OS{}.List(filepath.Join(c.Dir, "dead"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	return names
}

// graveFS calls before in front of every change in the folder dead. Its error is
// that of the change.
type graveFS struct {
	journal.OS
	before func(op, path string) error
}

func (g graveFS) change(op, path string) error {
	if !strings.Contains(path, string(filepath.Separator)+"dead") {
		return nil
	}
	return g.before(op, path)
}

func (g graveFS) Create(name string) (journal.File, error) {
	if err := g.change("create", name); err != nil {
		return nil, err
	}
	f, err := g.OS.Create(name)
	return graveFile{f, g, name}, err
}

func (g graveFS) Open(name string) (journal.File, error) {
	f, err := g.OS.Open(name)
	if err != nil {
		return nil, err
	}
	return graveFile{f, g, name}, nil
}

func (g graveFS) Rename(from, to string) error {
	if err := g.change("rename", from); err != nil {
		return err
	}
	return g.OS.Rename(from, to)
}

func (g graveFS) Remove(name string) error {
	if err := g.change("remove", name); err != nil {
		return err
	}
	return g.OS.Remove(name)
}

func (g graveFS) SyncDir(dir string) error {
	if err := g.change("syncdir", dir); err != nil {
		return err
	}
	return g.OS.SyncDir(dir)
}

type graveFile struct {
	journal.File
	fs   graveFS
	name string
}

// WriteAt writes the half of b when it is to fail.
func (f graveFile) WriteAt(b []byte, at int64) (int, error) {
	if err := f.fs.change("write", f.name); err != nil {
		n, _ := f.File.WriteAt(b[:len(b)/2], at)
		return n, err
	}
	return f.File.WriteAt(b, at)
}

func (f graveFile) Sync() error {
	if err := f.fs.change("sync", f.name); err != nil {
		return err
	}
	return f.File.Sync()
}

// copied returns a copy of a folder, as a crash would leave it.
func copied(t *testing.T, dir string) string {
	t.Helper()
	to := filepath.Join(t.TempDir(), "copy")
	if err := os.CopyFS(to, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	return to
}

// carry runs a pipeline until the function that it returns is called.
func carry(t *testing.T, p *Pipeline) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- p.Run(ctx) }()
	return func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("run: %v", err)
		}
	}
}

// slowly is a sink that takes its time.
type slowly struct {
	picky
	takes time.Duration
}

func (s *slowly) Write(ctx context.Context, readings []protocol.Reading) error {
	sleep(ctx, s.takes)
	return s.picky.Write(ctx, readings)
}
