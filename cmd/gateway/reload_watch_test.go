package main

import (
	"os"
	"path/filepath"
	"testing"
)

func TestWatchWaitsUntilFilesAreWritten(t *testing.T) {
	path := filepath.Join(t.TempDir(), "config.yaml")
	write := func(text string) {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	w, read := watch{}, []stamp{}
	look := func(what string, want bool) {
		t.Helper()
		if got := w.changed([]string{path}, read); got != want {
			t.Errorf("%s: changed is %v", what, got)
		}
	}
	write("a")
	read = stampsOf([]string{path})
	look("the first look", false)
	look("nothing has happened", false)
	write("ab")
	look("just written", false)
	write("abc")
	look("written again", false)
	look("written to its end", true)
	read = stampsOf([]string{path})
	look("taken", false)
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	look("removed", false)
	look("it stays away", true)
}
