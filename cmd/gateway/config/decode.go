package config

import (
	"encoding"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"

	"sluice/protocol/frame"
	"sluice/protocol/payload"
)

// decode sets v from n. Its path is how messages call the value. What n does
// not mention keeps its value in v, so that defaults go in first.
func (p *parser) decode(n *yaml.Node, path string, v reflect.Value) {
	t := v.Type()
	_, isText := v.Addr().Interface().(encoding.TextUnmarshaler)
	switch {
	case p.bad[n]:
	case t == reflect.TypeFor[*yaml.Node]():
		v.Set(reflect.ValueOf(n))
	case isNull(n):
		p.report(n, "%s has no value, want %s", path, wanted(t))
	case n.Kind == yaml.ScalarNode && choice(t) != "":
		p.word(n, path, v)
	case t.Kind() == reflect.Pointer:
		elem := reflect.New(t.Elem())
		p.decode(n, path, elem.Elem())
		v.Set(elem)
	case isText || !isContainer(t):
		p.scalar(n, path, v)
	case !p.expect(n, containerKind(t), path):
	case t.Kind() == reflect.Struct:
		p.fields(n, path+".", v)
	case t.Kind() == reflect.Map:
		p.table(n, path+".", v)
	default:
		p.list(n, path, v)
	}
}

func isContainer(t reflect.Type) bool {
	return t.Kind() == reflect.Struct || t.Kind() == reflect.Map || t.Kind() == reflect.Slice
}

func containerKind(t reflect.Type) yaml.Kind {
	if t.Kind() == reflect.Slice {
		return yaml.SequenceNode
	}
	return yaml.MappingNode
}

// fields decodes the mapping n into the struct v. The prefix stands before a
// key where messages name it.
func (p *parser) fields(n *yaml.Node, prefix string, v reflect.Value) {
	fields, names := p.known(v.Type())
	for _, e := range p.entries(n, prefix) {
		i := slices.Index(names, e.key.Value)
		if i < 0 {
			p.unknownKey(n, e.key, prefix, names)
			continue
		}
		p.decode(e.value, prefix+names[i], v.FieldByIndex(fields[i].index))
	}
}

// known returns the fields of struct t and their keys. They are remembered: a
// file may have 10,000 rows.
func (p *parser) known(t reflect.Type) (fields []field, names []string) {
	k, ok := p.types[t]
	if !ok {
		k = knownType{fieldsOf(t), keysOfType(t)}
		p.types[t] = k
	}
	return k.fields, k.names
}

// knownType is what known remembers of a type.
type knownType struct {
	fields []field
	names  []string
}

func (p *parser) unknownKey(n, key *yaml.Node, prefix string, known []string) {
	if p.bad[key] {
		return // it stands in several rows
	}
	in := strings.TrimRight(prefix, ". ")
	if in != "" {
		in = " in " + in
	}
	near := nearest(key.Value, known)
	p.misspelt[n] = append(p.misspelt[n], near...)
	hint := "; want " + oneOf(known)
	switch {
	case len(known) == 0:
		hint = ", which has no settings"
	case len(near) > 0:
		hint = "; " + didYouMean(near)
	}
	p.report(key, "unknown key %s%s%s", quote(key.Value), in, hint)
}

func (p *parser) table(n *yaml.Node, prefix string, v reflect.Value) {
	m := reflect.MakeMap(v.Type())
	for _, e := range p.entries(n, prefix) {
		elem := reflect.New(v.Type().Elem()).Elem()
		p.decode(e.value, prefix+e.key.Value, elem)
		m.SetMapIndex(reflect.ValueOf(e.key.Value), elem)
	}
	v.Set(m)
}

func (p *parser) list(n *yaml.Node, path string, v reflect.Value) {
	s := reflect.MakeSlice(v.Type(), len(n.Content), len(n.Content))
	for i, c := range n.Content {
		p.decode(c, path+" "+strconv.Itoa(i+1), s.Index(i))
	}
	v.Set(s)
}

// choice says what may be written for a struct of type t of which one field is
// to be set, and which is written as a word when that field needs no settings;
// "" when t is none.
func choice(t reflect.Type) string {
	switch t {
	case reflect.TypeFor[payload.Decode]():
		return words(t, "csv", "regex", "binary")
	case reflect.TypeFor[frame.Config]():
		return words(t, "delimited", "fixed", "prefixed")
	}
	return ""
}

// words lists the keys of t; those that need settings show it.
func words(t reflect.Type, settings ...string) string {
	var list []string
	for _, f := range fieldsOf(t) {
		if slices.Contains(settings, f.name) {
			list = append(list, "{"+f.name+": …}")
		} else {
			list = append(list, f.name)
		}
	}
	return oneOf(list)
}

// word decodes a choice without settings, which is written as a word.
func (p *parser) word(n *yaml.Node, path string, v reflect.Value) {
	text, ok := p.text(n)
	if !ok {
		return
	}
	var words []string
	for _, f := range fieldsOf(v.Type()) {
		words = append(words, f.name)
		field := v.FieldByIndex(f.index)
		switch {
		case f.name != text:
		case field.Kind() == reflect.Pointer:
			field.Set(reflect.New(field.Type().Elem()))
			return
		default:
			p.report(n, "%s is %s, want its settings too: {%s: …}", path, quote(n.Value), f.name)
			return
		}
	}
	if near := nearest(n.Value, words); len(near) > 0 {
		p.report(n, "%s is %s; %s", path, quote(n.Value), didYouMean(near))
		return
	}
	p.report(n, "%s is %s, want %s", path, quote(n.Value), wanted(v.Type()))
}
