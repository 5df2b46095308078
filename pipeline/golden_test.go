package pipeline

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"testing"
	"time"

	"sluice/pipeline/journal"
	"sluice/protocol"
)

// testdata/golden/N holds a journal with payloads of version N and the readings in
// it. Every release has to decode all of them, for ever. A release with a payload
// of its own adds one:
//
//	SLUICE_GOLDEN=new go test -run Golden ./pipeline/...
const golden = "testdata/golden"

func TestGoldenReadingsAreDecoded(t *testing.T) {
	if os.Getenv("SLUICE_GOLDEN") == "new" {
		writeGolden(t, filepath.Join(golden, fmt.Sprint(payloadVersion)))
	}
	if _, err := os.Stat(filepath.Join(golden, fmt.Sprint(payloadVersion))); err != nil {
		t.Errorf("there is no golden journal of what this release writes: %v", err)
	}
	versions, err := os.ReadDir(golden)
	if err != nil {
		t.Fatal(err)
	}
	for _, version := range versions {
		t.Run("version "+version.Name(), func(t *testing.T) {
			from := filepath.Join(golden, version.Name())
			expected, err := os.ReadFile(filepath.Join(from, "expected.txt"))
			if err != nil {
				t.Fatal(err)
			}
			dir := t.TempDir()
			if err := os.CopyFS(dir, os.DirFS(from)); err != nil {
				t.Fatal(err)
			}
			got := goldenReadings(t, dir)
			if bytes.Equal(got, expected) {
				return
			}
			wants, gots := bytes.Split(expected, []byte("\n")), bytes.Split(got, []byte("\n"))
			for i := range min(len(wants), len(gots)) {
				if !bytes.Equal(gots[i], wants[i]) {
					t.Errorf("line %d is\n%s\nwant\n%s", i+1, gots[i], wants[i])
				}
			}
			if len(gots) != len(wants) {
				t.Errorf("%d lines, want %d", len(gots), len(wants))
			}
		})
	}
}

// goldenReadings writes down every reading and note of the journal in dir, and the
// kinds of the values, which JSON does not tell.
func goldenReadings(t *testing.T, dir string) []byte {
	v, done, err := journal.Look(dir, journal.OS{})
	if err != nil {
		t.Fatal(err)
	}
	defer done()
	var text []byte
	dec := newDecoder()
	err = v.Records(0, func(rec journal.Record) error {
		if err := dec.begin(rec); err != nil {
			return err
		}
		text = append(text, goldenNotes(t, rec)...)
		for {
			var m protocol.Reading
			_, ok, err := dec.next(&m)
			if err != nil || !ok {
				return err
			}
			text = protocol.AppendJSON(text, &m)
			for _, metric := range m.Metrics {
				text = append(text, ' ')
				text = append(text, metric.Value.Kind().String()...)
			}
			text = append(text, '\n')
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func goldenNotes(t *testing.T, rec journal.Record) (text []byte) {
	r := reader{b: rec.Payload}
	notesOf(&r, func(n note) {
		line, err := json.Marshal(map[string]any{"note": n.driver, "lost": n.lost, "acked": n.acked, "kept": n.kept})
		if err != nil {
			t.Fatal(err)
		}
		text = append(append(text, line...), '\n')
	})
	return text
}

// notesOf calls each for the notes of a whole payload.
func notesOf(r *reader, each func(note)) {
	r.byte()
	r.uvarint()
	dec := newDecoder()
	dec.r = *r
	dec.learnDevices()
	dec.learnMetrics()
	readNotes(&dec.r, each)
}

// writeGolden writes a journal with everything a payload can hold, unless there is
// one.
func writeGolden(t *testing.T, dir string) {
	if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
		t.Fatalf("%s is there already: %v", dir, err)
	}
	o := journal.Options{Dir: dir, SegmentSize: 4 << 10, MaxSize: 1 << 20, Volatile: 6 << 10, NoSync: true, Log: slog.New(slog.DiscardHandler)}
	round := 0
	for process := range 2 {
		j, err := journal.Open(o)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"hub", "history"} {
			if _, err := j.Cursor(name, journal.CursorOptions{Start: journal.Oldest}); err != nil {
				t.Fatal(err)
			}
		}
		enc := newEncoder()
		for range 12 {
			goldenRecord(t, j, enc, round)
			round++
		}
		if process == 1 {
			j.Degrade() // what memory does not take leaves a gap
			enc.forget()
			for range 30 {
				goldenRecord(t, j, enc, round)
				round++
			}
			enc.forget()
			if err := j.Restore(); err != nil {
				t.Fatal(err)
			}
			goldenRecord(t, j, enc, round)
		}
		if err := j.Close(); err != nil {
			t.Fatal(err)
		}
	}
	text := goldenReadings(t, dir)
	for _, name := range []string{"LOCK", "journal/spare"} {
		if err := os.Remove(filepath.Join(dir, name)); err != nil && !errors.Is(err, os.ErrNotExist) {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "expected.txt"), text, 0o640); err != nil {
		t.Fatal(err)
	}
}

func goldenRecord(t *testing.T, j *journal.Journal, enc *encoder, round int) {
	b := goldenBatch(round)
	o := func(id uint16) protocol.Origin {
		return protocol.Origin{Driver: "floor", PacketID: id, Hash: uint64(id) << 40}
	}
	notes := []note{{driver: "floor", lost: round%5 == 0, acked: []protocol.Origin{o(uint16(round))}, kept: []protocol.Origin{o(uint16(round + 1)), o(65535)}}}
	if round%3 == 1 {
		notes = append(notes, note{driver: "", kept: []protocol.Origin{{PacketID: 7, Hash: math.MaxUint64}}})
	}
	write := func() error {
		_, err := j.Append(len(b.Readings), func(dst []byte, fresh bool) []byte {
			if fresh {
				enc.forget()
			}
			return enc.encode(dst, []entry{{batch: b}}, notes)
		})
		return err
	}
	err := write()
	if errors.Is(err, journal.ErrFull) {
		enc.forget()
		err = write()
	}
	if err = errors.Join(err, j.Commit()); err != nil {
		t.Fatal(err)
	}
}

// goldenBatch returns readings of every kind; every fourth batch has none, for notes
// alone.
func goldenBatch(round int) *protocol.Batch {
	if round%4 == 3 {
		return &protocol.Batch{}
	}
	plain := &protocol.Device{Name: "plain"}
	tagged := &protocol.Device{Name: fmt.Sprint("Wärme/", round%3), Profile: "climate", Driver: "floor", Tags: []protocol.Tag{{Key: "area", Value: "gate \"7\""}, {Key: "leer"}}}
	at := protocol.At(time.Date(2026, 11, 22, 10, 0, round, 123456789, time.UTC))
	value := func(name, unit string, v protocol.Value, q protocol.Quality) protocol.Metric {
		return protocol.Metric{Name: name, Unit: unit, Value: v, Quality: q}
	}
	return &protocol.Batch{Readings: []protocol.Reading{
		{Device: tagged, ReceivedTime: at, SourceTime: at - 1_500_000_000, Metrics: []protocol.Metric{
			value("temperature", "°C", protocol.Float(21.5+float64(round)), protocol.Good),
			value("negative zero", "", protocol.Float(math.Copysign(0, -1)), protocol.Uncertain),
			value("nothing", "V", protocol.Value{}, protocol.Bad),
			value("door", "", protocol.Bool(round%2 == 0), protocol.Good),
		}},
		{Device: plain, ReceivedTime: at + 1, Metrics: []protocol.Metric{
			value("least", "", protocol.Int(math.MinInt64), protocol.Good),
			value("most", "", protocol.Uint(math.MaxUint64), protocol.Good),
			value("temperature", "", protocol.Int(int64(-round)), protocol.Good), // another unit
			value("text", "", protocol.String("grün\n\x00"), protocol.Bad),
			value("empty", "", protocol.String(""), protocol.Good),
			value("raw", "", protocol.Bytes("\x00\xff\x80SL"), protocol.Good),
		}},
		{Device: plain, ReceivedTime: protocol.At(time.Unix(60, 0)), ClockUnset: true, Metrics: []protocol.Metric{
			value("not a number", "", protocol.Float(math.NaN()), protocol.Good),
			value("endless", "", protocol.Float(math.Inf(-1)), protocol.Good),
			value("odd", "", protocol.Float(math.SmallestNonzeroFloat64), protocol.Good),
		}},
		{Device: tagged, ReceivedTime: at, SourceTime: protocol.At(time.Date(1969, 7, 20, 20, 17, 40, 0, time.UTC)), ClockUnset: true, Metrics: []protocol.Metric{
			value("", "", protocol.Uint(0), protocol.Good),
		}},
	}}
}
