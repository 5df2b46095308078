package journal_test

import (
	"testing"

	"sluice/pipeline/journal"
)

// TestLeftCursor has one reader go on where another left, under another name too.
func TestLeftCursor(t *testing.T) {
	j := open(t, options(t.TempDir()))
	defer j.Close()
	c := cursor(t, j, "a", journal.Oldest)
	for range 100 {
		put(t, j, 5, 200)
		commit(t, j)
	}
	want(t, read(t, c), 1, 501)
	c.Ack(124, journal.Outcome{Delivered: 123})
	c.Damaged(131, 5)
	c.Leave()

	c = cursor(t, j, "a", journal.Oldest)
	again := read(t, c)
	want(t, again[:7], 124, 131)
	want(t, again[7:], 136, 501) // what is known to be damaged does not come again
	if !c.Split() {
		t.Error("what waits cannot become the backlog")
	}
	put(t, j, 5, 200)
	commit(t, j)
	want(t, read(t, c), 501, 506)
	c.Leave()

	b, err := j.Cursor("b", journal.CursorOptions{Was: "a"})
	if err != nil {
		t.Fatal(err)
	}
	if j.Has("a") || !j.Has("b") {
		t.Error("the cursor has not got its new name")
	}
	want(t, read(t, b), 501, 506)
	b.Ack(506, journal.Outcome{Delivered: 5})
	if _, ok, err := b.Backlog().Next(); !ok || err != nil {
		t.Errorf("nothing comes of the backlog: %v", err)
	}
	b.Leave()
	balance(t, j)
	if err := j.Forget("b"); err == nil {
		t.Error("a cursor that a sink has is forgotten")
	}
	j.Disclaim("b")
	if err := j.Forget("b"); err != nil {
		t.Error(err)
	}
}
