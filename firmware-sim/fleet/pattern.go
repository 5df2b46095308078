package fleet

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"sluice/protocol"
)

// pattern is a topic with captures: {name} is one level, {name...} the rest.
type pattern struct{ levels []level }

type level struct {
	text string // literal, or the name of a capture, "" for a plain wildcard
	open bool   // a capture or a wildcard
	rest bool   // reaches to the end
}

func parsePattern(topic string) (pattern, error) {
	var p pattern
	if topic == "" {
		return p, errors.New("is empty")
	}
	parts := strings.Split(topic, "/")
	for i, part := range parts {
		l := level{text: part}
		switch {
		case part == "+":
			l = level{open: true}
		case part == "#":
			l = level{open: true, rest: true}
		case strings.HasPrefix(part, "{") && strings.HasSuffix(part, "}"):
			l.text, l.open = part[1:len(part)-1], true
			l.text, l.rest = strings.CutSuffix(l.text, "...")
		case strings.ContainsAny(part, "{}+#"):
			return p, fmt.Errorf("has %q, where a capture is a whole level", part)
		}
		if l.rest && i < len(parts)-1 {
			return p, fmt.Errorf("goes on after %q", part)
		}
		p.levels = append(p.levels, l)
	}
	return p, nil
}

func (p pattern) captures(name string) bool {
	return slices.ContainsFunc(p.levels, func(l level) bool { return l.open && l.text == name })
}

// fill returns what the levels of the i-th device hold. Places such as areas
// are shared by several devices, in all combinations.
func (p pattern) fill(device string, i int) []string {
	const places = 4
	texts := make([]string, len(p.levels))
	for n, l := range p.levels {
		switch {
		case !l.open:
			texts[n] = l.text
		case l.text == "device":
			texts[n] = device
		case l.text == "metric": // set for each message
		default:
			texts[n] = string(rune('a' + i%places))
			i /= places
			if l.rest {
				texts[n] += "/1"
			}
		}
	}
	return texts
}

// topic returns the topic of filled levels.
func (p pattern) topic(texts []string, metric string) string {
	texts = slices.Clone(texts)
	for i, l := range p.levels {
		if l.open && l.text == "metric" {
			texts[i] = metric
		}
	}
	return strings.Join(texts, "/")
}

// tags returns what the captures say about a device.
func (p pattern) tags(texts []string) []protocol.Tag {
	var tags []protocol.Tag
	for i, l := range p.levels {
		if l.open && l.text != "" && l.text != "device" && l.text != "metric" {
			tags = append(tags, protocol.Tag{Key: l.text, Value: texts[i]})
		}
	}
	return tags
}

// matches reports whether topic fits the pattern.
func (p pattern) matches(topic string) bool {
	parts := strings.Split(topic, "/")
	for i, l := range p.levels {
		switch {
		case l.rest:
			return i < len(parts) || l.text == ""
		case i >= len(parts) || !l.open && l.text != parts[i]:
			return false
		}
	}
	return len(parts) == len(p.levels)
}
