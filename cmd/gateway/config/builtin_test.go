package config

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"

	"sluice/protocol/payload/dsmr"
	"sluice/protocol/payload/vedirect"
)

// TestBuiltins: every file parses and says what it is for.
func TestBuiltins(t *testing.T) {
	entries, err := builtinFiles.ReadDir("builtin")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		text, err := builtinFiles.ReadFile("builtin/" + e.Name())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := ParseProfile(e.Name(), text); err != nil {
			t.Errorf("%v", err)
		}
		if !strings.HasPrefix(string(text), "# ") || !strings.Contains(string(text), "profile: builtin/"+strings.TrimSuffix(e.Name(), ".yaml")) {
			t.Errorf("%s does not say what it is for, or how a device names it", e.Name())
		}
	}
	if got := len(Builtins()); got != len(entries) {
		t.Errorf("%d profiles of %d files", got, len(entries))
	}
}

// TestBuiltinTables holds the two profiles that are tables against the packages
// which have them. With SLUICE_BUILTIN=new it writes them.
func TestBuiltinTables(t *testing.T) {
	for file, want := range map[string]string{"builtin/dsmr.yaml": dsmrProfile(), "builtin/victron.yaml": victronProfile()} {
		if os.Getenv("SLUICE_BUILTIN") == "new" {
			if err := os.WriteFile(file, []byte(want), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if got, err := os.ReadFile(file); err != nil || string(got) != want {
			t.Errorf("%s is not what its package says (%v): SLUICE_BUILTIN=new go test -run BuiltinTables ./cmd/gateway/config", file, err)
		}
	}
}

func dsmrProfile() string {
	var b bytes.Buffer
	b.WriteString(`# Smart meters with a P1 port: DSMR 2.2 to 5, and its kin in Belgium and Luxembourg.
#
#   - {via: PORT, profile: builtin/dsmr, device: meter-1}
#
# The port is 115200 8N1, or 9600 7E1 before DSMR 4; it is read as telegrams
# without more being said. Codes that have no name here keep their own.
decode: dsmr
others: keep
metrics:
`)
	taken := map[string]bool{}
	for _, w := range dsmr.Words() {
		if !taken[w.Name] { // the first is that of most meters
			fmt.Fprintf(&b, "  %s: {path: %q}\n", w.Name, w.Code)
		}
		taken[w.Name] = true
	}
	return b.String()
}

func victronProfile() string {
	var b bytes.Buffer
	b.WriteString(`# Victron devices on VE.Direct: solar chargers, battery monitors, inverters.
#
#   - {via: PORT, profile: builtin/victron, device: mppt-1}
#
# The port is 19200 8N1; it is read as blocks without more being said.
decode: vedirect
others: keep
metrics:
`)
	for _, l := range vedirect.Labels() {
		fmt.Fprintf(&b, "  %s: {path: %q", l.Name, l.Label)
		if l.Unit != "" {
			fmt.Fprintf(&b, ", unit: %q", l.Unit)
		}
		if l.Scale != 0 && l.Scale != 1 {
			fmt.Fprintf(&b, ", scale: %s", strconv.FormatFloat(l.Scale, 'f', -1, 64))
		}
		b.WriteString("}\n")
	}
	return b.String()
}
