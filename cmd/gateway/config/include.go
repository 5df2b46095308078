package config

import (
	"path/filepath"
	"slices"

	"go.yaml.in/yaml/v4"
)

// sharable are the sections that a configuration may have in several files.
var sharable = []string{"drivers", "profiles", "devices", "sinks"}

// include adds to the sections of the root what further files hold of them.
func (p *parser) include(root *yaml.Node) {
	n := child(root, "include")
	if n == nil {
		return
	}
	list := []*yaml.Node{n}
	if n.Kind == yaml.SequenceNode {
		list = n.Content
	}
	var taken []string // a file may fit several patterns
	for _, at := range list {
		for _, path := range p.matches(at) {
			if !slices.Contains(taken, path) {
				taken = append(taken, path)
				p.within(at, path, func(text []byte) { p.includeText(root, text) })
			}
		}
	}
}

// matches returns the files that a path or pattern means, sorted.
func (p *parser) matches(at *yaml.Node) []string {
	if p.bad[at] {
		return nil
	}
	if at.Kind != yaml.ScalarNode || isNull(at) {
		p.report(at, "include is %s, want a path, or a list of them", found(at))
		return nil
	}
	path, ok := p.text(at)
	if !ok {
		return nil
	}
	p.rebase(&path)
	files, err := filepath.Glob(path)
	switch {
	case err != nil:
		p.report(at, "include is %s, which is no pattern", quote(at.Value))
	case len(files) == 0:
		p.report(at, "include is %s, but there is no such file", quote(at.Value))
	}
	return files
}

// includeText adds the text of one file.
func (p *parser) includeText(root *yaml.Node, text []byte) {
	doc := p.document(text)
	if doc == nil {
		return
	}
	p.stands(doc)
	for _, e := range p.entries(doc, "") {
		if slices.Contains(sharable, e.key.Value) {
			p.join(root, e)
			continue
		}
		hint := "want " + oneOf(sharable) + " in a file that is included"
		if near := nearest(e.key.Value, sharable); len(near) > 0 {
			hint = didYouMean(near)
		}
		p.report(e.key, "unknown key %s; %s", quote(e.key.Value), hint)
	}
}

// join adds a section to that of the root.
func (p *parser) join(root *yaml.Node, e entry) {
	section := child(root, e.key.Value)
	switch {
	case section == nil:
		root.Content = append(root.Content, e.key, e.value)
	case isNull(e.value) || section.Kind != e.value.Kind:
		p.report(e.value, "%s is %s, but %s at %s:%d", e.key.Value, found(e.value), found(section), p.fileOf(section), section.Line)
	default:
		section.Content = append(section.Content, e.value.Content...)
	}
}
