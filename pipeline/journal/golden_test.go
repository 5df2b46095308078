package journal_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"sluice/pipeline/journal"
)

// testdata/golden/N holds a journal of format N and what is in it. Every release
// has to read all of them, for ever. A release with a format of its own adds one:
//
//	SLUICE_GOLDEN=new go test -run Golden ./pipeline/...
//
// which writes the folder of the present format and leaves what exists alone.
const golden = "testdata/golden"

func TestGoldenJournalsAreRead(t *testing.T) {
	if os.Getenv("SLUICE_GOLDEN") == "new" {
		writeGolden(t, filepath.Join(golden, fmt.Sprint(journal.FormatVersion)))
	}
	formats, err := os.ReadDir(golden)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(golden, fmt.Sprint(journal.FormatVersion))); err != nil {
		t.Errorf("there is no golden journal of what this release writes: %v", err)
	}
	for _, format := range formats {
		t.Run("format "+format.Name(), func(t *testing.T) { readGolden(t, filepath.Join(golden, format.Name())) })
	}
}

func readGolden(t *testing.T, from string) {
	expected, err := os.ReadFile(filepath.Join(from, "expected.ndjson"))
	if err != nil {
		t.Fatal(err)
	}
	o := calmOptions(t.TempDir())
	if err := os.CopyFS(o.Dir, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
	v, done, err := journal.Look(o.Dir, calm{})
	if err != nil {
		t.Fatal(err)
	}
	if got := goldenText(t, v); !bytes.Equal(got, expected) {
		t.Errorf("holds\n%s\nwant\n%s", got, expected)
	}
	done()

	j := open(t, o)
	defer j.Close()
	if r := j.Stats().Repairs; len(r) > 0 {
		t.Errorf("opening repairs %v", r)
	}
	last := uint64(0)
	for name, from := range map[string]uint64{"hub": 101, "history": 1} {
		c := cursor(t, j, name, journal.Now)
		if s := stats(t, j, name); s.Position != from || s.Carried != j.Stats().Next-from {
			t.Errorf("%+v, want position %d", s, from)
		}
		got := read(t, c)
		last = got[len(got)-1]
		if got[0] != from || last != j.Stats().Next-1 {
			t.Errorf("%s gets%s", name, ranges(got))
		}
		c.Ack(last+1, journal.Outcome{Delivered: uint64(len(got))})
		if s := stats(t, j, name); s.InJournal > 0 || s.Evicted.Total() > 0 {
			t.Errorf("%+v", s)
		}
	}
	if first := put(t, j, 1, 40); first != last+1 {
		t.Errorf("goes on at %d, want %d", first, last+1)
	}
	commit(t, j)
}

// goldenText writes down all that a journal holds.
func goldenText(t *testing.T, v *journal.View) []byte {
	var text bytes.Buffer
	line := func(what string, x any) {
		b, err := json.Marshal(map[string]any{what: x})
		if err != nil {
			t.Fatal(err)
		}
		text.Write(append(b, '\n'))
	}
	for _, c := range v.Cursors {
		line("cursor", []any{c.Name, c.Position})
	}
	for _, s := range v.Segments {
		line("segment", []any{s.File, s.Number, fmt.Sprintf("%016x", s.Epoch), s.First})
	}
	for _, r := range recordsOf(t, v) {
		line("record", map[string]any{
			"segment": r.Segment, "epoch": fmt.Sprintf("%016x", r.Epoch), "seq": r.Seq, "count": r.Count,
			"accepted": r.Accepted.UnixNano(), "bytes": len(r.Payload), "crc32c": journal.Checksum(0, r.Payload),
		})
	}
	totals := v.Verify(func(f journal.Finding) { line("finding", []any{f.File, f.Offset, f.Readings}) })
	line("totals", totals)
	return text.Bytes()
}

// writeGolden makes a journal of several segments and processes, with a gap that
// an outage left, and keeps it with what it holds, unless there is one.
func writeGolden(t *testing.T, dir string) {
	if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
		t.Fatalf("%s is there already: %v", dir, err)
	}
	o := calmOptions(dir)
	o.Volatile = 8 * kib
	j := open(t, o)
	hub := cursor(t, j, "hub", journal.Oldest)
	cursor(t, j, "history", journal.Oldest)
	write := func(records, size int) {
		for range records {
			put(t, j, perRecord, size)
			commit(t, j)
		}
	}
	write(40, 200)
	put(t, j, 0, 30) // notes alone
	commit(t, j)
	hub.Ack(101, journal.Outcome{Delivered: 100})
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	j = open(t, o)
	write(10, 100)
	j.Degrade()
	write(150, 50) // more than memory takes
	if err := j.Restore(); err != nil {
		t.Fatal(err)
	}
	write(1, 3000)
	write(3, 1)
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	v, done, err := journal.Look(dir, calm{})
	if err != nil {
		t.Fatal(err)
	}
	text := goldenText(t, v)
	done()
	for _, name := range []string{"LOCK", "journal/spare"} {
		if err := os.Remove(filepath.Join(dir, name)); err != nil && !errors.Is(err, os.ErrNotExist) {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "expected.ndjson"), text, 0o640); err != nil {
		t.Fatal(err)
	}
}
