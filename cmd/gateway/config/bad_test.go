package config

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestBadFiles reads files with mistakes. Each ends with lines "# want L:C:
// message", one per problem, which are not part of what is parsed.
func TestBadFiles(t *testing.T) {
	t.Setenv("SLUICE_TEST_SECRET", "hunter2")
	paths, err := filepath.Glob("testdata/bad/*.yaml")
	if err != nil || len(paths) < 80 {
		t.Fatalf("found %d bad files (%v), want at least 80", len(paths), err)
	}
	for _, path := range paths {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".yaml"), func(t *testing.T) {
			text, want := splitWants(t, path)
			_, err := Parse("f", []byte(text), Options{})
			got := ""
			var problems Problems
			if errors.As(err, &problems) {
				got = strings.ReplaceAll(problems.Error(), "f:", "")
			}
			if got != want {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
		})
	}
}

func splitWants(t *testing.T, path string) (text, want string) {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	text = string(content)
	const mark = "# want "
	i := strings.Index(text, mark)
	if i < 0 {
		t.Fatalf("%s says nothing of what is wrong", path)
	}
	want = strings.TrimPrefix(strings.TrimSpace(text[i:]), mark)
	return text[:i], strings.ReplaceAll(want, "\n"+mark, "\n")
}
