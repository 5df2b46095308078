package config

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"
)

// document returns the root mapping of text, or nil after it has reported why
// there is none.
func (p *parser) document(text []byte) *yaml.Node {
	if !p.readable(text) {
		return nil
	}
	dec := yaml.NewDecoder(bytes.NewReader(text))
	var doc, second yaml.Node
	switch err := dec.Decode(&doc); {
	case err == io.EOF || err == nil && isNull(doc.Content[0]):
		p.reportAt(1, 1, "the file is empty: want gateway, drivers, profiles, devices, pipeline and sinks")
		return nil
	case err != nil:
		p.syntax(text, err)
		return nil
	}
	if err := dec.Decode(&second); err == nil {
		p.reportAt(second.Line, second.Column, "a second document begins here: a file holds one configuration")
	} else if err != io.EOF {
		p.syntax(text, err)
	}
	root := doc.Content[0]
	p.plain(root)
	if root.Kind != yaml.MappingNode && !p.bad[root] {
		p.report(root, "the file is %s, want gateway, drivers, profiles, devices, pipeline and sinks", found(root))
	}
	if root.Kind != yaml.MappingNode {
		return nil
	}
	return root
}

// readable reports whether text is UTF-8 without control characters: YAML does
// not say where those are, and counts some of them as line breaks, which no
// editor does.
func (p *parser) readable(text []byte) bool {
	line, column := 1, 1
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRune(text[i:])
		if r == utf8.RuneError && size == 1 {
			p.reportAt(line, column, "the byte 0x%02x is not UTF-8: save the file as UTF-8", text[i])
			return false
		}
		if isControl(r) {
			p.reportAt(line, column, "the control character U+%04X is not allowed", r)
			return false
		}
		i += size
		column++
		if r == '\n' || r == '\r' && !bytes.HasPrefix(text[i:], []byte("\n")) {
			line, column = line+1, 1
		}
	}
	return true
}

func isControl(r rune) bool {
	switch r {
	case '\t', '\n', '\r':
		return false
	case '\u2028', '\u2029', '\ufffe', '\uffff':
		return true
	}
	return r < ' ' || 0x7f <= r && r < 0xa0
}

// plain refuses what makes a YAML file hard to follow: one value, one place.
// The texts are not shown, for a secret without quotes may begin with * or !.
func (p *parser) plain(n *yaml.Node) {
	switch {
	case n.Kind == yaml.AliasNode:
		p.report(n, "aliases are not supported: write the value out, or put a text that begins with * in quotes")
	case n.Anchor != "":
		p.reportAt(n.Line, n.Column, "anchors are not supported: put a text that begins with & in quotes")
	case n.Style&yaml.TaggedStyle != 0:
		p.reportAt(n.Line, n.Column, "tags are not supported: put a text that begins with ! in quotes")
	case n.Tag == "!!merge":
		p.report(n, "merge keys (<<) are not supported: write the keys out")
	}
	for _, c := range n.Content {
		p.plain(c)
		if c.Tag == "!!merge" {
			p.bad[n] = true // it lacks keys that it is thought to have
		}
	}
}

// syntax reports an error of the YAML library in the operator's words.
func (p *parser) syntax(text []byte, err error) {
	var load *yaml.LoadError
	if !errors.As(err, &load) {
		p.reportAt(1, 1, "the file is not YAML: %v", err)
		return
	}
	at, opened := load.Mark, load.ContextMark
	switch {
	case isTab(text, at.Line, at.Column):
		p.reportAt(at.Line, at.Column, "a tab stands here: indent with spaces")
	case strings.Contains(load.Message, "expected ',' or") && opened.Line > 0:
		p.reportAt(at.Line, at.Column, "a comma or the end of what opens at %d:%d is missing before this; a text with brackets or braces wants quotes",
			opened.Line, opened.Column)
	case strings.Contains(load.Message, "end of stream") && opened.Line > 0:
		p.reportAt(opened.Line, opened.Column, "what begins here is never closed")
	default:
		p.reportAt(at.Line, at.Column, "%s", syntaxWords(load.Message))
	}
}

func isTab(text []byte, line, column int) bool {
	lines := splitLines(text)
	if line < 1 || line > len(lines) || column < 1 {
		return false
	}
	rest := []rune(lines[line-1])
	return column <= len(rest) && rest[column-1] == '\t'
}

func syntaxWords(message string) string {
	for _, w := range yamlWords {
		if strings.Contains(message, w.library) {
			return w.ours
		}
	}
	return "this is not YAML: " + message
}

// yamlWords translates messages of the YAML library; the first match counts.
// It is never changed.
var yamlWords = [...]struct{ library, ours string }{
	{"tab character", "a tab stands here: indent with spaces"},
	{"unknown anchor", "aliases are not supported: put a text that begins with * in quotes"},
	{"mapping values are not allowed", "a colon is not allowed here: check the indentation, or put the text in quotes"},
	{"cannot start any token", "this character cannot begin a value: put the text in quotes"},
	{"expected key", "a key is expected here: check the indentation"},
	{"expected '-' indicator", "a list row (-) is expected here: check the indentation"},
	{"could not find expected ':'", "a colon is missing after the key that ends here"},
	{"unknown escape character", `this escape is not known: in double quotes, write \\ for a backslash, or use single quotes`},
	{"incompatible YAML document", "this YAML version is not known: remove the line"},
}
