package sink

import (
	"fmt"
	"strings"

	"sluice/protocol"
)

// Template is text with names in braces, such as readings.{gateway}.{device}.
// The names gateway, device, profile and driver stand for their text, which may
// be empty; any other name is a tag, and "_" when the device has no such tag.
// A Template does not change and is safe for concurrent use.
type Template struct {
	text  string
	parts []part
}

// part is literal text and the name that follows it, "" after the last literal.
type part struct{ literal, name string }

// ParseTemplate reads a template. The error says what is wrong and at which
// character, counted from 1.
func ParseTemplate(text string) (*Template, error) {
	t := &Template{text: text}
	rest := text
	for {
		i := strings.IndexAny(rest, "{}")
		if i < 0 {
			t.parts = append(t.parts, part{literal: rest})
			return t, nil
		}
		at := len(text) - len(rest) + i + 1
		if rest[i] == '}' {
			return nil, fmt.Errorf("template %q: } at character %d has no {", text, at)
		}
		n := strings.IndexAny(rest[i+1:], "{}")
		if n < 0 || rest[i+1+n] != '}' {
			return nil, fmt.Errorf("template %q: { at character %d has no }", text, at)
		}
		name := rest[i+1 : i+1+n]
		if name == "" || strings.ContainsAny(name, " \t\r\n") {
			return nil, fmt.Errorf("template %q: {%s} at character %d is not a name", text, name, at)
		}
		t.parts = append(t.parts, part{rest[:i], name})
		rest = rest[i+n+2:]
	}
}

// String returns the text that t was parsed from.
func (t *Template) String() string { return t.text }

// Prefix returns the text before the first name, which is all of it when there
// is no name.
func (t *Template) Prefix() string { return t.parts[0].literal }

// Names returns the names in their order, as often as they occur.
func (t *Template) Names() []string {
	var names []string
	for _, p := range t.parts {
		if p.name != "" {
			names = append(names, p.name)
		}
	}
	return names
}

// Append appends t with its names replaced to dst. What a name stands for goes
// through escape, the text around the names does not; a nil escape appends
// everything as it is.
func (t *Template) Append(dst []byte, gateway string, d *protocol.Device, escape func(dst []byte, s string) []byte) []byte {
	for _, p := range t.parts {
		dst = append(dst, p.literal...)
		if p.name == "" {
			continue
		}
		if value := lookUp(p.name, gateway, d); escape != nil {
			dst = escape(dst, value)
		} else {
			dst = append(dst, value...)
		}
	}
	return dst
}

func lookUp(name, gateway string, d *protocol.Device) string {
	switch name {
	case "gateway":
		return gateway
	case "device":
		return d.Name
	case "profile":
		return d.Profile
	case "driver":
		return d.Driver
	}
	for _, t := range d.Tags {
		if t.Key == name {
			return t.Value
		}
	}
	return "_"
}
