package journal_test

import (
	"encoding/binary"
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"sluice/pipeline/journal"
)

const kib = 1 << 10

func options(dir string) journal.Options {
	return journal.Options{Dir: dir, SegmentSize: 4 * kib, MaxSize: 1 << 20, Log: slog.New(slog.NewTextHandler(io.Discard, nil))}
}

type tb interface {
	Helper()
	Fatalf(format string, args ...any)
}

func open(t tb, o journal.Options) *journal.Journal {
	t.Helper()
	j, err := journal.Open(o)
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	return j
}

// put appends one record of count readings whose payload names its first
// sequence, padded to size bytes.
func put(t tb, j *journal.Journal, count, size int) uint64 {
	t.Helper()
	next := j.Stats().Next
	write := func() (uint64, error) {
		return j.Append(count, func(dst []byte, fresh bool) []byte {
			dst = binary.LittleEndian.AppendUint64(dst, next)
			return append(dst, make([]byte, size)...)
		})
	}
	first, err := write()
	if errors.Is(err, journal.ErrFull) {
		commit(t, j)
		first, err = write()
	}
	if err != nil {
		t.Fatalf("append: %v", err)
	}
	return first
}

func commit(t tb, j *journal.Journal) {
	t.Helper()
	if err := j.Commit(); err != nil {
		t.Fatalf("commit: %v", err)
	}
}

func cursor(t tb, j *journal.Journal, name string, start journal.Start) *journal.Cursor {
	t.Helper()
	c, err := j.Cursor(name, journal.CursorOptions{Start: start})
	if err != nil {
		t.Fatalf("cursor: %v", err)
	}
	return c
}

// read returns the sequences that the cursor hands out, up to what is committed.
func read(t tb, c *journal.Cursor) []uint64 {
	t.Helper()
	var seqs []uint64
	for {
		r, ok, err := c.Next()
		if err != nil {
			t.Fatalf("next: %v", err)
		}
		if !ok {
			return seqs
		}
		if got := binary.LittleEndian.Uint64(r.Payload); got != r.Seq {
			t.Fatalf("record %d holds the payload of %d", r.Seq, got)
		}
		for s := max(r.Seq, r.From); s < r.Seq+uint64(r.Count); s++ {
			seqs = append(seqs, s)
		}
	}
}

func want(t tb, got []uint64, from, to uint64) {
	t.Helper()
	if uint64(len(got)) != to-from {
		t.Fatalf("got %d readings %v, want %d to %d", len(got), got, from, to)
	}
	for i, s := range got {
		if s != from+uint64(i) {
			t.Fatalf("reading %d is %d, want %d", i, s, from+uint64(i))
		}
	}
}

// balance holds the sinks' equation.
func balance(t tb, j *journal.Journal) {
	t.Helper()
	for _, c := range j.Stats().Cursors {
		if c.Carried+c.Journaled+c.Backfilled != c.Delivered+c.DeadLettered+c.Evicted.Total()+c.Damaged+c.InJournal {
			t.Fatalf("unbalanced: %+v", c)
		}
	}
}

func TestReadsWhatIsCommittedAndGoesOnWhereAcknowledged(t *testing.T) {
	o := options(t.TempDir())
	j := open(t, o)
	c := cursor(t, j, "hub", journal.Now)
	for range 100 {
		put(t, j, 3, 100)
		commit(t, j)
	}
	put(t, j, 3, 100) // not committed
	want(t, read(t, c), 1, 301)
	c.Ack(200, journal.Outcome{Delivered: 199})
	balance(t, j)
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}

	j = open(t, o)
	defer j.Close()
	c = cursor(t, j, "hub", journal.Now)
	want(t, read(t, c), 200, 304)
	if s := j.Stats().Cursors[0]; s.Carried != 104 || s.InJournal != 104 {
		t.Fatalf("after reopening: %+v", s)
	}
}

func TestSecondOwnerIsTold(t *testing.T) {
	o := options(t.TempDir())
	j := open(t, o)
	defer j.Close()
	_, err := journal.Open(o)
	if err == nil || !strings.Contains(err.Error(), "held by process") {
		t.Fatalf("second open: %v", err)
	}
}

// lastSegment returns the newest segment file that holds records.
func lastSegment(t *testing.T, dir string, back int) string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "journal", "*.seg"))
	if err != nil || len(names) < back {
		t.Fatalf("segments: %v %v", names, err)
	}
	return names[len(names)-back]
}

func TestTornTailCostsOnlyTheTornRecord(t *testing.T) {
	const header, size = 64, 32 + 8 + 40
	for cut := header + 2*size; cut < header+3*size; cut++ {
		o := options(t.TempDir())
		j := open(t, o)
		cursor(t, j, "hub", journal.Now)
		for range 3 {
			put(t, j, 1, 40)
			commit(t, j)
		}
		j.Close()
		if err := os.Truncate(lastSegment(t, o.Dir, 1), int64(cut)); err != nil {
			t.Fatal(err)
		}
		j = open(t, o)
		put(t, j, 1, 40)
		commit(t, j)
		want(t, read(t, cursor(t, j, "hub", journal.Now)), 1, 4) // 3 is the new one
		balance(t, j)
		j.Close()
	}
}

func TestFlippedBitCostsOnlyItsRecord(t *testing.T) {
	const header, size = 64, 32 + 8 + 40
	for at := header + size; at < header+2*size; at++ {
		o := options(t.TempDir())
		j := open(t, o)
		cursor(t, j, "hub", journal.Now)
		for range 4 {
			put(t, j, 1, 40)
			commit(t, j)
		}
		j.Close()
		f, err := os.OpenFile(lastSegment(t, o.Dir, 1), os.O_RDWR, 0)
		if err != nil {
			t.Fatal(err)
		}
		b := make([]byte, 1)
		f.ReadAt(b, int64(at))
		b[0] ^= 0x10
		f.WriteAt(b, int64(at))
		f.Close()
		j = open(t, o)
		if next := j.Stats().Next; next != 5 {
			t.Fatalf("flip at %d: next is %d, want 5", at, next)
		}
		c := cursor(t, j, "hub", journal.Now)
		got := read(t, c)
		if len(got) != 3 || got[0] != 1 || got[1] != 3 || got[2] != 4 {
			t.Fatalf("flip at %d: got %v, want 1 3 4", at, got)
		}
		c.Ack(5, journal.Outcome{Delivered: 3})
		if s := j.Stats().Cursors[0]; s.Damaged != 1 || s.InJournal != 0 {
			t.Fatalf("flip at %d: %+v", at, s)
		}
		balance(t, j)
		j.Close()
	}
}

func TestFullJournalEvictsTheOldestAndCounts(t *testing.T) {
	o := options(t.TempDir())
	o.MaxSize = 16 * kib
	j := open(t, o)
	defer j.Close()
	slow, fast := cursor(t, j, "slow", journal.Now), cursor(t, j, "fast", journal.Now)
	first := read(t, slow)
	for range 200 {
		put(t, j, 2, 200)
		commit(t, j)
		for _, s := range read(t, fast) {
			fast.Ack(s+1, journal.Outcome{Delivered: 1})
		}
		if len(first) == 0 {
			first = read(t, slow) // in hand while everything behind it goes
		}
	}
	slow.Ack(first[len(first)-1]+1, journal.Outcome{Delivered: uint64(len(first))})
	rest := read(t, slow)
	want(t, rest, rest[0], 401)
	slow.Ack(401, journal.Outcome{Delivered: uint64(len(rest))})
	balance(t, j)
	s := j.Stats()
	if s.Bytes > o.MaxSize {
		t.Fatalf("journal has %d bytes, want at most %d", s.Bytes, o.MaxSize)
	}
	if f := s.Cursors[0]; f.Evicted.Total() != 0 || f.Delivered != 400 {
		t.Fatalf("fast cursor: %+v", f)
	}
	if c := s.Cursors[1]; c.Evicted.Total() == 0 || c.Evicted.Total()+c.Delivered != 400 || c.InJournal != 0 {
		t.Fatalf("slow cursor: %+v", c)
	}
}

// faulty fails writes or syncs when told to.
type faulty struct {
	journal.FS
	fail func(op string) error
}

type faultyFile struct {
	journal.File
	fs *faulty
}

func (f *faulty) Open(name string) (journal.File, error) {
	file, err := f.FS.Open(name)
	return faultyFile{file, f}, err
}

func (f faultyFile) WriteAt(b []byte, off int64) (int, error) {
	if err := f.fs.fail("write"); err != nil {
		n, _ := f.File.WriteAt(b[:len(b)/2], off) // torn
		return n, err
	}
	return f.File.WriteAt(b, off)
}

func (f faultyFile) Sync() error {
	if err := f.fs.fail("sync"); err != nil {
		return err
	}
	return f.File.Sync()
}

func TestFailedWriteOrSyncVoidsWhatWasNotCommitted(t *testing.T) {
	for _, op := range []string{"write", "sync"} {
		o := options(t.TempDir())
		failing := false
		o.FS = &faulty{journal.OS{}, func(did string) error {
			if failing && did == op {
				return errors.New("injected")
			}
			return nil
		}}
		j := open(t, o)
		c := cursor(t, j, "hub", journal.Now)
		put(t, j, 5, 100)
		commit(t, j)
		failing = true
		_, err := j.Append(7, func(dst []byte, _ bool) []byte { return append(dst, "void void void void"...) })
		if err == nil {
			err = j.Commit()
		}
		if err == nil {
			t.Fatalf("%s: no error", op)
		}
		failing = false
		if got := put(t, j, 5, 100); got != 6 {
			t.Fatalf("%s: goes on at %d, want 6", op, got)
		}
		commit(t, j)
		want(t, read(t, c), 1, 11)
		balance(t, j)
		j.Close()
		j = open(t, o)
		want(t, read(t, cursor(t, j, "hub", journal.Now)), 1, 11)
		j.Close()
	}
}

// TestAgainstModel runs random histories of one journal with two cursors and
// compares what they hand out with what was committed.
func TestAgainstModel(t *testing.T) {
	root := t.TempDir()
	runs := 0
	rapid.Check(t, func(rt *rapid.T) {
		runs++
		o := options(filepath.Join(root, string(rune('a'+runs%26)), filepath.Base(t.TempDir())))
		j := open(rt, o)
		names := []string{"one", "two"}
		cursors := []*journal.Cursor{cursor(rt, j, "one", journal.Oldest), cursor(rt, j, "two", journal.Oldest)}
		acked, handed := []uint64{1, 1}, []uint64{1, 1}
		committed, appended := uint64(1), uint64(1)
		rt.Repeat(map[string]func(*rapid.T){
			"append": func(rt *rapid.T) {
				if appended != committed {
					return // put names payloads by the committed end
				}
				count := rapid.IntRange(0, 5).Draw(rt, "count")
				put(rt, j, count, rapid.IntRange(0, 3000).Draw(rt, "size"))
				appended += uint64(count)
			},
			"commit": func(rt *rapid.T) { commit(rt, j); committed = appended },
			"read": func(rt *rapid.T) {
				i := rapid.IntRange(0, 1).Draw(rt, "cursor")
				want(rt, read(rt, cursors[i]), handed[i], committed)
				handed[i] = committed
			},
			"ack": func(rt *rapid.T) {
				i := rapid.IntRange(0, 1).Draw(rt, "cursor")
				to := rapid.Uint64Range(acked[i], handed[i]).Draw(rt, "to")
				cursors[i].Ack(to, journal.Outcome{Delivered: to - acked[i]})
				acked[i] = to
			},
			"reopen": func(rt *rapid.T) {
				if err := j.Close(); err != nil {
					rt.Fatalf("close: %v", err)
				}
				committed = appended // Close commits
				j = open(rt, o)
				for i := range cursors {
					cursors[i] = cursor(rt, j, names[i], journal.Oldest)
					handed[i] = acked[i]
				}
			},
			"tidy": func(*rapid.T) { j.Tidy() },
			"":     func(rt *rapid.T) { balance(rt, j) },
		})
		j.Close()
		os.RemoveAll(o.Dir)
	})
}
