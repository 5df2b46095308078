package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sluice/cmd/gateway/config"
)

func TestProblemsAreShownAtTheirPlaces(t *testing.T) {
	path := filepath.Join(t.TempDir(), "c.yaml")
	long := strings.Repeat("x", 200)
	if err := os.WriteFile(path, []byte("gateway: ä\tb\r\ntopik: 1\n"+long+"!"+long+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	problems := config.Problems{
		{File: path, Line: 1, Column: 12, Message: "after a tab"},
		{File: path, Line: 2, Column: 1, Message: `unknown key "topik"`},
		{File: path, Line: 3, Column: 201, Message: "far to the right"},
		{File: path, Line: 4, Column: 1, Message: "at the end"},
		{File: "nowhere.yaml", Line: 7, Column: 1, Message: "in a file that is gone"},
	}
	want := `c.yaml:1:12: after a tab
    1 | gateway: ä b
      |            ^
c.yaml:2:1: unknown key "topik"
    2 | topik: 1
      | ^
c.yaml:3:201: far to the right
    3 | ` + long[:50] + "!" + long[:49] + `
      | ` + strings.Repeat(" ", 50) + `^
c.yaml:4:1: at the end
nowhere.yaml:7:1: in a file that is gone
`
	got := strings.ReplaceAll(illustrate(problems, false), filepath.Dir(path)+"/", "")
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if coloured := illustrate(problems[1:2], true); !strings.Contains(coloured, "\x1b[31m^\x1b[0m") {
		t.Errorf("got %q", coloured)
	}
}
