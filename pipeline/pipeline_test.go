package pipeline

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"sluice/pipeline/journal"
	"sluice/protocol"
	"sluice/sink"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// memory is a sink that keeps what it is given and fails as told.
type memory struct {
	mu    sync.Mutex
	ids   []protocol.ID
	value []float64
	at    []time.Time
	fail  func(readings []protocol.Reading) error
	grown chan struct{} // sent after every write, never closed; 1: the waiter looks at all
}

func newMemory() *memory { return &memory{grown: make(chan struct{}, 1)} }

func (m *memory) Write(_ context.Context, readings []protocol.Reading) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	var err error
	if m.fail != nil {
		err = m.fail(readings)
	}
	var partial *sink.PartialError
	if err != nil && !errors.As(err, &partial) {
		return err
	}
	for i, r := range readings {
		if partial != nil && slices.ContainsFunc(partial.Rejected, func(x sink.Rejection) bool { return x.Index == i }) {
			continue
		}
		m.ids = append(m.ids, r.ID)
		m.value = append(m.value, r.Metrics[0].Value.Float())
		m.at = append(m.at, r.Time().Time())
	}
	poke(m.grown)
	return err
}

func (m *memory) Close() error { return nil }

// fails makes every write fail with err, or none.
func (m *memory) fails(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.fail = func([]protocol.Reading) error { return err }
}

func (m *memory) values() []float64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.value)
}

// wait returns once the sink holds n readings.
func (m *memory) wait(t *testing.T, n int) {
	t.Helper()
	limit := time.After(20 * time.Second)
	for len(m.values()) < n {
		select {
		case <-m.grown:
		case <-limit:
			t.Fatalf("sink holds %d readings, want %d", len(m.values()), n)
		}
	}
}

var device = &protocol.Device{Name: "s1", Profile: "climate", Driver: "floor", Tags: []protocol.Tag{{Key: "area", Value: "a"}}}

// batch holds one reading per value and sends its result to done.
func batch(origin protocol.Origin, done chan error, values ...float64) *protocol.Batch {
	b := &protocol.Batch{Origin: origin}
	if done != nil {
		b.Done = func(err error) { done <- err }
	}
	for _, v := range values {
		r := b.Add()
		r.Device, r.ReceivedTime = device, protocol.At(time.Now())
		r.Metrics = append(r.Metrics, protocol.Metric{Name: "t", Unit: "°C", Value: protocol.Float(v)})
	}
	return b
}

// running is a pipeline under test.
type running struct {
	*Pipeline
	stop func()
}

func config(dir string) Config {
	c := DefaultConfig()
	c.Dir, c.Segment, c.MaxSize, c.Drain = dir, 64<<10, 1<<20, 2*time.Second
	return c
}

func delivered(name string, s sink.Sink) Sink {
	d := DefaultDelivery()
	d.Retry = Retry{Min: time.Millisecond, Max: 5 * time.Millisecond}
	d.Breaker.Pause = 5 * time.Millisecond
	return Sink{Name: name, Sink: s, Config: d}
}

func start(t *testing.T, c Config, fs journal.FS, sinks ...Sink) *running {
	t.Helper()
	p, err := open(c, []string{"floor"}, sinks, slog.New(slog.DiscardHandler), fs)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- p.Run(ctx) }()
	stop := sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("run: %v", err)
		}
		balance(t, p)
	})
	t.Cleanup(stop)
	return &running{p, stop}
}

// balance holds both equations of accounting.
func balance(t *testing.T, p *Pipeline) {
	t.Helper()
	s := p.Stats()
	for _, i := range s.Intakes {
		if i.Received != i.Rejected+i.Duplicate+i.Refused+i.Dropped+i.Suppressed+i.InIntake+i.Journaled {
			t.Errorf("intake does not balance: %+v", i)
		}
	}
	for _, d := range s.Deliveries {
		if d.Carried+d.Journaled+d.Backfilled != d.Delivered+d.Diverted+d.DeadLettered+d.Evicted.Total()+d.Damaged+d.InJournal {
			t.Errorf("delivery does not balance: %+v", d)
		}
	}
}

func count(n int) []float64 {
	values := make([]float64, n)
	for i := range values {
		values[i] = float64(i)
	}
	return values
}

func TestEveryReadingReachesEverySinkInOrder(t *testing.T) {
	for _, durability := range []string{"always", "interval", "os"} {
		c := config(t.TempDir())
		c.Durability = durability
		one, two := newMemory(), newMemory()
		p := start(t, c, nil, delivered("one", one), delivered("two", two))
		done := make(chan error, 500)
		for i := range 500 {
			for !p.Intake("floor").Emit(batch(protocol.Origin{}, done, float64(2*i), float64(2*i+1))) {
				<-done
				done <- nil
			}
		}
		for range 500 {
			if err := <-done; err != nil {
				t.Fatal(err)
			}
		}
		p.stop() // drains
		for _, m := range []*memory{one, two} {
			if !slices.Equal(m.value, count(1000)) {
				t.Fatalf("%s: sink holds %d readings %v", durability, len(m.value), m.value)
			}
			if !slices.IsSortedFunc(m.at, func(a, b time.Time) int {
				if a.Before(b) {
					return -1
				}
				return 1 // equal instants are out of order too
			}) {
				t.Fatalf("%s: times do not rise strictly", durability)
			}
		}
	}
}

func TestDeadSinkDelaysNobody(t *testing.T) {
	dead, healthy := newMemory(), newMemory()
	dead.fail = func([]protocol.Reading) error { return errors.New("refused") }
	p := start(t, config(t.TempDir()), nil, delivered("dead", dead), delivered("healthy", healthy))
	for i := range 100 {
		p.Intake("floor").Emit(batch(protocol.Origin{}, nil, float64(i)))
		healthy.wait(t, i+1)
	}
	if h := p.Stats().Deliveries[0].Health; h.OK || h.Err != "refused" {
		t.Fatalf("health of the dead sink: %+v", h)
	}
	dead.mu.Lock()
	dead.fail = nil
	dead.mu.Unlock()
	dead.wait(t, 100)
	if !slices.Equal(dead.values(), count(100)) {
		t.Fatalf("dead sink holds %v", dead.values())
	}
}

func TestRestartGoesOnWithWhatIsNotDelivered(t *testing.T) {
	c := config(t.TempDir())
	c.Drain = 10 * time.Millisecond
	m := newMemory()
	m.fail = func([]protocol.Reading) error { return errors.New("refused") }
	p := start(t, c, nil, delivered("hub", m))
	done := make(chan error, 100)
	for i := range 100 {
		p.Intake("floor").Emit(batch(protocol.Origin{}, done, float64(i)))
		<-done
	}
	p.stop()
	if s := p.Stats().Deliveries[0]; s.InJournal != 100 {
		t.Fatalf("in journal: %+v", s)
	}
	m.fail = nil
	p = start(t, c, nil, delivered("hub", m))
	m.wait(t, 100)
	p.stop()
	if !slices.Equal(m.values(), count(100)) {
		t.Fatalf("sink holds %v", m.values())
	}
	if s := p.Stats().Deliveries[0]; s.Carried != 100 || s.Delivered != 100 {
		t.Fatalf("after restart: %+v", s)
	}
}

func TestRejectedReadingsBecomeDeadLetters(t *testing.T) {
	odd := func(r protocol.Reading) bool { return int(r.Metrics[0].Value.Float())%10 == 3 }
	ways := map[string]func([]protocol.Reading) error{
		"partial": func(readings []protocol.Reading) error {
			var p sink.PartialError
			for i, r := range readings {
				if odd(r) {
					p.Rejected = append(p.Rejected, sink.Rejection{Index: i, Err: errors.New("odd")})
				}
			}
			if p.Rejected == nil {
				return nil
			}
			return &p
		},
		"permanent": func(readings []protocol.Reading) error {
			if slices.ContainsFunc(readings, odd) {
				return sink.Permanent(errors.New("odd"))
			}
			return nil
		},
	}
	for way, fail := range ways {
		c := config(t.TempDir())
		m := newMemory()
		m.fail = fail
		p := start(t, c, nil, delivered("hub", m))
		p.Intake("floor").Emit(batch(protocol.Origin{}, nil, count(100)...))
		m.wait(t, 90)
		p.stop()
		f, err := os.Open(filepath.Join(c.Dir, "dead", "hub.ndjson"))
		if err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(f)
		for want := 3; want < 100; want += 10 {
			var letter struct {
				Sink, Reason string
				Reading      struct{ Metrics map[string]float64 }
			}
			if !lines.Scan() || json.Unmarshal(lines.Bytes(), &letter) != nil || letter.Reading.Metrics["t"] != float64(want) || letter.Reason != "odd" {
				t.Fatalf("%s: dead letter is %s, want the reading %d", way, lines.Bytes(), want)
			}
		}
		f.Close()
		if s := p.Stats().Deliveries[0]; s.DeadLettered != 10 || s.Delivered != 90 {
			t.Fatalf("%s: %+v", way, s)
		}
	}
}

func origin(id uint16, redelivered bool) protocol.Origin {
	return protocol.Origin{Driver: "floor", PacketID: id, Hash: 7, Redelivered: redelivered}
}

func TestRedeliveredMessageIsKeptOnce(t *testing.T) {
	c := config(t.TempDir())
	m := newMemory()
	done := make(chan error, 1)
	send := func(p *running, o protocol.Origin, v float64) {
		t.Helper()
		if !p.Intake("floor").Emit(batch(o, done, v)) {
			t.Fatal("refused")
		}
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	}
	p := start(t, c, nil, delivered("hub", m))
	in := p.Intake("floor")
	send(p, origin(1, false), 1)
	send(p, origin(1, true), 1) // duplicate
	send(p, origin(2, true), 2) // redelivered, never seen
	in.Acknowledged(origin(2, false))
	send(p, origin(3, false), 3) // notes the acknowledgement
	send(p, origin(2, true), 4)  // the id may mean another message now
	p.stop()
	p = start(t, c, nil, delivered("hub", m))
	send(p, origin(1, true), 1)  // duplicate, remembered
	send(p, origin(2, true), 4)  // duplicate, remembered
	send(p, origin(1, false), 5) // not redelivered: new
	p.Intake("floor").SessionLost("floor")
	send(p, origin(1, true), 6) // another session: new
	p.stop()
	if want := []float64{1, 2, 3, 4, 5, 6}; !slices.Equal(m.values(), want) {
		t.Fatalf("sink holds %v, want %v", m.values(), want)
	}
}

func TestOpenMessagesSurviveManySegments(t *testing.T) {
	c := config(t.TempDir())
	m := newMemory()
	done := make(chan error, 1)
	p := start(t, c, nil, delivered("hub", m))
	p.Intake("floor").Emit(batch(origin(9, false), done, 0))
	<-done
	for range 200 { // several segments of 64 KiB
		p.Intake("floor").Emit(batch(protocol.Origin{}, done, make([]float64, 100)...))
		<-done
	}
	m.wait(t, 1+200*100)
	p.stop()
	p = start(t, c, nil, delivered("hub", m))
	p.Intake("floor").Emit(batch(origin(9, true), done, 0))
	<-done
	p.stop()
	if s := p.Stats().Intakes[0]; s.Duplicate != 1 {
		t.Fatalf("%+v", s)
	}
}
