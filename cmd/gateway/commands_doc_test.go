package main

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"sluice/drivers/drivertest"
	"sluice/protocol/payload"
)

const commandsDoc = root + "/docs/commands.md"

// TestCommandsDocIsTrue runs the gateway of docs/commands.md for a plant, and the
// commands: each prints what the document says, but for the time it takes. With
// SLUICE_DOCS=new what they print is written down instead.
func TestCommandsDocIsTrue(t *testing.T) {
	text, err := os.ReadFile(commandsDoc)
	if err != nil {
		t.Fatal(err)
	}
	blocks := regexp.MustCompile("(?s)```(yaml|console)\n(.*?)```\n").FindAllStringSubmatchIndex(string(text), -1)
	if len(blocks) < 3 || string(text[blocks[0][2]:blocks[0][3]]) != "yaml" {
		t.Fatal("the document does not begin with a configuration and examples of it")
	}
	dir := gatewayOf(t, string(text[blocks[0][4]:blocks[0][5]]))
	told, last := "", 0
	for _, b := range blocks[1:] {
		told += string(text[last:b[4]]) + playTold(t, dir, string(text[b[4]:b[5]]))
		last = b[5]
	}
	told += string(text[last:])
	switch {
	case os.Getenv("SLUICE_DOCS") == "new":
		if err := os.WriteFile(commandsDoc, []byte(told), 0o644); err != nil {
			t.Fatal(err)
		}
	case timeless(told) != timeless(string(text)):
		t.Errorf("the document should be\n%s", told)
	}
}

// gatewayOf runs the gateway of a configuration for a plant, in the folder that it
// returns, until the test ends.
func gatewayOf(t *testing.T, text string) (dir string) {
	t.Helper()
	p, err := newPlant()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.stop)
	dir = t.TempDir()
	text = strings.NewReplacer("mqtt://broker.local:1883", p.broker.URL(), "10.0.0.5:502", p.meters.Path()).Replace(text)
	text += "http: {listen: 127.0.0.1:0}\n"
	if err := os.WriteFile(filepath.Join(dir, "config.yaml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	runs := exec.Command("gateway", "run")
	runs.Dir = dir
	if err := runs.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = runs.Process.Signal(os.Interrupt)
		_ = runs.Wait()
	})
	drivertest.Eventually(t, "the gateway tells devices something", func() bool {
		a, b := exec.Command("gateway", "send", "meter-1", "on", "on"), exec.Command("gateway", "send", "living", "setpoint", "20")
		a.Dir, b.Dir = dir, dir
		return a.Run() == nil && b.Run() == nil
	})
	return dir
}

// playTold runs the commands of an example and returns it with what they print.
func playTold(t *testing.T, dir, example string) (text string) {
	t.Helper()
	for line := range strings.Lines(example) {
		command, isOne := strings.CutPrefix(line, "$ ")
		if !isOne {
			continue // what one has printed
		}
		cmd := exec.Command("sh", "-c", command)
		cmd.Dir = dir
		out, err := cmd.CombinedOutput()
		if exit := new(exec.ExitError); err != nil && !errors.As(err, &exit) {
			t.Fatal(err)
		}
		text += line + string(out)
	}
	return text
}

// timeless returns text without how long its commands took.
func timeless(text string) string {
	return regexp.MustCompile(`\([0-9.]+(µs|ms|s)\)`).ReplaceAllString(text, "")
}

// TestCommandsDocIsWhole: every setting of a command that no metric has is there.
func TestCommandsDocIsWhole(t *testing.T) {
	text, err := os.ReadFile(commandsDoc)
	if err != nil {
		t.Fatal(err)
	}
	for _, setting := range settingsOf(reflect.TypeFor[payload.Command]()) {
		if setting != "" && !strings.Contains(string(text), "`"+setting) {
			t.Errorf("docs/commands.md says nothing of %s", setting)
		}
	}
}
