package main

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// TestOperationsNameMetricsThatExist holds the alarms of docs/operations.md to
// what is exported.
func TestOperationsNameMetricsThatExist(t *testing.T) {
	doc, err := os.ReadFile("../../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	source, err := os.ReadFile("metrics.go")
	if err != nil {
		t.Fatal(err)
	}
	names := regexp.MustCompile(`sluice_([a-z_]+)`).FindAllStringSubmatch(string(doc), -1)
	if len(names) < 10 {
		t.Errorf("found %d metrics", len(names))
	}
	for _, name := range names {
		if !strings.Contains(string(source), `desc("`+name[1]+`"`) {
			t.Errorf("docs/operations.md speaks of %s, which there is not", name[0])
		}
	}
}
