package config

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
)

const (
	configurationDoc = "../../../docs/configuration.md"
	generatedFrom    = "\n## Keys\n"
)

// TestConfigurationDoc makes the part of docs/configuration.md that lists all
// keys: what they mean is what their types' comments say.
func TestConfigurationDoc(t *testing.T) {
	_, root := newReference(t)
	text, err := os.ReadFile(configurationDoc)
	if err != nil {
		t.Fatal(err)
	}
	before, _, found := strings.Cut(string(text), generatedFrom)
	if !found {
		t.Fatalf("%s has no %q", configurationDoc, generatedFrom)
	}
	d := &keyDoc{t: t, told: map[string]bool{}}
	d.WriteString(before + generatedFrom)
	d.section("The file", "", root)
	for len(d.waiting) > 0 {
		next := d.waiting[0]
		d.waiting = d.waiting[1:]
		d.section(next.title, next.prefix, next.item)
	}
	generated(t, configurationDoc, []byte(d.String()))
}

// apart are the mappings that have a table of their own, by key; what stands
// below others is told in theirs.
var apart = map[string]string{
	"mqtt": "", "serial": "", "modbus": "", "nats": "", "influx": "", "file": "",
	"profiles": "`profiles.NAME`", "metrics": "", "devices": "A row of `devices`", "sinks": "`sinks.NAME`",
	"pipeline": "`pipeline`", "defaults": "A row of `devices`", "frame": "", "decode": "", "checksum": "", "commands": "",
	"tests": "A test of `tests`", "expect": "A reading of `expect`",
}

// typeSays is how the comment of a type begins.
var typeSays = regexp.MustCompile(`^\w+ (?:is|are|says|reads|has no settings:) `)

// keyDoc writes tables of keys.
type keyDoc struct {
	strings.Builder
	t       *testing.T
	told    map[string]bool // titles of the tables there are, or will be
	waiting []table
}

type table struct {
	title, prefix string
	*item
}

func (d *keyDoc) section(title, prefix string, i *item) {
	fmt.Fprintf(d, "\n### %s\n\n", title)
	if len(i.choice) > 0 {
		fmt.Fprintf(d, "One of these; %s may stand there as a word.\n\n", inWords(i.choice))
	}
	d.WriteString("| key | what stands there | default | example | meaning |\n|---|---|---|---|---|\n")
	for _, key := range i.keys {
		if key.override {
			d.WriteString("| any key of a profile | | | | what holds in the place of the profile's |\n")
			break // they come last
		}
		if len(i.choice) > 0 && key.kind == "mapping" {
			d.row(prefix+key.name, key)
		}
		d.key(title, prefix, key)
	}
}

// row writes one row.
func (d *keyDoc) row(path string, i *item) {
	about := i.meaning
	if about == "" {
		about, _, _ = strings.Cut(strings.Join(strings.Fields(i.about), " "), ". ")
		about = strings.TrimSuffix(typeSays.ReplaceAllString(about, ""), ".")
	}
	if about == "" {
		d.t.Errorf("%s has no comment that says what it means", path)
	}
	fmt.Fprintf(d, "| `%s` | %s | %s | %s | %s |\n", path, i.kind, code(i.fallback), code(i.example), strings.ReplaceAll(about, "|", "\\|"))
}

// key writes the rows of a key.
func (d *keyDoc) key(title, prefix string, i *item) {
	path, inner := prefix+i.name, i
	i.kind = what(i)
	for inner.each != nil {
		inner = inner.each
	}
	own, isApart := apart[i.name]
	isApart = isApart && (title != "`decode`" || i.name == "checksum")
	if own == "" {
		own = "`" + strings.Trim(strings.TrimPrefix(title, "`"), "`") + "." + i.name + "`"
		if title == "The file" || i.name == "frame" || i.name == "checksum" || i.name == "decode" {
			own = "`" + i.name + "`"
		}
	}
	if isApart && len(inner.keys) > 0 {
		i.kind += ": see " + own
		if !d.told[own] && i.name != "defaults" { // a row is told from devices, with examples
			d.told[own] = true
			d.waiting = append(d.waiting, table{own, "", inner})
		}
	} else if len(inner.keys) > 0 {
		if i.each != nil {
			path += ".NAME"
		}
		for _, key := range inner.keys {
			d.key(title, path+".", key)
		}
		return
	}
	if inner.kind != "mapping" || len(inner.keys) > 0 {
		d.row(path, i)
	}
}

// what says what stands behind a key.
func what(i *item) string {
	switch {
	case i.several:
		return "text, or a list of them"
	case len(i.words) > 0:
		return inWords(i.words)
	case i.kind == "boolean":
		return "`true` or `false`"
	case i.kind == "integer":
		return "whole number"
	case i.kind == "secret":
		return "text, kept secret"
	case i.kind == "list" && i.each.kind != "mapping":
		return "list: " + what(i.each)
	case i.kind == "table":
		return "by name: " + what(i.each)
	}
	return i.kind
}

func inWords(list []string) string { return "`" + strings.Join(list, "`, `") + "`" }

func code(text string) string {
	if text == "" {
		return ""
	}
	return "`" + strings.ReplaceAll(text, "|", "\\|") + "`"
}
