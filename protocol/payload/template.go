package payload

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"

	"sluice/protocol"
)

// Template is the text of a command with names in braces, such as
// {"state": {value}}. Letters, digits, _ and - between braces are a name; other
// braces are text. Where the text is JSON, what a name stands for is written as
// JSON: inside a string it is escaped, elsewhere it is a value, in quotes when it
// is a text. A Template does not change and is safe for concurrent use.
type Template struct {
	parts  []part
	last   string // behind the last name
	isJSON bool
}

// part is text and the name behind it.
type part struct {
	before, name string
	inString     bool // of JSON
}

// ParseTemplate reads a template. Every text is one.
func ParseTemplate(text string) *Template {
	t := &Template{}
	rest, inString := text, false
	for from := 0; ; {
		i := strings.IndexByte(rest[from:], '{')
		if i < 0 {
			t.last = rest
			break
		}
		from += i
		name, after, closed := strings.Cut(rest[from+1:], "}")
		if !closed || !isTemplateName(name) {
			from++
			continue
		}
		inString = endsInString(rest[:from], inString)
		t.parts = append(t.parts, part{rest[:from], name, inString})
		rest, from = after, 0
	}
	t.isJSON = t.beginsAsJSON() && json.Valid(t.example())
	return t
}

func isTemplateName(s string) bool {
	for _, c := range []byte(s) {
		letter := 'a' <= c|0x20 && c|0x20 <= 'z'
		if !letter && (c < '0' || c > '9') && c != '_' && c != '-' {
			return false
		}
	}
	return s != ""
}

// endsInString reports whether a string of JSON is open behind text, before
// which one was or was not.
func endsInString(text string, open bool) bool {
	for i := 0; i < len(text); i++ {
		switch {
		case text[i] == '"':
			open = !open
		case text[i] == '\\' && open:
			i++
		}
	}
	return open
}

// beginsAsJSON reports whether the text begins as an object or array does.
func (t *Template) beginsAsJSON() bool {
	first := t.last
	if len(t.parts) > 0 {
		first = t.parts[0].before
	}
	first = strings.TrimLeft(first, " \t\r\n")
	return strings.HasPrefix(first, "{") || strings.HasPrefix(first, "[")
}

// example is the text with a digit in the place of every name.
func (t *Template) example() []byte {
	var text []byte
	for _, p := range t.parts {
		text = append(append(text, p.before...), '0')
	}
	return append(text, t.last...)
}

// IsAlmostJSON reports whether the text begins as JSON does and is none.
func (t *Template) IsAlmostJSON() bool { return t.beginsAsJSON() && !t.isJSON }

// Names returns the names in their order, as often as they occur.
func (t *Template) Names() []string {
	var names []string
	for _, p := range t.parts {
		names = append(names, p.name)
	}
	return names
}

// Has reports whether the text holds {name}.
func (t *Template) Has(name string) bool {
	for _, p := range t.parts {
		if p.name == name {
			return true
		}
	}
	return false
}

// Append appends the text to dst, with what of returns in the place of the names.
func (t *Template) Append(dst []byte, of func(name string) protocol.Value) []byte {
	for _, p := range t.parts {
		dst = append(dst, p.before...)
		v := of(p.name)
		switch {
		case t.isJSON && p.inString:
			quoted := quoteJSON(plainText(v))
			dst = append(dst, quoted[1:len(quoted)-1]...)
		case t.isJSON && v.Kind() == protocol.KindString:
			dst = append(dst, quoteJSON(v.Text())...)
		default:
			dst = append(dst, plainText(v)...)
		}
	}
	return append(dst, t.last...)
}

// plainText returns v as devices read it: a number without an exponent.
func plainText(v protocol.Value) string {
	if v.Kind() == protocol.KindFloat {
		return strconv.FormatFloat(v.Float(), 'f', -1, 64)
	}
	return v.String()
}

// quoteJSON returns s as a string of JSON, quotes included.
func quoteJSON(s string) []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(s) // a string cannot fail
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}
