package main

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// TestExamplePlant holds an installation of some size to a file of a page, and
// rehearses it with all its devices.
func TestExamplePlant(t *testing.T) {
	const path, mostLines = "../../docs/examples/plant.yaml", 55
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(text), "\n"); n > mostLines {
		t.Errorf("%s has %d lines, want %d at most", path, n, mostLines)
	}
	program, err := buildGateway()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program, "rehearse", "--for", "3s", "--devices", "100", "--rate", "500", "--json", path)
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), `"devices":111,`) || !strings.Contains(string(out), `"ok":true`) {
		t.Errorf("%v: %s", err, out)
	}
}
