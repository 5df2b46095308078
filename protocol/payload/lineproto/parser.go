package lineproto

import (
	"slices"
	"strconv"
	"unicode/utf8"

	"sluice/protocol"
)

// parser takes names apart that are met for the first time.
type parser struct {
	src []byte
	pos int
}

// The bytes that end a name, and so stand after a backslash inside it.
const (
	endsMeasurement = ", "
	endsKey         = ",= " // tag keys, tag values and field keys
)

// identity reads measurement and tags, the tags sorted and no key there twice.
func (p *parser) identity() (measurement string, tags []protocol.Tag, err *protocol.Refusal) {
	if measurement, err = p.name("measurement", endsMeasurement, false); err != nil {
		return "", nil, err
	}
	for p.pos < len(p.src) && p.src[p.pos] == ',' {
		p.pos++
		tag, err := p.tag()
		if err != nil {
			return "", nil, err
		}
		if tags = append(tags, tag); len(tags) > maxTags {
			return "", nil, protocol.Refuse("size", "more than %d tags", maxTags)
		}
	}
	slices.SortStableFunc(tags, byKey)
	for i := 1; i < len(tags); i++ {
		if tags[i-1].Key == tags[i].Key {
			return "", nil, protocol.Refuse("syntax", "the tag %s is there twice", brief(tags[i].Key))
		}
	}
	return measurement, tags, nil
}

func (p *parser) tag() (tag protocol.Tag, err *protocol.Refusal) {
	if tag.Key, err = p.name("tag", endsKey, false); err != nil {
		return tag, err
	}
	if p.pos == len(p.src) || p.src[p.pos] != '=' {
		return tag, protocol.Refuse("syntax", "want = after the tag %s, found %s", brief(tag.Key), found(p.src[p.pos:]))
	}
	p.pos++
	tag.Value, err = p.name("tag's value", endsKey, true)
	return tag, err
}

// name reads up to one of the bytes in ends, a control character or, where those
// are allowed as InfluxDB does in a tag's value, the end of the line. A backslash
// takes one of ends literally, and stands for itself before other bytes.
func (p *parser) name(what, ends string, controls bool) (string, *protocol.Refusal) {
	text := make([]byte, 0, 32)
	for ; p.pos < len(p.src); p.pos++ {
		c := p.src[p.pos]
		if c == '\\' && p.pos+1 < len(p.src) && isIn(p.src[p.pos+1], ends) {
			p.pos++
			c = p.src[p.pos]
		} else if isIn(c, ends) || c == '\n' || c == '\r' || isControl(c) && !controls {
			break
		}
		text = append(text, c)
	}
	switch {
	case len(text) == 0:
		return "", protocol.Refuse("syntax", "want a %s, found %s", what, found(p.src[p.pos:]))
	case !utf8.Valid(text):
		return "", protocol.Refuse("utf8", "the %s %s is not UTF-8", what, brief(string(text)))
	}
	return string(text), nil
}

func isIn(c byte, set string) bool {
	for i := range len(set) {
		if set[i] == c {
			return true
		}
	}
	return false
}

func isDigit(c byte) bool { return c-'0' <= 9 }

func isControl(c byte) bool { return c < ' ' || c == 0x7f }

// found says what stands at the beginning of rest.
func found(rest []byte) string {
	if len(rest) == 0 {
		return "the end"
	}
	_, size := utf8.DecodeRune(rest)
	return strconv.Quote(string(rest[:size]))
}

// brief returns s quoted, and cut when it is long.
func brief(s string) string {
	const most = 40
	if len(s) > most {
		return strconv.Quote(s[:most]) + "…"
	}
	return strconv.Quote(s)
}
