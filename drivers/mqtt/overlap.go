package mqtt

import (
	"slices"
	"strings"
)

// Filters returns the topic filters that a driver of these devices subscribes to,
// sorted, each once. The devices are valid.
func Filters(devices []Device) []string {
	var filters []string
	for _, d := range devices {
		pattern, _ := ParsePattern(d.Topic)
		filters = append(filters, pattern.Filter())
	}
	slices.Sort(filters)
	return slices.Compact(filters)
}

// Covers reports whether every topic that q matches is one that p matches.
func (p Pattern) Covers(q Pattern) bool {
	if p.hides(q) {
		return false
	}
	for i, l := range p.levels {
		switch {
		case l.kind == anyRest:
			return true
		case i >= len(q.levels) || q.levels[i].kind == anyRest:
			return false
		case l.kind == rest:
			return true
		case q.levels[i].kind == rest:
			return false
		case l.kind == literal && (q.levels[i].kind != literal || q.levels[i].text != l.text):
			return false
		}
	}
	return len(p.levels) == len(q.levels)
}

// Overlaps reports whether there is a topic that both match.
func (p Pattern) Overlaps(q Pattern) bool {
	if p.hides(q) || q.hides(p) {
		return false
	}
	for i := 0; ; i++ {
		if i >= len(p.levels) || i >= len(q.levels) {
			return ends(p, i) && ends(q, i)
		}
		l, m := p.levels[i], q.levels[i]
		switch {
		case l.kind >= rest || m.kind >= rest:
			return true
		case l.kind == literal && m.kind == literal && l.text != m.text:
			return false
		}
	}
}

// ends reports whether a topic of i levels may be all that p asks for.
func ends(p Pattern, i int) bool {
	return i >= len(p.levels) || p.levels[i].kind == anyRest
}

// hides reports whether p begins with a wildcard and q with a level that no
// wildcard stands for.
func (p Pattern) hides(q Pattern) bool {
	first := q.levels[0]
	return p.levels[0].kind != literal && first.kind == literal && strings.HasPrefix(first.text, "$")
}

// Prefix returns the levels before the first wildcard or capture.
func (p Pattern) Prefix() []string {
	var levels []string
	for _, l := range p.levels {
		if l.kind != literal {
			break
		}
		levels = append(levels, l.text)
	}
	return levels
}

// Literal returns the one topic that p matches; false: it matches several.
func (p Pattern) Literal() (topic string, ok bool) {
	for _, l := range p.levels {
		if l.kind != literal {
			return "", false
		}
	}
	return p.text, true
}
