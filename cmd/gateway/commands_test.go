package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// TestEveryCommandIsShown wants of each command an example in its help, and a
// script that calls it.
func TestEveryCommandIsShown(t *testing.T) {
	scripts, err := filepath.Glob("testdata/script/*.txtar")
	if err != nil || len(scripts) == 0 {
		t.Fatal(scripts, err)
	}
	var all strings.Builder
	for _, path := range scripts {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(text)
	}
	var walk func(c *cobra.Command)
	walk = func(c *cobra.Command) {
		for _, sub := range c.Commands() {
			walk(sub)
		}
		path := c.CommandPath()
		if !c.Runnable() || c.HasSubCommands() && c.RunE == nil || !c.HasParent() || c.Name() == "help" || strings.Contains(path, " completion") {
			return
		}
		if c.Example == "" {
			t.Errorf("%s has no example", path)
		}
		if !strings.Contains(all.String(), path) {
			t.Errorf("%s is called by no script", path)
		}
	}
	walk(rootCommand())
}
