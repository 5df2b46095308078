package mqtt

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Pattern is a topic filter whose levels may be captured by name:
// plant/{area}/{device}/climate. {name} stands for one level, {name...} at the
// end for one or more, + and # are MQTT's own wildcards. A Pattern is immutable.
type Pattern struct {
	text   string
	levels []level
}

type level struct {
	kind levelKind
	text string // the literal, or the capture's name
}

type levelKind uint8

const (
	literal levelKind = iota
	one               // + or {name}
	rest              // {name...}: at least one level
	anyRest           // #: also none
)

// ParsePattern reads a pattern. The error says what is wrong with it.
func ParsePattern(s string) (Pattern, error) {
	if s == "" {
		return Pattern{}, errors.New("is empty")
	}
	if strings.ContainsRune(s, 0) || len(s) > 65535 {
		return Pattern{}, errors.New("holds a NUL character or is longer than 65535 bytes")
	}
	if strings.HasPrefix(s, "$share/") || strings.HasPrefix(s, "$queue/") {
		return Pattern{}, errors.New("is a shared subscription, which would give part of the messages to others")
	}
	p := Pattern{text: s}
	texts := strings.Split(s, "/")
	for i, text := range texts {
		l, err := parseLevel(text)
		if err != nil {
			return Pattern{}, err
		}
		if l.kind >= rest && i < len(texts)-1 {
			return Pattern{}, fmt.Errorf("has %s before its end", text)
		}
		if l.kind != literal && l.text != "" && slices.Contains(p.Captures(), l.text) {
			return Pattern{}, fmt.Errorf("captures {%s} twice", l.text)
		}
		p.levels = append(p.levels, l)
	}
	return p, nil
}

func parseLevel(text string) (level, error) {
	switch text {
	case "+":
		return level{kind: one}, nil
	case "#":
		return level{kind: anyRest}, nil
	}
	name, opened := strings.CutPrefix(text, "{")
	name, closed := strings.CutSuffix(name, "}")
	if !opened || !closed {
		if strings.ContainsAny(text, "+#{}") {
			return level{}, fmt.Errorf("has %q, but a capture or wildcard is a whole level", text)
		}
		return level{kind: literal, text: text}, nil
	}
	kind := one
	if cut, ok := strings.CutSuffix(name, "..."); ok {
		name, kind = cut, rest
	}
	if !isName(name) {
		return level{}, fmt.Errorf("has %q, but a capture's name is letters, digits, _ and -", text)
	}
	return level{kind: kind, text: name}, nil
}

func isName(s string) bool {
	for _, c := range []byte(s) {
		letter := 'a' <= c|0x20 && c|0x20 <= 'z'
		if !letter && (c < '0' || c > '9') && c != '_' && c != '-' {
			return false
		}
	}
	return s != ""
}

// String returns the pattern as it was written.
func (p Pattern) String() string { return p.text }

// Captures returns the names of the captures in the order of their levels.
func (p Pattern) Captures() []string {
	var names []string
	for _, l := range p.levels {
		if l.kind != literal && l.text != "" {
			names = append(names, l.text)
		}
	}
	return names
}

// Filter returns the MQTT topic filter to subscribe to. It may match more than
// the pattern: a/{x...} subscribes to a/#, which holds a too.
func (p Pattern) Filter() string {
	parts := make([]string, len(p.levels))
	for i, l := range p.levels {
		switch l.kind {
		case literal:
			parts[i] = l.text
		case one:
			parts[i] = "+"
		case rest, anyRest:
			parts[i] = "#"
		}
	}
	return strings.Join(parts, "/")
}

// Match reports whether topic fits the pattern and returns what its captures
// hold, in the order of Captures. As in MQTT, a wildcard at the first level does
// not match a topic that begins with $.
func (p Pattern) Match(topic string) ([]string, bool) {
	if p.levels[0].kind != literal && strings.HasPrefix(topic, "$") {
		return nil, false
	}
	var captured []string
	left, more := topic, true
	for _, l := range p.levels {
		if l.kind == anyRest {
			return captured, true
		}
		if !more {
			return nil, false
		}
		if l.kind == rest {
			return append(captured, left), true
		}
		var text string
		text, left, more = strings.Cut(left, "/")
		switch {
		case l.kind == literal && l.text != text:
			return nil, false
		case l.kind == one && l.text != "":
			captured = append(captured, text)
		}
	}
	return captured, !more
}
