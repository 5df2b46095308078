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
	want(t, read(t, c), 0, 500)
	c.Ack(123, journal.Outcome{Delivered: 123})
	c.Damaged(130, 3)
	c.Leave()

	c = cursor(t, j, "a", journal.Oldest)
	again := read(t, c) // what is damaged is found out again, and counted once
	want(t, again, 123, 500)
	c.Damaged(130, 3)
	if !c.Split() {
		t.Error("what waits cannot become the backlog")
	}
	put(t, j, 5, 200)
	commit(t, j)
	want(t, read(t, c), 500, 505)
	c.Leave()

	b, err := j.Cursor("b", journal.CursorOptions{Was: "a"})
	if err != nil {
		t.Fatal(err)
	}
	if j.Has("a") || !j.Has("b") {
		t.Error("the cursor has not got its new name")
	}
	want(t, read(t, b), 500, 505)
	b.Ack(505, journal.Outcome{Delivered: 5})
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
