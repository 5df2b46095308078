package pipeline

import (
	"errors"
	"fmt"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"sluice/drivers/drivertest"
	"sluice/pipeline/journal"
	"sluice/protocol"
	"sluice/sink"
)

// allKinds holds a reading with a metric of each kind, of values that JSON loses.
func allKinds() *protocol.Batch {
	b := &protocol.Batch{}
	r := b.Add()
	r.Device, r.ReceivedTime = device, protocol.At(time.Now())
	r.SourceTime = r.ReceivedTime - 12345
	for i, v := range []protocol.Value{
		protocol.Float(3), protocol.Int(1<<53 + 1), protocol.Int(math.MinInt64), protocol.Uint(math.MaxUint64),
		protocol.Float(math.NaN()), protocol.Float(math.Inf(-1)), protocol.Float(math.Copysign(0, -1)),
		protocol.Bool(true), protocol.String("naïve\n\"x\""), protocol.Bytes("\x00\xff{"), {},
	} {
		r.Metrics = append(r.Metrics, protocol.Metric{Name: fmt.Sprint("m", i), Unit: "°C", Value: v, Quality: protocol.Quality(i % 3)})
	}
	return b
}

// identical reports whether two readings are the same to the bit.
func identical(a, b *protocol.Reading) bool {
	return a.ID == b.ID && a.SourceTime == b.SourceTime && a.ReceivedTime == b.ReceivedTime && a.ClockUnset == b.ClockUnset && a.Skewed == b.Skewed &&
		string(protocol.AppendJSON(nil, &protocol.Reading{Device: a.Device})) == string(protocol.AppendJSON(nil, &protocol.Reading{Device: b.Device})) &&
		slices.EqualFunc(a.Metrics, b.Metrics, func(x, y protocol.Metric) bool {
			return x.Name == y.Name && x.Unit == y.Unit && x.Quality == y.Quality &&
				string(appendValue(nil, x.Value, 0)) == string(appendValue(nil, y.Value, 0))
		})
}

func TestReplayDeliversDeadLettersOnceAndExactly(t *testing.T) {
	for _, blunt := range []bool{false, true} {
		c := config(t.TempDir())
		c.Retain = time.Hour
		hub, other := &picky{odd: ofTen, blunt: blunt}, &picky{}
		p := start(t, c, nil, delivered("hub", hub), delivered("other", other))
		emit(t, p, batch(protocol.Origin{}, nil, count(100)...))
		emit(t, p, allKinds())
		drivertest.Eventually(t, "all but the odd ones are there", func() bool {
			return p.Stats().Deliveries[0].DeadLettered == 11 && len(other.readings()) == 101
		})
		hub.set(func() { hub.odd = nil })
		n, unfit, err := p.Archive().ReplayDead("hub")
		if n != 11 || unfit != 0 || err != nil {
			t.Fatalf("%d letters, %d unfit, %v", n, unfit, err)
		}
		drivertest.Eventually(t, "the odd ones are there", func() bool { return !p.Stats().Deliveries[0].Dead.Replaying })
		p.stop()
		for _, want := range other.readings() {
			got := slices.DeleteFunc(hub.readings(), func(r protocol.Reading) bool { return r.ID != want.ID })
			if len(got) != 1 || !identical(&got[0], &want) {
				t.Fatalf("got %+v, want %+v", got, want)
			}
		}
		s := p.Stats().Deliveries[0]
		if s.Delivered != 101 || s.DeadLettered != 11 || s.Backfilled != 11 || s.Dead.Replaying {
			t.Errorf("%+v", s)
		}
		if names := deadNames(t, c); len(names) > 0 {
			t.Errorf("%v are left", names)
		}
	}
}

func TestReplayAskedForWhileNobodyRuns(t *testing.T) {
	c := bury(t, 100)
	if s := summary(t, c); s.Letters != 100 || s.Unfit != 0 || !slices.Equal(s.Reasons, []ReasonCount{{"odd", 100}}) || s.Oldest.IsZero() {
		t.Fatalf("%+v", s)
	}
	if n, _ := resend(t, c); n != 100 {
		t.Fatalf("%d letters", n)
	}
	if s := summary(t, c); s.Letters != 0 || s.Replaying != 100 {
		t.Fatalf("%+v", s)
	}
	hub := &picky{}
	p := start(t, c, nil, delivered("hub", hub))
	drivertest.Eventually(t, "all are there", func() bool { return len(hub.readings()) == 100 })
	p.stop()
	if !slices.Equal(hub.values(), count(100)) {
		t.Errorf("got %v", hub.values())
	}
}

func TestRejectedAgainKeepsWhenItWasFirstTried(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		hub := &picky{odd: anything, down: errors.New("refused")}
		d := delivered("hub", hub)
		d.Config.Breaker.Pause = time.Second
		p := start(t, config(dir), nil, d)
		fill(t, p, 0, 50)
		time.Sleep(time.Minute)
		hub.set(func() { hub.down = nil })
		time.Sleep(time.Minute)
		check := func(last time.Duration) {
			t.Helper()
			n := 0
			err := p.Archive().EachDead(t.Context(), "hub", func(_ []byte, l DeadLetter) error {
				n++
				if since := l.First.Sub(began); since < 0 || since > 10*time.Second {
					t.Errorf("first tried %v after the beginning", since)
				}
				if since := l.Last.Sub(began); since < last || since > last+10*time.Second {
					t.Errorf("last rejected %v after the beginning, want %v", since, last)
				}
				return nil
			})
			if n != 50 || err != nil {
				t.Errorf("%d letters, %v", n, err)
			}
		}
		check(time.Minute)
		if _, _, err := p.Archive().ReplayDead("hub"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		check(2 * time.Minute)
		p.stop()
	})
}

// TestReplayDuringReplayAppends asks a second time while the sink is down.
func TestReplayDuringReplayAppends(t *testing.T) {
	c := bury(t, 100)
	resend(t, c)
	hub := &picky{down: errors.New("refused")}
	p := start(t, c, nil, delivered("hub", hub))
	drivertest.Eventually(t, "the sink is tried", func() bool { return !p.Stats().Deliveries[0].Health.OK })
	d := p.deliveries[0].dead
	readings := batch(protocol.Origin{}, nil, 100, 101).Readings
	for i := range readings {
		readings[i].ID = protocol.ID{Epoch: 1, Seq: uint64(i + 1)}
	}
	rejected := []sink.Rejection{{Index: 0, Err: errOdd}, {Index: 1, Err: errOdd}}
	if err := d.keep(readings, rejected, func(protocol.ID) time.Time { return time.Now() }); err != nil {
		t.Fatal(err)
	}
	if n, _, err := p.Archive().ReplayDead("hub"); n != 2 || err != nil {
		t.Fatalf("%d letters, %v", n, err)
	}
	if n, _, err := p.Archive().ReplayDead("hub"); n != 0 || err != nil {
		t.Fatalf("%d letters, %v", n, err)
	}
	hub.set(func() { hub.down = nil })
	drivertest.Eventually(t, "all are there", func() bool { return len(hub.readings()) == 102 })
	p.stop()
	if !slices.Equal(hub.values(), count(102)) {
		t.Errorf("got %v", hub.values())
	}
}

// TestReplayGoesInTurnWithTheJournal has a sink that takes 10 ms for a write, and
// a long replay.
func TestReplayGoesInTurnWithTheJournal(t *testing.T) {
	c := bury(t, 2000)
	resend(t, c)
	synctest.Test(t, func(t *testing.T) {
		hub := &slowly{picky: picky{}, takes: 10 * time.Millisecond}
		d := delivered("hub", hub)
		d.Config.Batch.MaxReadings = 10
		p := start(t, c, nil, d)
		for v := range 50 {
			emit(t, p, batch(protocol.Origin{}, nil, float64(10_000+v)))
			time.Sleep(20 * time.Millisecond)
		}
		if s := p.Stats().Deliveries[0]; s.Latency.Sum > 50*30*time.Millisecond || !s.Dead.Replaying {
			t.Errorf("50 readings took %v, %+v", s.Latency.Sum, s.Dead)
		}
		time.Sleep(10 * time.Second)
		p.stop()
		if n := len(slices.Compact(hub.values())); n != 2050 || len(hub.readings()) != n {
			t.Errorf("%d readings, %d different", len(hub.readings()), n)
		}
	})
}

// TestCrashDuringReplayLosesNothing copies the folder in front of every change
// there, and goes on from each copy.
func TestCrashDuringReplayLosesNothing(t *testing.T) {
	const letters, size = 50, 10
	c := bury(t, letters)
	type crash struct {
		dir, op string
		got     []float64
	}
	var crashes []crash
	hub := &picky{odd: ofTen}
	record := graveFS{before: func(op, path string) error {
		crashes = append(crashes, crash{copied(t, c.Dir), op + " " + filepath.Base(path), hub.values()})
		return nil
	}}
	d := delivered("hub", hub)
	d.Config.Batch.MaxReadings = size
	// The replay too is asked for by the command of a running pipeline.
	p, err := open(c, nil, []Sink{d}, slog.New(slog.DiscardHandler), record)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := p.Archive().ReplayDead("hub"); err != nil {
		t.Fatal(err)
	}
	stop := carry(t, p)
	drivertest.Eventually(t, "the replay is over", func() bool { return !p.deliveries[0].dead.pending.Load() })
	stop()
	if len(crashes) < 20 {
		t.Fatalf("%d changes", len(crashes))
	}
	for i, x := range crashes {
		again := c
		again.Dir = x.dir
		rest := &picky{}
		d.Sink = rest
		p := start(t, again, nil, d)
		idle := func() bool { return !p.deliveries[0].dead.pending.Load() }
		drivertest.Eventually(t, "the replay is over", idle)
		if _, _, err := p.Archive().ReplayDead("hub"); err != nil { // what was not, or was rejected again
			t.Fatal(err)
		}
		drivertest.Eventually(t, "the second replay is over", idle)
		p.stop()
		all := slices.Sorted(slices.Values(append(rest.values(), x.got...)))
		if got := slices.Compact(slices.Clone(all)); !slices.Equal(got, count(letters)) || len(all) > letters+size {
			t.Errorf("crash %d in front of %s: %d readings, %d different", i, x.op, len(all), len(got))
		}
	}
	t.Logf("%d crashes", len(crashes))
}

func TestFullDiskKeepsTheCursorUntilLettersAreKept(t *testing.T) {
	for _, op := range []string{"create", "write", "sync", "syncdir"} {
		full := make(chan error, 1) // holds what the disk says to op; read and given back
		full <- syscall.ENOSPC
		disk := graveFS{before: func(what, path string) error {
			err := <-full
			full <- err
			if what == op {
				return err
			}
			return nil
		}}
		c := config(t.TempDir())
		hub := &picky{odd: ofTen}
		p := start(t, c, disk, delivered("hub", hub))
		emit(t, p, batch(protocol.Origin{}, nil, count(100)...))
		drivertest.Eventually(t, "keeping fails", func() bool { return p.Stats().Deliveries[0].Health.Attempts > 3 })
		if s := p.Stats().Deliveries[0]; s.InJournal != 100 || !strings.Contains(s.Health.Err, "keep dead letters") {
			t.Errorf("%s: %d wait, %s", op, s.InJournal, s.Health.Err)
		}
		<-full
		full <- nil
		drivertest.Eventually(t, "the letters are kept", func() bool { return p.Stats().Deliveries[0].InJournal == 0 })
		p.stop()
		if s := summary(t, c); s.Letters != 10 || s.Unfit != 0 {
			t.Errorf("%s: %+v", op, s)
		}
	}
}

func TestFullDiskHoldsTheReplayAndNotTheJournal(t *testing.T) {
	c := bury(t, 100)
	resend(t, c)
	full := make(chan error, 1) // holds what the disk says; read and given back
	full <- syscall.ENOSPC
	disk := graveFS{before: func(string, string) error { err := <-full; full <- err; return err }}
	hub := &picky{}
	d := delivered("hub", hub)
	d.Config.Batch.MaxReadings = 10
	p := start(t, c, disk, d)
	drivertest.Eventually(t, "a batch is replayed", func() bool { return len(hub.readings()) == 10 })
	fill(t, p, 100, 150)
	drivertest.Eventually(t, "what is new comes", func() bool { return len(hub.readings()) == 60 })
	if s := p.Stats().Deliveries[0]; !s.Dead.Replaying || !s.Health.OK {
		t.Errorf("%+v", s)
	}
	<-full
	full <- nil
	drivertest.Eventually(t, "all are there", func() bool { return len(hub.readings()) == 150 })
	p.stop()
	if !slices.Equal(hub.values(), count(150)) {
		t.Errorf("got %v", hub.values())
	}
}

func TestLettersThatCannotBeReplayedStay(t *testing.T) {
	c := bury(t, 50)
	path := filepath.Join(c.Dir, "dead", "hub.ndjson")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	old := `{"sink":"hub","reason":"odd","at":"2026-11-22T10:00:00Z","reading":{"id":"0000000000000001-1","device":"s1","metrics":{"t":1}}}` + "\n"
	lines := slices.Collect(strings.Lines(string(text)))
	flipped := strings.Replace(lines[7], `"raw":"A`, `"raw":"B`, 1)
	if flipped == lines[7] {
		flipped = lines[7][:len(lines[7])-30] + "AAAA" + lines[7][len(lines[7])-26:]
	}
	lines[7] = flipped
	torn := lines[9][:40]
	text = []byte(old + strings.Join(lines[:20], "") + old + "\x00\x00\n" + strings.Join(lines[20:], "") + lines[3] + old + torn)
	if err := os.WriteFile(path, text, 0o640); err != nil {
		t.Fatal(err)
	}
	if s := summary(t, c); s.Letters != 55 || s.Unfit != 5 {
		t.Fatalf("%+v", s)
	}
	if n, unfit := resend(t, c); n != 55 || unfit != 5 {
		t.Fatalf("%d letters, %d unfit", n, unfit)
	}
	hub := &picky{}
	d := delivered("hub", hub)
	d.Config.Batch.MaxReadings = 7
	p := start(t, c, nil, d)
	drivertest.Eventually(t, "the replay is over", func() bool { return !p.Stats().Deliveries[0].Dead.Replaying })
	p.stop()
	if want := slices.DeleteFunc(count(50), func(v float64) bool { return v == 7 }); !slices.Equal(hub.values(), want) {
		t.Errorf("got %v", hub.values())
	}
	text, err = os.ReadFile(path)
	if want := old + flipped + old + "\x00\x00\n" + old; err != nil || string(text) != want {
		t.Errorf("what stays is %q, %v", text, err)
	}
}

// letterbox is the dead letters of a sink without a pipeline.
func letterbox(t *testing.T) *deadLetters {
	return newDeadOffice(t.TempDir(), journal.OS{}, slog.New(slog.DiscardHandler)).of("hub")
}

func post(t *testing.T, d *deadLetters, v float64) {
	t.Helper()
	b := batch(protocol.Origin{}, nil, v)
	b.Readings[0].ID = protocol.ID{Epoch: 7, Seq: uint64(v) + 1}
	if err := d.keep(b.Readings, []sink.Rejection{{Index: 0, Err: errOdd}}, func(protocol.ID) time.Time { return time.Now() }); err != nil {
		t.Fatal(err)
	}
}

func TestBoundEvictsTheOldestLettersAndCounts(t *testing.T) {
	d := letterbox(t)
	d.max = 4000
	for v := range 100 {
		post(t, d, float64(v))
	}
	kept := uint64(0)
	for _, path := range d.files() {
		n, err := d.count(path, 0)
		if info, e := os.Stat(path); err != nil || e != nil || info.Size() > d.max {
			t.Fatal(err, e)
		}
		kept += n
	}
	if evicted := d.stats().Evicted; kept < 10 || kept+evicted != 100 {
		t.Errorf("%d kept, %d evicted", kept, evicted)
	}
}

func TestHalfALineIsCutOff(t *testing.T) {
	d := letterbox(t)
	post(t, d, 1)
	f, err := os.OpenFile(d.path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString(`{"sink":"hub","reas` + strings.Repeat("x", 2*lineBuffer)); err != nil {
		t.Fatal(err)
	}
	f.Close()
	d = newDeadLetters(d.dir, "hub", d.fs, d.log) // another process
	post(t, d, 2)
	if n, unfit, err := d.weigh(d.path); n != 2 || unfit != 0 || err != nil {
		t.Errorf("%d letters, %d unfit, %v", n, unfit, err)
	}
}

func TestDropBeforeATime(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		d := newDeadOffice(dir, journal.OS{}, slog.New(slog.DiscardHandler)).of("hub")
		d.max = 2000
		began := time.Now()
		for v := range 8 {
			post(t, d, float64(v))
			time.Sleep(time.Hour)
		}
		evicted := d.stats().Evicted
		n, err := d.drop(began.Add(6*time.Hour + time.Minute))
		if err != nil || n+evicted != 7 {
			t.Errorf("%d dropped, %d evicted, %v", n, evicted, err)
		}
		if n, err := d.drop(time.Time{}); n != 1 || err != nil {
			t.Errorf("%d dropped, %v", n, err)
		}
		if n, err := d.drop(time.Time{}); n != 0 || err != nil {
			t.Errorf("%d dropped, %v", n, err)
		}
		post(t, d, 9)
		if n, err := d.count(d.path, 0); n != 1 || err != nil || d.stats().Dropped+evicted != 8 {
			t.Errorf("%d letters, %v, %+v", n, err, d.stats())
		}
	})
}

func TestReplaysAreBounded(t *testing.T) {
	d := letterbox(t)
	refused := false
	for v := range 2 * maxReplays {
		post(t, d, float64(v))
		if _, _, err := d.replay(); err != nil {
			refused = true
		}
	}
	if numbers, err := d.replays(); !refused || err != nil || len(numbers) > maxReplays {
		t.Errorf("%d files to replay, %v", len(numbers), err)
	}
}
