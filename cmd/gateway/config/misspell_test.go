package config

import (
	"errors"
	"os"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"
)

// TestAnyMisspeltKeyIsFound leaves out, adds, changes or swaps each letter of
// each key of the example file. Each gives exactly one problem, where the key stands, with the
// right word: no misspelling hides behind what follows from it.
func TestAnyMisspeltKeyIsFound(t *testing.T) {
	text, err := os.ReadFile(example)
	if err != nil {
		t.Fatal(err)
	}
	var doc yaml.Node
	if err := yaml.Unmarshal(text, &doc); err != nil {
		t.Fatal(err)
	}
	keys := keysOf(doc.Content[0], false)
	if len(keys) < 40 {
		t.Fatalf("found %d keys", len(keys))
	}
	tried := make(map[[2]any]bool)
	for _, key := range keys {
		once := [2]any{key.Value, key.Column}
		if tried[once] {
			continue // the same word in the next row
		}
		tried[once] = true
		for _, wrong := range misspellings(key.Value) {
			mustSuggest(t, string(text), key, wrong)
		}
	}
}

func mustSuggest(t *testing.T, text string, key *yaml.Node, wrong string) {
	t.Helper()
	lines := strings.Split(text, "\n")
	line := []rune(lines[key.Line-1])
	at := key.Column - 1
	lines[key.Line-1] = string(line[:at]) + wrong + string(line[at+len(key.Value):])
	_, err := Parse("f", []byte(strings.Join(lines, "\n")), Options{Secrets: Skip})
	var problems Problems
	if !errors.As(err, &problems) || len(problems) != 1 {
		t.Errorf("%d:%d: %q for %q: got %v, want one problem", key.Line, key.Column, wrong, key.Value, err)
		return
	}
	p := problems[0]
	_, hint, _ := strings.Cut(p.Message, "did you mean")
	if p.Line != key.Line || p.Column != key.Column || !strings.Contains(hint, `"`+key.Value+`"`) {
		t.Errorf("%d:%d: %q for %q: got %v", key.Line, key.Column, wrong, key.Value, p)
	}
}

// keysOf returns the keys in n that are not names of the operator's choice.
func keysOf(n *yaml.Node, chosen bool) []*yaml.Node {
	var keys []*yaml.Node
	for i, c := range n.Content {
		if n.Kind != yaml.MappingNode {
			keys = append(keys, keysOf(c, false)...)
			continue
		}
		if i%2 == 1 {
			keys = append(keys, keysOf(c, !chosen && namesItsKeys(n.Content[i-1].Value))...)
		} else if !chosen {
			keys = append(keys, c)
		}
	}
	return keys
}

func namesItsKeys(section string) bool {
	switch section {
	case "drivers", "profiles", "metrics", "commands", "sinks", "tags":
		return true
	}
	return false
}

func misspellings(word string) []string {
	var list []string
	for i := range word {
		letter := "aelstx_"[i%7 : i%7+1]
		list = append(list, word[:i]+word[i+1:], word[:i]+letter+word[i:])
		if letter != word[i:i+1] {
			list = append(list, word[:i]+letter+word[i+1:])
		}
		if i > 0 && word[i] != word[i-1] {
			list = append(list, word[:i-1]+word[i:i+1]+word[i-1:i]+word[i+1:])
		}
	}
	return list
}
