package pipeline

import (
	"errors"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"sluice/drivers/drivertest"
	"sluice/pipeline/journal"
	"sluice/protocol"
)

// stuck is a disk whose syncs fail or wait while told to.
type stuck struct {
	journal.FS
	mu   sync.Mutex
	fail error
}

type stuckFile struct {
	journal.File
	fs *stuck
}

func (s *stuck) Open(name string) (journal.File, error) {
	f, err := s.FS.Open(name)
	if err != nil {
		return nil, err
	}
	return stuckFile{f, s}, nil
}

func (f stuckFile) Sync() error {
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	if f.fs.fail != nil {
		return f.fs.fail
	}
	return f.File.Sync()
}

func (s *stuck) set(err error) {
	s.mu.Lock()
	s.fail = err
	s.mu.Unlock()
}

// fullDisk starts a pipeline whose disk is full, after one reading that both sinks
// have got.
func fullDisk(t *testing.T, c Config, sinks ...Sink) (*running, *stuck) {
	t.Helper()
	fs := &stuck{FS: journal.OS{}}
	p := start(t, c, fs, sinks...)
	done := make(chan error, 2)
	p.Intake("floor").Emit(batch(protocol.Origin{}, done, -1))
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	fs.set(syscall.ENOSPC)
	p.Intake("floor").Emit(batch(protocol.Origin{}, done, 0))
	if err := <-done; err != nil {
		t.Fatalf("a reading that cannot be sent again: %v", err)
	}
	if s := p.Stats(); s.Disk.OK || s.Journal.Volatile != 1 {
		t.Fatalf("the disk is said to be fine: %+v", s.Disk)
	}
	return p, fs
}

func TestFullDiskRefusesWhatComesAgainAndKeepsTheRest(t *testing.T) {
	alive, dead := newMemory(), newMemory()
	dead.fails(errors.New("refused"))
	p, fs := fullDisk(t, config(t.TempDir()), delivered("alive", alive), delivered("dead", dead))
	floor := p.Intake("floor")

	if floor.Emit(batch(origin(7, false), nil, 100)) || floor.Room() {
		t.Fatal("a message that can be sent again is taken while the disk is full")
	}
	for v := range 50 {
		if !floor.Emit(batch(protocol.Origin{}, nil, float64(v+1))) {
			t.Fatalf("reading %d is not taken", v+1)
		}
	}
	alive.wait(t, 52) // the sinks get what is in memory

	fs.set(nil)
	drivertest.Eventually(t, "there is room again", floor.Room)
	done := make(chan error, 1)
	if !floor.Emit(batch(origin(7, true), done, 51)) || <-done != nil {
		t.Fatal("the message that was refused is not taken when it comes again")
	}
	dead.fails(nil)
	dead.wait(t, 53)
	alive.wait(t, 53)
	p.stop()
	want := make([]float64, 53)
	for i := range want {
		want[i] = float64(i - 1)
	}
	for _, m := range []*memory{alive, dead} {
		if !slices.Equal(m.values(), want) {
			t.Errorf("sink got %v", m.values())
		}
	}
	if s := p.Stats(); s.Intakes[0].Refused != 1 || s.Intakes[0].Dropped != 0 || s.Journal.InMemory != 0 || s.Journal.Volatile != 51 {
		t.Errorf("%+v %+v", s.Intakes[0], s.Journal)
	}
}

func TestWhatWasInMemorySurvivesTheRestartAfterTheOutage(t *testing.T) {
	c := config(t.TempDir())
	dead := newMemory()
	dead.fails(errors.New("refused"))
	c.Drain = 0
	p, fs := fullDisk(t, c, delivered("dead", dead))
	fs.set(nil)
	p.stop() // the last moment to write it down
	back := newMemory()
	p = start(t, c, nil, delivered("dead", back))
	back.wait(t, 2)
	p.stop()
	if got := back.values(); !slices.Equal(got, []float64{-1, 0}) {
		t.Fatalf("got %v", got)
	}
}

func TestMemoryIsBoundedAndEvictsTheOldest(t *testing.T) {
	c := config(t.TempDir())
	c.Volatile = 1 << 20
	alive, dead := newMemory(), newMemory()
	dead.fails(errors.New("refused"))
	p, fs := fullDisk(t, c, delivered("alive", alive), delivered("dead", dead))
	const readings = 200_000 // of about 20 bytes
	for v := range readings / 100 {
		values := make([]float64, 100)
		for i := range values {
			values[i] = float64(100*v + i + 1)
		}
		done := make(chan error, 1)
		if !p.Intake("floor").Emit(batch(protocol.Origin{}, done, values...)) || <-done != nil {
			t.Fatalf("reading %d is not taken", v)
		}
		if held := p.Stats().Journal.InMemory; held > int64(c.Volatile) {
			t.Fatalf("%d bytes in memory", held)
		}
		alive.wait(t, 100*v+2) // keeps up
	}
	fs.set(nil)
	dead.fails(nil)
	drivertest.Eventually(t, "the disk is back", p.Intake("floor").Room)
	p.stop()
	s := p.Stats()
	evicted := uint64(0)
	for _, d := range s.Deliveries {
		if d.InJournal > 0 || d.Damaged > 0 {
			t.Errorf("%+v", d)
		}
		if d.Name == "dead" {
			d.Evicted.Each(func(reason string, n uint64) {
				if reason == "memory" {
					evicted = n
				}
			})
		}
	}
	if got := len(alive.values()); got != readings+2 {
		t.Errorf("the sink that keeps up got %d", got)
	}
	if got := dead.values(); evicted == 0 || uint64(len(got))+evicted != readings+2 || got[0] != -1 || got[len(got)-1] != readings {
		t.Errorf("the other got %d, %d evicted", len(got), evicted)
	}
}

func TestBlockHoldsBackUntilTheSinkHasCaughtUp(t *testing.T) {
	c := config(t.TempDir())
	c.MaxSize = 4 * c.Segment
	slow := newMemory()
	slow.fails(errors.New("refused"))
	sink := delivered("slow", slow)
	sink.Config.WhenFull = "block"
	p := start(t, c, nil, sink)
	sent := 0
	for limit := time.Now().Add(drivertest.Patience); p.Stats().Disk.OK; {
		if p.Intake("floor").Emit(batch(protocol.Origin{}, nil, float64(sent))) {
			sent++
		} else if time.Now().After(limit) {
			t.Fatal("the journal never gets full")
		}
	}
	if s := p.Stats(); s.Journal.Bytes > int64(c.MaxSize) || s.Deliveries[0].Evicted.Total() > 0 {
		t.Fatalf("%+v", s.Journal)
	}
	slow.fails(nil)
	slow.wait(t, sent)
	p.stop()
	if s := p.Stats(); !slices.Equal(slow.values(), count(sent)) || !s.Disk.OK || s.Deliveries[0].Evicted.Total() > 0 {
		t.Fatalf("%d of %d readings, %+v", len(slow.values()), sent, s.Deliveries)
	}
}

func TestMemoryAloneDelivers(t *testing.T) {
	c := config(t.TempDir())
	c.Durability = "memory"
	m := newMemory()
	p := start(t, c, nil, delivered("hub", m))
	done := make(chan error, 1)
	for v := range 100 {
		if !p.Intake("floor").Emit(batch(origin(uint16(v+1), false), done, float64(v))) || <-done != nil {
			t.Fatalf("message %d is not taken", v)
		}
	}
	m.wait(t, 100)
	p.stop()
	if s := p.Stats(); s.Journal.Fsyncs > 0 || s.Journal.Appended > 0 || !s.Disk.OK || !slices.Equal(m.values(), count(100)) {
		t.Fatalf("%+v", s)
	}
}
