package journal_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"sluice/pipeline/journal"
)

// TestBigJournalOpensAtOnce opens a journal of 1 GB under one kind of damage after
// another. It is run with SLUICE_BIG=1.
func TestBigJournalOpensAtOnce(t *testing.T) {
	if os.Getenv("SLUICE_BIG") == "" {
		t.Skip("SLUICE_BIG is not set")
	}
	b := newBigBase(t)
	names := b.segments()
	end := names[len(names)-1]
	middle := names[len(names)/2]
	each := func(do func(f folder, name string)) func(folder) {
		return func(f folder) {
			for _, name := range names {
				do(f, name)
			}
		}
	}
	slowest, slowestName := time.Duration(0), ""
	for name, apply := range map[string]func(folder){
		"none":                    func(folder) {},
		"tail torn":               func(f folder) { f.cut(end, 3<<20+17) },
		"tail of zeros":           func(f folder) { f.zero(end, 1<<20, 4<<20) },
		"last segment of zeros":   func(f folder) { f.zero(end, headerSize, 4<<20) },
		"bit in the last segment": func(f folder) { f.flip(end, 100<<10) },
		"bit in its header":       func(f folder) { f.flip(end, 20) },
		"bit in every header":     each(func(f folder, name string) { f.flip(name, 20) }),
		"every header spoilt":     each(func(f folder, name string) { f.zero(name, 0, 32) }),
		"32 segments without record": func(f folder) {
			for _, name := range names[len(names)-32:] {
				f.zero(name, headerSize, 4<<20)
			}
		},
		"first missing":  func(f folder) { f.remove(names[0]) },
		"middle missing": func(f folder) { f.remove(middle) },
		"last missing":   func(f folder) { f.remove(end) },
		"empty files":    each(func(f folder, name string) { f.cut(name, 0) }),
		"cursor lost":    func(f folder) { f.zero("cursors/hub.cursor", 0, 1024) },
		"cursor ahead":   func(f folder) { f.write("cursors/hub.cursor", journal.Slots(1<<40)) },
		"no spare":       func(f folder) { f.remove("journal/spare") },
		"clock damaged":  func(f folder) { f.zero("journal/clock", 0, 1024) },
		"last segment of magics": func(f folder) {
			text := f.read(end)
			copy(text[headerSize:], bytes.Repeat([]byte("SL"), (len(text)-headerSize)/2))
			f.write(end, text)
		},
		"last segment of beginnings": func(f folder) {
			text := f.read(end)
			first := binary.LittleEndian.Uint64(text[24:])
			for at := headerSize; at+32 < len(text); at += 32 {
				copy(text[at:], journal.EncodeRecord(1, 0, first, 1, nil))
				binary.LittleEndian.PutUint32(text[at+4:], uint32(len(text)-at-32))
			}
			f.write(end, text)
		},
	} {
		f := b.link(t)
		apply(f)
		o := calmOptions(f.dir)
		o.SegmentSize, o.MaxSize = b.options.SegmentSize, b.options.MaxSize
		began := time.Now()
		j := open(t, o)
		took := time.Since(began)
		t.Logf("%-30s %8v  %v", name, took.Round(time.Millisecond), j.Stats().Repairs)
		if took > slowest {
			slowest, slowestName = took, name
		}
		j.Close()
		os.RemoveAll(f.dir)
	}
	t.Logf("slowest: %v, %s", slowest, slowestName)
	if slowest > time.Second {
		t.Errorf("opens in %v: %s", slowest, slowestName)
	}
}

// bigBase is a journal of 1 GB.
type bigBase struct {
	t       *testing.T
	options journal.Options
}

func newBigBase(t *testing.T) bigBase {
	o := calmOptions(t.TempDir())
	o.SegmentSize, o.MaxSize = 4<<20, 2<<30
	j := open(t, o)
	cursor(t, j, "hub", journal.Oldest)
	for j.Stats().Bytes < 1<<30 {
		put(t, j, 100, 5000)
		commit(t, j)
	}
	j.Tidy()
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	return bigBase{t, o}
}

// segments returns the names of the segments in the folder.
func (b bigBase) segments() (names []string) {
	list, err := filepath.Glob(filepath.Join(b.options.Dir, "journal", "*.seg"))
	if err != nil || len(list) < 200 {
		b.t.Fatalf("%d segments, %v", len(list), err)
	}
	for _, path := range list {
		names = append(names, "journal/"+filepath.Base(path))
	}
	return names
}

// link makes another folder of the same files. What the journal itself changes is
// copied.
func (b bigBase) link(t *testing.T) folder {
	dir, err := os.MkdirTemp(filepath.Dir(b.options.Dir), "big")
	if err != nil {
		t.Fatal(err)
	}
	f := folder{t, dir}
	names := b.segments()
	f.mkdir("journal")
	f.mkdir("cursors")
	for _, name := range names[:len(names)-1] {
		f.must(os.Link(filepath.Join(b.options.Dir, name), f.path(name)))
	}
	for _, name := range []string{names[len(names)-1], "journal/spare", "journal/clock", "cursors/hub.cursor"} {
		text, err := os.ReadFile(filepath.Join(b.options.Dir, name))
		if err != nil {
			t.Fatal(fmt.Errorf("copy %s: %w", name, err))
		}
		f.write(name, text)
	}
	return f
}
