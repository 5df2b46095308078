package pipeline

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"sluice/pipeline/journal"
	"sluice/protocol"
)

// written is a closed journal, made record by record.
type written struct {
	t       *testing.T
	dir     string
	journal *journal.Journal
	encoder *encoder
	now     time.Time
	value   float64 // of the next reading
}

var morning = time.Date(2026, 11, 22, 6, 0, 0, 0, time.UTC)

// write begins a journal with a cursor for "hub".
func write(t *testing.T) *written {
	t.Helper()
	w := &written{t: t, dir: t.TempDir(), encoder: newEncoder(), now: morning}
	var err error
	w.journal, err = journal.Open(journal.Options{
		Dir: w.dir, SegmentSize: 64 << 10, MaxSize: 1 << 20, Log: slog.New(slog.DiscardHandler), Now: func() time.Time { return w.now },
	})
	if err == nil {
		_, err = w.journal.Cursor("hub", journal.CursorOptions{Start: journal.Oldest})
	}
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// record writes n readings that are accepted at so many minutes of the morning.
func (w *written) record(minute, n int) {
	w.t.Helper()
	w.now = morning.Add(time.Duration(minute) * time.Minute)
	values := make([]float64, n)
	for i := range values {
		values[i] = w.value
		w.value++
	}
	said := []note{{driver: "floor", lost: true, kept: []protocol.Origin{{PacketID: 7}}}}
	put := func() error {
		_, err := w.journal.Append(n, func(dst []byte, fresh bool) []byte {
			if fresh {
				w.encoder.forget()
			}
			return w.encoder.encode(dst, []entry{{batch: batch(protocol.Origin{}, nil, values...)}}, said)
		})
		return err
	}
	err := put()
	if errors.Is(err, journal.ErrFull) {
		err = errors.Join(w.journal.Commit(), put())
	}
	if err = errors.Join(err, w.journal.Commit()); err != nil {
		w.t.Fatal(err)
	}
}

// archive closes the journal and looks at it.
func (w *written) archive() *Archive {
	w.t.Helper()
	if err := w.journal.Close(); err != nil {
		w.t.Fatal(err)
	}
	a, err := Look(w.dir)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { a.Close() })
	return a
}

// seqs returns the sequences of a selection, having compared each reading with its
// place.
func seqs(t *testing.T, a *Archive, want Selection) (list []uint64, tally Tally) {
	t.Helper()
	tally, err := a.Readings(t.Context(), want, func(r *protocol.Reading) error {
		if v := r.Metrics[0].Value.Float(); uint64(v)+1 != r.ID.Seq || r.Device.Name != "s1" || len(r.Metrics) != 1 {
			t.Errorf("reading %d is %+v", r.ID.Seq, r)
		}
		list = append(list, r.ID.Seq)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return list, tally
}

func span(from, to uint64) (list []uint64) {
	for ; from < to; from++ {
		list = append(list, from)
	}
	return list
}

func TestSelections(t *testing.T) {
	w := write(t)
	for minute := range 100 {
		w.record(minute, 100)
	}
	a := w.archive()
	if len(a.Segments()) < 2 {
		t.Fatal("all of it is in one segment")
	}
	at := func(minute int) time.Time { return morning.Add(time.Duration(minute) * time.Minute) }
	for _, c := range []struct {
		name     string
		want     Selection
		from, to uint64
	}{
		{"all", Selection{}, 1, 10001},
		{"sequences within a record", Selection{From: 5050, To: 5053}, 5050, 5053},
		{"sequences over records", Selection{From: 5050, To: 7001}, 5050, 7001},
		{"beyond the end", Selection{From: 10001}, 10001, 10001},
		{"nothing between", Selection{From: 50, To: 50}, 50, 50},
		{"backwards", Selection{From: 50, To: 20}, 50, 50},
		{"since a record", Selection{Since: at(60)}, 6001, 10001},
		{"since between records", Selection{Since: at(60).Add(time.Second)}, 6101, 10001},
		{"since before the first", Selection{Since: at(-60)}, 1, 10001},
		{"since after the last", Selection{Since: at(100)}, 10001, 10001},
		{"until a record", Selection{Until: at(3)}, 1, 301},
		{"until before the first", Selection{Until: at(-3)}, 1, 1},
		{"until after the last", Selection{Until: at(300)}, 1, 10001},
		{"hours", Selection{Since: at(3), Until: at(50)}, 301, 5001},
		{"until before since", Selection{Since: at(50), Until: at(3)}, 1, 1},
		{"since and to", Selection{Since: at(3), To: 420}, 301, 420},
		{"device", Selection{Device: "s1", To: 4}, 1, 4},
	} {
		list, tally := seqs(t, a, c.want)
		if !slices.Equal(list, span(c.from, c.to)) || tally != (Tally{Readings: c.to - c.from}) {
			t.Errorf("%s: %d readings %v, %+v; want %d to %d", c.name, len(list), list[:min(len(list), 3)], tally, c.from, c.to)
		}
	}
	if list, tally := seqs(t, a, Selection{Device: "s2"}); list != nil || tally.Passed != 10000 {
		t.Errorf("%v of another device, %+v", list, tally)
	}
}

// TestAtGoesByTheOrderOfTheLog sets the gateway's clock forth and back.
func TestAtGoesByTheOrderOfTheLog(t *testing.T) {
	w := write(t)
	for _, minute := range []int{-30_000_000, 10, 20, 5, 15, 25} {
		w.record(minute, 2)
	}
	a := w.archive()
	for minute, want := range map[int]uint64{-40_000_000: 1, 0: 3, 12: 5, 20: 5, 21: 11, 26: 13} {
		seq, err := a.At(t.Context(), morning.Add(time.Duration(minute)*time.Minute))
		if err != nil || seq != want {
			t.Errorf("at minute %d: %d, %v; want %d", minute, seq, err, want)
		}
	}
	if list, _ := seqs(t, a, Selection{Since: morning.Add(12 * time.Minute)}); !slices.Equal(list, span(5, 13)) {
		t.Errorf("since minute 12: %v", list)
	}
}

// flipIn turns over a bit in the record that holds the sequence.
func (w *written) flipIn(a *Archive, seq uint64) {
	w.t.Helper()
	err := a.Find(w.t.Context(), seq, func(r Record) error {
		path := filepath.Join(w.dir, "journal", r.File)
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		text[r.Offset+r.Bytes-1] ^= 1
		return os.WriteFile(path, text, 0o640)
	}, func(uint64, *protocol.Reading) error { return nil })
	if err != nil {
		w.t.Fatal(err)
	}
}

func TestDamageIsCountedAndNamed(t *testing.T) {
	w := write(t)
	for minute := range 20 {
		w.record(minute, 100)
	}
	a := w.archive()
	verify := func() (list []Finding, totals Totals) {
		totals, err := a.Verify(t.Context(), func(f Finding) { list = append(list, f) }, func(int64, int64) {})
		if err != nil {
			t.Fatal(err)
		}
		return list, totals
	}
	if list, totals := verify(); list != nil || totals.Readings != 2000 || totals.Records != 20 {
		t.Fatalf("%v %+v", list, totals)
	}
	w.flipIn(a, 950)
	if list, totals := verify(); len(list) != 1 || list[0].Readings != 100 || list[0].Offset == 0 || totals.Lost != 100 {
		t.Fatalf("%v %+v", list, totals)
	}
	if list, tally := seqs(t, a, Selection{From: 890, To: 920}); !slices.Equal(list, span(890, 901)) || tally.Missing != 19 {
		t.Fatalf("%v %+v", list, tally)
	}
	if _, tally := seqs(t, a, Selection{From: 920}); tally.Missing != 81 || tally.Readings != 1000 {
		t.Fatalf("%+v", tally)
	}
	var missing []uint64
	err := a.Latest(t.Context(), 11, func(r Record) error { missing = append(missing, r.Missing); return nil })
	if err != nil || !slices.Equal(missing, []uint64{0, 100, 0, 0, 0, 0, 0, 0, 0, 0, 0}) {
		t.Fatalf("%v %v", missing, err)
	}
	err = a.Find(t.Context(), 950, nil, nil)
	if err == nil || !strings.Contains(err.Error(), "damaged") {
		t.Fatalf("a damaged reading: %v", err)
	}

	// The first record declares what the others refer to.
	w.flipIn(a, 50)
	list, totals := verify()
	if len(list) != 3 || list[2].Readings != 1800 || totals.Lost != 2000 {
		t.Fatalf("%v %+v", list, totals)
	}
	if _, tally := seqs(t, a, Selection{}); tally.Missing != 2000 || tally.Readings != 0 {
		t.Fatalf("%+v", tally)
	}
}

func TestRecordsSayWhatTheyHold(t *testing.T) {
	w := write(t)
	for minute := range 100 {
		w.record(minute, 100)
	}
	a := w.archive()
	second := a.Segments()[1]
	var records []Record
	keep := func(r Record) error { records = append(records, r); return nil }
	if err := a.Of(t.Context(), second.Number, 2, keep); err != nil || len(records) != 2 {
		t.Fatalf("%d records, %v", len(records), err)
	}
	first, next := records[0], records[1]
	if first.Seq != second.First || first.Count != 100 || first.Offset != 64 || first.File != second.File || !slices.Equal(first.Devices, []string{"s1"}) || !slices.Equal(first.Metrics, []string{"t"}) {
		t.Errorf("first record: %+v", first)
	}
	if next.Offset != first.Offset+first.Bytes || next.Devices != nil || next.Metrics != nil {
		t.Errorf("second record: %+v", next)
	}
	if n := next.Notes; len(n) != 1 || n[0].Driver != "floor" || !n[0].Lost || !slices.Equal(n[0].Kept, []uint16{7}) {
		t.Errorf("notes: %+v", n)
	}
	for limit, want := range map[uint64]int{1: 1, 20: 20, 60: 60, 100: 100, 1 << 63: 100, 0: 100} {
		records = nil
		if err := a.Latest(t.Context(), limit, keep); err != nil || len(records) != want {
			t.Errorf("latest %d: %d records, %v", limit, len(records), err)
		} else if last := records[want-1]; last.Seq != 9901 || records[0].Seq != uint64(10001-100*want) {
			t.Errorf("latest %d: %d to %d", limit, records[0].Seq, last.Seq)
		}
	}
}

func TestWalksEndWithTheirContext(t *testing.T) {
	w := write(t)
	w.record(0, 3)
	w.record(1, 3)
	a := w.archive()
	reason := errors.New("told to")
	ctx, stop := context.WithCancelCause(t.Context())
	_, err := a.Readings(ctx, Selection{}, func(*protocol.Reading) error { stop(reason); return nil })
	if !errors.Is(err, reason) {
		t.Errorf("readings: %v", err)
	}
	if _, err := a.Verify(ctx, nil, nil); !errors.Is(err, reason) {
		t.Errorf("verify: %v", err)
	}
	if err := a.Latest(ctx, 1, nil); !errors.Is(err, reason) {
		t.Errorf("latest: %v", err)
	}
}

func TestLookMakesNothing(t *testing.T) {
	dir := t.TempDir()
	if _, err := Look(dir); !errors.Is(err, ErrNoJournal) {
		t.Errorf("an empty folder: %v", err)
	}
	if _, err := Reopen(config(dir), nil, slog.New(slog.DiscardHandler)); !errors.Is(err, ErrNoJournal) {
		t.Errorf("an empty folder: %v", err)
	}
	if names, err := os.ReadDir(dir); len(names) > 0 || err != nil {
		t.Errorf("%v, %v", names, err)
	}
}

// TestReplayOfARunningPipeline replays to one of two sinks while readings go on
// coming, from a moment that lies within what both have.
func TestReplayOfARunningPipeline(t *testing.T) {
	c := config(t.TempDir())
	c.Retain = time.Hour
	hub, other := newMemory(), newMemory()
	p := start(t, c, nil, delivered("hub", hub), delivered("other", other))
	emit := func(from, to int) {
		done := make(chan error, 1)
		for i := from; i < to; i++ {
			p.Intake("floor").Emit(batch(protocol.Origin{}, done, float64(2*i), float64(2*i+1)))
			if err := <-done; err != nil {
				t.Fatal(err)
			}
		}
	}
	emit(0, 300)
	moment := time.Now()
	emit(300, 1000)
	hub.wait(t, 2000)
	other.wait(t, 2000)

	a := p.Archive()
	from, err := a.At(t.Context(), moment)
	if err != nil || from != 601 {
		t.Fatalf("begins at %d, %v", from, err)
	}
	again, err := a.Replay("hub", from)
	if err != nil || again == 0 || again > 1400 { // the last batch may not be acknowledged yet
		t.Fatalf("%d readings again, %v", again, err)
	}
	emit(1000, 1200)
	hub.wait(t, 2000+1400+400)
	other.wait(t, 2400)
	p.stop() // balances

	want := append(count(2400)[:2000:2000], count(2400)[600:]...)
	if got := hub.values(); !slices.Equal(sorted(got), sorted(want)) {
		t.Errorf("hub has %d readings, want %d", len(got), len(want))
	}
	if got := other.values(); !slices.Equal(got, count(2400)) {
		t.Errorf("other has %d readings", len(got))
	}
	if d := p.Stats().Deliveries[0]; d.Backfilled != 1400 || d.Delivered != 3800 || d.InJournal != 0 {
		t.Errorf("%+v", d)
	}
}

func sorted(values []float64) []float64 { return slices.Sorted(slices.Values(values)) }

// TestArchiveOutlivesItsSegments reads a view whose segments are deleted meanwhile.
func TestArchiveOutlivesItsSegments(t *testing.T) {
	c := config(t.TempDir())
	dead := newMemory()
	dead.fails(errors.New("down"))
	c.Drain = 0
	p := start(t, c, nil, delivered("hub", dead))
	done := make(chan error, 1)
	for i := range 100 {
		p.Intake("floor").Emit(batch(protocol.Origin{}, done, count(2000)[i:i+200]...))
		<-done
	}
	a := p.Archive()
	segments := a.Segments()
	if len(segments) < 3 {
		t.Fatalf("%d segments", len(segments))
	}
	p.Archive().Trim(segments[2].First)
	tally, err := a.Readings(t.Context(), Selection{}, func(*protocol.Reading) error { return nil })
	if gone := segments[2].First - 1; err != nil || tally.Missing != gone || tally.Readings != 20000-gone {
		t.Errorf("%+v, %v; %d are gone", tally, err, gone)
	}
	_, err = a.Verify(t.Context(), func(f Finding) { t.Errorf("finds %+v", f) }, func(int64, int64) {})
	if err != nil {
		t.Error(err)
	}
}

func TestForgetKeepsWhatIsConfigured(t *testing.T) {
	w := write(t)
	w.record(0, 3)
	if err := w.journal.Close(); err != nil {
		t.Fatal(err)
	}
	for _, sinks := range [][]string{{"hub"}, nil} {
		a, err := Reopen(config(w.dir), sinks, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		if err := a.Forget("hub"); (err != nil) != (sinks != nil) {
			t.Errorf("forget with sinks %v: %v", sinks, err)
		}
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	}
}
