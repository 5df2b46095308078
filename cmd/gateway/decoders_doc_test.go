package main

import (
	"cmp"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"sluice/cmd/gateway/config"
	"sluice/protocol"
	"sluice/protocol/frame"
	"sluice/protocol/payload"
	"sluice/protocol/payload/binary"
)

const decodersDoc = root + "/docs/decoders.md"

// TestDecodersDocIsTrue runs the examples of docs/decoders.md.
func TestDecodersDocIsTrue(t *testing.T) { playDoc(t, decodersDoc) }

// playDoc runs the examples of a document: what a console block shows is what its
// commands print. With SLUICE_DOCS=new what they print is written down instead.
func playDoc(t *testing.T, path string) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	d := &playedDoc{t: t, dir: t.TempDir(), renew: os.Getenv("SLUICE_DOCS") == "new"}
	for line := range strings.Lines(string(text)) {
		d.at++
		d.line(line)
	}
	if d.block != "" || d.played == 0 {
		t.Fatal("there is no example, or the last block does not end")
	}
	if d.renew {
		if err := os.WriteFile(path, []byte(d.text.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// playedDoc is the document while its examples are played, line by line.
//
// The profile of a section is its yaml block above the example. A block whose
// first line is a comment with a file's name, "# gateway.yaml", is that file.
type playedDoc struct {
	t      *testing.T
	dir    string // where the commands of the section run
	renew  bool
	at     int // the line, from 1
	played int // commands

	text    strings.Builder // the document with what its commands print
	block   string          // yaml, console or another word behind ```; "": none
	body    string          // of a yaml block
	begun   int             // the line of the command
	command string          // the one of a console block that is being read; "": none yet
	shown   string          // what the document says that it prints
}

func (d *playedDoc) line(line string) {
	if word, isFence := strings.CutPrefix(strings.TrimSpace(line), "```"); isFence {
		d.fence(word)
		d.text.WriteString(line)
		return
	}
	switch {
	case d.block == "" && strings.HasPrefix(line, "#"):
		d.dir = d.t.TempDir() // sections have nothing in common
	case d.block == "yaml":
		d.body += line
	case d.block == "console":
		d.console(line)
		return
	}
	d.text.WriteString(line)
}

// fence begins or ends a block.
func (d *playedDoc) fence(word string) {
	switch {
	case d.block == "":
		d.block, d.body = cmp.Or(word, "text"), ""
		return
	case d.block == "yaml":
		d.write()
	case d.block == "console":
		d.play()
	}
	d.block = ""
}

func (d *playedDoc) write() {
	name := "profile.yaml"
	first, _, _ := strings.Cut(d.body, "\n")
	if file, ok := strings.CutPrefix(first, "# "); ok && strings.HasSuffix(file, ".yaml") {
		name = file
	}
	if err := os.WriteFile(filepath.Join(d.dir, name), []byte(d.body), 0o600); err != nil {
		d.t.Fatal(err)
	}
}

func (d *playedDoc) console(line string) {
	command, isNew := strings.CutPrefix(line, "$ ")
	switch {
	case isNew:
		d.play()
		d.begun, d.command = d.at, command
	case d.command == "":
		d.t.Fatalf("line %d: a console block begins with a command", d.at)
	case strings.HasSuffix(d.command, "\\\n"):
		d.command += line
	default:
		d.shown += line
	}
}

// play runs the command that was read and writes down what it prints.
func (d *playedDoc) play() {
	if d.command == "" {
		return
	}
	cmd := exec.Command("sh", "-c", d.command)
	cmd.Dir = d.dir
	cmd.Env = append(os.Environ(), "GORACE=atexit_sleep_ms=0") // with the race detector a program ends a second late
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		d.t.Fatalf("line %d: %v", d.begun, err)
	}
	if string(out) != d.shown && !d.renew {
		d.t.Errorf("line %d: $ %sprints\n%s\nthe document says\n%s", d.begun, d.command, out, d.shown)
	}
	d.text.WriteString("$ " + d.command + string(out))
	d.played++
	d.command, d.shown = "", ""
}

// TestDecodersDocIsWhole: decoders, settings, presets, kinds of frames, reasons
// and profiles are all there.
func TestDecodersDocIsWhole(t *testing.T) {
	text, err := os.ReadFile(decodersDoc)
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	for _, f := range reflect.VisibleFields(reflect.TypeFor[payload.Decode]()) {
		kind := f.Tag.Get("yaml")
		_, section, ok := strings.Cut(string(text), "\n### "+kind+"\n")
		section, _, _ = strings.Cut(section, "\n##")
		if !ok || !strings.Contains(section, "```yaml\n") || !strings.Contains(section, "```console\n") {
			t.Errorf("docs/decoders.md has no section with an example of %s", kind)
		}
		for _, setting := range settingsOf(f.Type) {
			if !strings.Contains(section, "`"+setting) {
				t.Errorf("docs/decoders.md says nothing of %s of %s", setting, kind)
			}
		}
	}
	for _, kind := range settingsOf(reflect.TypeFor[frame.Config]()) {
		want = append(want, "\n| `"+kind+"` | ")
	}
	for _, reason := range protocol.Reasons() {
		want = append(want, "\n| `"+reason+"` | ")
	}
	for _, b := range config.Builtins() {
		want = append(want, "\n"+b.Name+" ")
	}
	for _, name := range slices.Concat(binary.Presets(), settingsOf(reflect.TypeFor[payload.Profile]()),
		settingsOf(reflect.TypeFor[payload.Metric]()), settingsOf(reflect.TypeFor[payload.Time]())) {
		want = append(want, "`"+name+"`")
	}
	for _, w := range want {
		if !strings.Contains(string(text), w) {
			t.Errorf("docs/decoders.md has no %q", w)
		}
	}
}

// settingsOf returns the keys in a file of a struct or of a pointer to one; none of
// another type.
func settingsOf(t reflect.Type) (keys []string) {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	for i := 0; t.Kind() == reflect.Struct && i < t.NumField(); i++ {
		keys = append(keys, t.Field(i).Tag.Get("yaml"))
	}
	return keys
}
