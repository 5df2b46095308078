package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sluice/cmd/gateway/config"
	"sluice/cmd/gateway/standin"
)

// TestRehearsalFindsWhatIsAmiss lets readings of Modbus devices be lost and
// changed between the sink and the ledger: the verdict has to say so.
func TestRehearsalFindsWhatIsAmiss(t *testing.T) {
	for name, c := range map[string]struct {
		tamper func(n int, line string) string // "" loses the reading
		want   string
	}{
		"nothing": {func(_ int, line string) string { return line }, `"ok":true}`},
		"lost": {func(n int, line string) string {
			if n == 5 {
				return ""
			}
			return line
		}, `"lost":1`},
		"changed": {func(n int, line string) string {
			if n == 5 {
				return strings.Replace(line, `"count":`, `"count":7`, 1)
			}
			return line
		}, `"unexpected":1`},
		"doubled": {func(n int, line string) string {
			if n == 5 {
				return line + "\n" + line
			}
			return line
		}, `"duplicates":1`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			out, err := rehearseTampered(t, c.tamper)
			if !strings.Contains(out, c.want) {
				t.Errorf("the accounts lack %s: %s", c.want, out)
			}
			var told toldError
			if failed := errors.As(err, &told); failed != (name != "nothing") || err != nil && !failed {
				t.Errorf("the verdict is %v", err)
			}
		})
	}
}

// rehearseTampered rehearses two meters by TCP, with a file whose lines pass
// through tamper before the ledger hears of them.
func rehearseTampered(t *testing.T, tamper func(n int, line string) string) (out string, err error) {
	t.Helper()
	f, err := config.Parse(filepath.Join(t.TempDir(), "config.yaml"), []byte(`
gateway: plant-7
http: {listen: 127.0.0.1:0}
drivers: {plc: {modbus: {url: "tcp://plc"}}}
profiles: {meter: {poll: 200ms, metrics: {count: {holding: 0, type: uint64}, power: {input: 7, type: float32}}}}
devices: [{via: plc, profile: meter, unit: 1-2, device: "meter-{unit}"}]
pipeline: {dir: journal}
sinks: {archive: {file: {path: out.ndjson}}}
`), config.Options{Secrets: config.Skip})
	if err != nil {
		t.Fatal(err)
	}
	var printed, notes bytes.Buffer
	r := &rehearsal{seed: 7, play: 3 * time.Second, devices: 1, asJSON: true, patience: 4 * time.Second, screen: newScreen(&printed, &notes)}
	if err := r.prepare(f); err != nil {
		t.Fatal(err)
	}
	defer r.stage.strike()
	heard := f.Sinks[0].File.Path
	f.Sinks[0].File.Path = filepath.Join(t.TempDir(), "between")
	between, err := os.OpenFile(heard, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer between.Close()
	n := 0
	tail, err := standin.NewTail(f.Sinks[0].File.Path, func(line []byte) {
		n++
		if text := tamper(n, string(line)); text != "" {
			_, _ = between.WriteString(text + "\n") // what is missing then is noticed
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	defer tail.Close()
	if err := r.enter(f); err != nil {
		t.Fatal(err)
	}
	err = r.give(t.Context())
	if !json.Valid(printed.Bytes()) {
		t.Fatalf("rehearsal ended with %v: %s%s", err, notes.String(), printed.String())
	}
	return printed.String(), err
}
