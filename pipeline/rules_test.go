package pipeline

import (
	"slices"
	"syscall"
	"testing"
	"time"

	"sluice/drivers/drivertest"
	"sluice/pipeline/journal"
	"sluice/protocol"
)

// ruled starts a pipeline in which the profile of the tests' device has rules.
func ruled(t *testing.T, c Config, rules Rules, fs journal.FS, sinks ...Sink) *running {
	t.Helper()
	p := start(t, c, fs, sinks...)
	p.SetRules(map[string]Rules{"climate": rules})
	return p
}

func onChange(least time.Duration) Rules {
	return Rules{Report: &protocol.Report{Deadband: &protocol.Deadband{Width: 1}, Min: &least}}
}

// emit brings a batch and returns what its Done was told.
func (r *running) emit(t *testing.T, b func(done chan error) *protocol.Batch) error {
	t.Helper()
	done := make(chan error, 1)
	if !r.Intake("floor").Emit(b(done)) {
		t.Fatal("refused")
	}
	return <-done
}

func TestSuppressedReadingsAreAcknowledgedAndCounted(t *testing.T) {
	c, hub := config(t.TempDir()), newMemory()
	for range 2 { // after a restart everything is reported once more
		p := ruled(t, c, onChange(0), nil, delivered("hub", hub))
		for i, values := range [][]float64{{0, 0.5, 1}, {1, 0.5}, {2, 5, 5.5}} {
			err := p.emit(t, func(done chan error) *protocol.Batch {
				return batch(origin(uint16(i+1), false), done, values...)
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		p.stop()
		s := p.Stats().Intakes[0]
		if s.Received != 8 || s.Suppressed != 5 || s.Journaled != 3 || s.InIntake != 0 {
			t.Errorf("%+v", s)
		}
		if d := p.Devices(); len(d) != 1 || d[0].Readings != 8 || d[0].Suppressed != 5 {
			t.Errorf("devices are %+v", d)
		}
	}
	if want := []float64{0, 2, 5, 0, 2, 5}; !slices.Equal(hub.values(), want) {
		t.Errorf("the sink holds %v, want %v", hub.values(), want)
	}
}

func TestHeldReadingGoesOutInTheEnd(t *testing.T) {
	hub := newMemory()
	p := ruled(t, config(t.TempDir()), onChange(50*time.Millisecond), nil, delivered("hub", hub))
	emit := func(v float64) {
		if err := p.emit(t, func(done chan error) *protocol.Batch { return batch(origin(1, false), done, v) }); err != nil {
			t.Fatal(err)
		}
	}
	emit(0)
	emit(7)
	hub.wait(t, 2) // nothing else comes
	p.SetRules(map[string]Rules{"climate": onChange(time.Hour)})
	emit(8)
	emit(20)
	emit(30)
	if s := p.Stats().Intakes[0]; s.InIntake != 1 || s.Suppressed != 1 {
		t.Errorf("while one is held: %+v", s)
	}
	p.stop() // hands out what is held
	if want := []float64{0, 7, 8, 30}; !slices.Equal(hub.values(), want) {
		t.Errorf("the sink holds %v, want %v", hub.values(), want)
	}
	if s := p.Stats().Intakes[0]; s.InIntake != 0 || s.Journaled != 4 {
		t.Errorf("at the end: %+v", s)
	}
}

func TestSilentDeviceHasALastWord(t *testing.T) {
	hub := newMemory()
	p := ruled(t, config(t.TempDir()), Rules{StaleAfter: 50 * time.Millisecond}, nil, delivered("hub", hub))
	if err := p.emit(t, func(done chan error) *protocol.Batch { return batch(protocol.Origin{}, done, 7) }); err != nil {
		t.Fatal(err)
	}
	hub.wait(t, 2)
	if silent := p.Presence(10).Silent; len(silent) != 1 || silent[0].Device != device {
		t.Errorf("silent are %+v", silent)
	}
	p.stop()
	if want := []float64{7, 0}; !slices.Equal(hub.values(), want) { // a null, to this sink
		t.Errorf("the sink holds %v, want %v", hub.values(), want)
	}
	if s := p.Stats().Intakes[0]; s.Received != 2 || s.Journaled != 2 {
		t.Errorf("%+v", s)
	}
}

// What was not kept comes again, and must not be measured by itself.
func TestReadingThatWasRefusedIsReportedWhenItComesAgain(t *testing.T) {
	fs, hub := &stuck{FS: journal.OS{}}, newMemory()
	p := ruled(t, config(t.TempDir()), onChange(0), fs, delivered("hub", hub))
	emit := func(id uint16, again bool, v float64) error {
		return p.emit(t, func(done chan error) *protocol.Batch { return batch(origin(id, again), done, v) })
	}
	if err := emit(1, false, 0); err != nil {
		t.Fatal(err)
	}
	fs.set(syscall.ENOSPC)
	if err := emit(2, false, 5); err == nil {
		t.Fatal("a message is kept on a full disk")
	}
	fs.set(nil)
	drivertest.Eventually(t, "there is room again", p.Intake("floor").Room)
	if err := emit(2, true, 5); err != nil {
		t.Fatal(err)
	}
	p.stop()
	if want := []float64{0, 5}; !slices.Equal(hub.values(), want) {
		t.Errorf("the sink holds %v, want %v", hub.values(), want)
	}
}

func TestSuppressingAllocatesNothing(t *testing.T) {
	for _, least := range []time.Duration{0, time.Hour} {
		s, b := keepStill(t, "os"), newLoad().batch(perBatch)
		s.SetRules(map[string]Rules{"climate": onChange(least)})
		commit := func() {
			b.Readings = b.Readings[:perBatch] // those taken out stand behind the others
			s.commit(b)
		}
		for range warm {
			commit()
		}
		if n := testing.AllocsPerRun(runs, commit); n != 0 {
			t.Errorf("%v allocations per batch", n)
		}
		if stats := s.intake.stats; stats.Suppressed < stats.Received/2 {
			t.Errorf("%+v", stats)
		}
	}
}
