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

// ruled is a pipeline whose one device has rules.
type ruled struct {
	*running
	t      *testing.T
	device *protocol.Device
}

func startRuled(t *testing.T, c Config, reports *protocol.Reports, fs journal.FS, sinks ...Sink) *ruled {
	t.Helper()
	r := &ruled{running: start(t, c, fs, sinks...), t: t}
	r.rule(reports)
	return r
}

// rule gives the device rules, as a driver does when it begins anew.
func (r *ruled) rule(reports *protocol.Reports) {
	d := *device
	d.Reports = reports
	r.device = &d
}

// emit brings a batch and returns what its Done was told.
func (r *ruled) emit(o protocol.Origin, values ...float64) error {
	r.t.Helper()
	done := make(chan error, 1)
	b := batch(o, done, values...)
	for i := range b.Readings {
		b.Readings[i].Device = r.device
	}
	if !r.Intake("floor").Emit(b) {
		r.t.Fatal("refused")
	}
	return <-done
}

func (r *ruled) keep(o protocol.Origin, values ...float64) {
	r.t.Helper()
	if err := r.emit(o, values...); err != nil {
		r.t.Fatal(err)
	}
}

func onChange(least time.Duration) *protocol.Reports {
	return &protocol.Reports{All: &protocol.Report{Deadband: &protocol.Deadband{Width: 1}, Min: &least}}
}

func TestSuppressedReadingsAreAcknowledgedAndCounted(t *testing.T) {
	c, hub := config(t.TempDir()), newMemory()
	for range 2 { // after a restart everything is reported once more
		p := startRuled(t, c, onChange(0), nil, delivered("hub", hub))
		for i, values := range [][]float64{{0, 0.5, 1}, {1, 0.5}, {2, 5, 5.5}} {
			p.keep(origin(uint16(i+1), false), values...)
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
	p := startRuled(t, config(t.TempDir()), onChange(50*time.Millisecond), nil, delivered("hub", hub))
	p.keep(origin(1, false), 0)
	p.keep(origin(2, false), 7)
	hub.wait(t, 2) // nothing else comes
	p.rule(onChange(time.Hour))
	p.keep(origin(3, false), 8)
	p.keep(origin(4, false), 20)
	p.keep(origin(5, false), 30)
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
	p := startRuled(t, config(t.TempDir()), &protocol.Reports{StaleAfter: 50 * time.Millisecond}, nil, delivered("hub", hub))
	p.keep(protocol.Origin{}, 7)
	hub.wait(t, 2)
	if silent := p.Presence(10).Silent; len(silent) != 1 || silent[0].Device != p.device {
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
	p := startRuled(t, config(t.TempDir()), onChange(0), fs, delivered("hub", hub))
	p.keep(origin(1, false), 0)
	fs.set(syscall.ENOSPC)
	if err := p.emit(origin(2, false), 5); err == nil {
		t.Fatal("a message is kept on a full disk")
	}
	fs.set(nil)
	drivertest.Eventually(t, "there is room again", p.Intake("floor").Room)
	p.keep(origin(2, true), 5)
	p.stop()
	if want := []float64{0, 5}; !slices.Equal(hub.values(), want) {
		t.Errorf("the sink holds %v, want %v", hub.values(), want)
	}
}

func TestSuppressingAllocatesNothing(t *testing.T) {
	for _, least := range []time.Duration{0, time.Hour} {
		s, l := keepStill(t, "os"), newLoad()
		for _, d := range l.devices {
			d.Reports = onChange(least)
		}
		b := l.batch(perBatch)
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
