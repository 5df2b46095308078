package journal_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sluice/pipeline/journal"
)

// choosy fails operations on files as told.
type choosy struct {
	journal.FS
	fail func(op, name string) error
}

type choosyFile struct {
	journal.File
	fs   *choosy
	name string
}

func (c *choosy) Create(name string) (journal.File, error) {
	if err := c.fail("create", filepath.Base(name)); err != nil {
		return nil, err
	}
	return c.FS.Create(name)
}

func (c *choosy) Open(name string) (journal.File, error) {
	f, err := c.FS.Open(name)
	return choosyFile{f, c, filepath.Base(name)}, err
}

func (f choosyFile) ReadAt(b []byte, off int64) (int, error) {
	if err := f.fs.fail("read", f.name); err != nil && off > 0 {
		return 0, err
	}
	return f.File.ReadAt(b, off)
}

func (f choosyFile) Sync() error {
	if err := f.fs.fail("sync", f.name); err != nil {
		return err
	}
	return f.File.Sync()
}

var errInjected = errors.New("injected")

// filled returns the options of a closed journal with n readings for "hub".
func filled(t *testing.T, n int) journal.Options {
	t.Helper()
	o := options(t.TempDir())
	j := open(t, o)
	cursor(t, j, "hub", journal.Now)
	for range n {
		put(t, j, 1, 40)
		commit(t, j)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	return o
}

func TestFailingReadAtOpenLosesNothing(t *testing.T) {
	o := filled(t, 10)
	failing := true
	o.FS = &choosy{journal.OS{}, func(op, name string) error {
		if failing && op == "read" && strings.HasSuffix(name, ".seg") {
			return errInjected
		}
		return nil
	}}
	j := open(t, o)
	failing = false
	want(t, read(t, cursor(t, j, "hub", journal.Now)), 1, 11)
	j.Close()
}

func TestFailingReadIsTriedAgain(t *testing.T) {
	o := filled(t, 10)
	failures := 0
	o.FS = &choosy{journal.OS{}, func(op, name string) error {
		if failures > 0 && op == "read" && strings.HasSuffix(name, ".seg") {
			failures--
			return errInjected
		}
		return nil
	}}
	j := open(t, o)
	defer j.Close()
	c := cursor(t, j, "hub", journal.Now)
	failures = 2
	for range 2 {
		if _, _, err := c.Next(); !errors.Is(err, errInjected) {
			t.Fatalf("Next = %v, want the error of the disk", err)
		}
	}
	want(t, read(t, c), 1, 11)
	if s := j.Stats().Cursors[0]; s.Damaged > 0 {
		t.Fatalf("%+v", s)
	}
}

func TestCursorBeyondTheEndMovesTheEnd(t *testing.T) {
	o := filled(t, 10)
	j := open(t, o)
	c := cursor(t, j, "hub", journal.Now)
	read(t, c)
	for range 10 {
		put(t, j, 1, 40)
		commit(t, j)
	}
	read(t, c)
	c.Ack(21, journal.Outcome{Delivered: 20})
	j.Close()
	if err := os.Truncate(lastSegment(t, o.Dir, 1), 64); err != nil { // the end was never written
		t.Fatal(err)
	}
	j = open(t, o)
	defer j.Close()
	if first := put(t, j, 1, 40); first != 21 {
		t.Fatalf("goes on at %d, want 21: what comes would count as delivered", first)
	}
}

func TestRestartsEvictNothing(t *testing.T) {
	o := options(t.TempDir())
	o.MaxSize = 16 * kib
	for i := range uint64(40) {
		j := open(t, o)
		cursor(t, j, "hub", journal.Oldest)
		if first := put(t, j, 1, 40); first != i+1 {
			t.Fatalf("restart %d goes on at %d", i, first)
		}
		commit(t, j)
		j.Close()
	}
	j := open(t, o)
	defer j.Close()
	want(t, read(t, cursor(t, j, "hub", journal.Now)), 1, 41)
}

func TestFullDiskAtStartStillDelivers(t *testing.T) {
	o := filled(t, 10)
	if err := os.Remove(filepath.Join(o.Dir, "journal", "spare")); err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	full := true
	o.FS = &choosy{journal.OS{}, func(op, name string) error {
		if full && op == "create" && strings.HasPrefix(name, "spare") {
			return errInjected
		}
		return nil
	}}
	j := open(t, o)
	defer j.Close()
	c := cursor(t, j, "hub", journal.Now)
	want(t, read(t, c), 1, 11)
	if _, err := j.Append(1, func(b []byte, _ bool) []byte { return b }); err == nil {
		t.Fatal("appends to a full disk")
	}
	full = false
	if first := put(t, j, 1, 40); first != 11 {
		t.Fatalf("goes on at %d, want 11", first)
	}
	commit(t, j)
	want(t, read(t, c), 11, 12)
}

func TestCloseDoesNotKeepWhatCommitRefused(t *testing.T) {
	o := filled(t, 10)
	failing := false
	o.FS = &choosy{journal.OS{}, func(op, name string) error {
		if failing && op == "sync" {
			return errInjected
		}
		return nil
	}}
	j := open(t, o)
	put(t, j, 1, 40)
	failing = true
	if err := j.Commit(); err == nil {
		t.Fatal("commits although the sync fails")
	}
	failing = false
	if err := j.Close(); err == nil {
		t.Error("closes a broken segment without a word")
	}
	if next := j.Stats().Next; next != 11 {
		t.Fatalf("next is %d after closing, want 11", next)
	}
}
