package config

import (
	"encoding"
	"fmt"
	"reflect"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"

	"sluice/pipeline"
	"sluice/protocol"
	"sluice/sink"
	"sluice/sink/file"
)

// entry is one key of a mapping and its value.
type entry struct{ key, value *yaml.Node }

// entries returns the keys of the mapping n in file order and reports those
// that are no text or appear twice.
func (p *parser) entries(n *yaml.Node, prefix string) []entry {
	first := make(map[string]*yaml.Node, len(n.Content)/2)
	list := make([]entry, 0, len(n.Content)/2)
	for i := 0; i+1 < len(n.Content); i += 2 {
		e := entry{n.Content[i], n.Content[i+1]}
		switch before := first[e.key.Value]; {
		case p.bad[e.key]:
		case e.key.Kind != yaml.ScalarNode || isNull(e.key) || e.key.Value == "":
			p.report(e.key, "a key of %s is not a word", place(prefix))
		case before != nil:
			where := fmt.Sprintf("on line %d", before.Line)
			if file := p.fileOf(before); file != p.fileOf(e.key) {
				where = fmt.Sprintf("at %s:%d", file, before.Line)
			}
			p.report(e.key, "duplicate key %s: it already stands %s", quote(e.key.Value), where)
		default:
			first[e.key.Value] = e.key
			list = append(list, e)
		}
	}
	return list
}

// place names the mapping whose keys have the prefix.
func place(prefix string) string {
	if prefix == "" {
		return "the file"
	}
	return strings.TrimRight(prefix, ". ")
}

// child returns the value of a key of the mapping n, nil when it is not there.
func child(n *yaml.Node, key string) *yaml.Node {
	if n.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Kind == yaml.ScalarNode && n.Content[i].Value == key {
			return n.Content[i+1]
		}
	}
	return nil
}

func isNull(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.Tag == "!!null" }

// found says what n is, as the file has it.
func found(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "a mapping"
	case yaml.SequenceNode:
		return "a list"
	}
	return quote(n.Value)
}

// wanted says what the file should hold for a value of type t.
func wanted(t reflect.Type) string {
	switch t {
	case reflect.TypeFor[time.Duration]():
		return "a duration, such as 10s"
	case reflect.TypeFor[pipeline.Bytes](), reflect.TypeFor[sink.Bytes]():
		return "a size, such as 256MiB"
	case reflect.TypeFor[file.Keep]():
		return "a number of files, a size, or all"
	case reflect.TypeFor[protocol.Deadband]():
		return "a number or percent, such as 0.5 or 2%"
	}
	if words := choice(t); words != "" {
		return words
	}
	if reflect.PointerTo(t).Implements(reflect.TypeFor[encoding.TextUnmarshaler]()) {
		return "text"
	}
	switch t.Kind() {
	case reflect.Pointer:
		return wanted(t.Elem())
	case reflect.String:
		return "text"
	case reflect.Bool:
		return "true or false"
	case reflect.Float64:
		return "a number"
	case reflect.Struct, reflect.Map:
		return "a mapping"
	case reflect.Slice:
		return "a list"
	}
	return "a whole number"
}

// keysOfType returns the keys of struct t.
func keysOfType(t reflect.Type) []string {
	var keys []string
	for _, f := range fieldsOf(t) {
		keys = append(keys, f.name)
	}
	return keys
}

// field is a struct field that the file can set.
type field struct {
	name  string // its key
	index []int
}

// fieldsOf returns the fields of struct t that carry a key, in order, those of
// embedded structs among them.
func fieldsOf(t reflect.Type) []field {
	var list []field
	for _, f := range reflect.VisibleFields(t) {
		if name := f.Tag.Get("yaml"); name != "" {
			list = append(list, field{name, f.Index})
		}
	}
	return list
}
