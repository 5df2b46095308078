package lineproto

import (
	"bytes"
	"strconv"
	"unicode/utf8"

	"sluice/protocol"
)

// fields reads the fields of a line of s.
func (d *Decoder) fields(r *protocol.Reading, s *series) *protocol.Refusal {
	d.line++
	for {
		n, err := d.field(s)
		if err != nil {
			return err
		}
		value, err := d.value(n)
		if err != nil {
			return err
		}
		if n.used != d.line {
			if n.used = d.line; d.metrics == maxMetrics {
				return d.refuse("size", "more than %d metrics", maxMetrics)
			}
			d.metrics++
			r.Metrics = append(r.Metrics, protocol.Metric{Name: n.text, Value: value})
		}
		switch {
		case d.here() == ',':
			d.pos++
		case d.pos < len(d.src) && !isIn(d.here(), " \r\n"):
			return d.refuse("syntax", "want a comma or a blank after %s, found %s", brief(n.text), d.found())
		default:
			return nil
		}
	}
}

// field reads a key and the = behind it. A key that is known is neither checked
// nor unescaped again.
func (d *Decoder) field(s *series) (*name, *protocol.Refusal) {
	rest := d.src[d.pos:]
	raw := rest[:until(rest, '=')]
	if n := s.known[string(raw)]; n != nil && len(raw) < len(rest) {
		d.pos += len(raw) + 1
		return n, nil
	}
	p := parser{src: rest}
	key, err := p.name("field", endsKey, false)
	d.pos += p.pos
	switch {
	case err != nil:
		return nil, d.refuse(err.Reason, "%w", err.Err)
	case d.here() != '=':
		return nil, d.refuse("syntax", "want = after the field %s, found %s", brief(key), d.found())
	}
	d.pos++
	return d.known.name(s, raw, key), nil
}

// value reads the value of the field n.
func (d *Decoder) value(n *name) (protocol.Value, *protocol.Refusal) {
	if d.here() == '"' {
		text, err := d.text(n)
		return protocol.String(text), err
	}
	from := d.pos
	for d.pos < len(d.src) && !isIn(d.src[d.pos], ", \r\n") {
		d.pos++
	}
	word := d.src[from:d.pos]
	v, ok := literal(word)
	if !ok {
		return v, d.refuse("syntax", "the field %s is %s, which is no finite number, boolean or text in quotes", brief(n.text), brief(string(word)))
	}
	return v, nil
}

// literal reads a number or a boolean.
func literal(word []byte) (protocol.Value, bool) {
	switch string(word) {
	case "":
		return protocol.Value{}, false
	case "t", "T", "true", "True", "TRUE":
		return protocol.Bool(true), true
	case "f", "F", "false", "False", "FALSE":
		return protocol.Bool(false), true
	}
	if word[0] == '+' {
		return protocol.Value{}, false
	}
	last := len(word) - 1
	switch word[last] {
	case 'i':
		n, err := strconv.ParseInt(string(word[:last]), 10, 64)
		return protocol.Int(n), err == nil
	case 'u':
		n, err := strconv.ParseUint(string(word[:last]), 10, 64)
		return protocol.Uint(n), err == nil
	}
	for _, c := range word {
		if !isDigit(c) && !isIn(c, ".-+eE") {
			return protocol.Value{}, false // strconv reads more than numbers
		}
	}
	f, err := strconv.ParseFloat(string(word), 64)
	return protocol.Float(f), err == nil
}

// text reads a text in quotes.
func (d *Decoder) text(n *name) (string, *protocol.Refusal) {
	d.pos++
	rest, end := d.src[d.pos:], 0
	for end < len(rest) && rest[end] != '"' {
		if rest[end] == '\\' {
			end++
		}
		end++
	}
	if end >= len(rest) {
		return "", d.refuse("syntax", "the text of the field %s does not end", brief(n.text))
	}
	raw := rest[:end]
	d.pos += len(raw) + 1
	if bytes.IndexByte(raw, '\\') >= 0 {
		raw = d.unescape(raw)
	}
	if text, ok := d.texts[string(raw)]; ok {
		return text, nil
	}
	if !utf8.Valid(raw) {
		return "", d.refuse("utf8", "the text of the field %s is not UTF-8", brief(n.text))
	}
	return d.keep(raw), nil
}

// unescape returns raw without the backslashes before quotes and backslashes.
func (d *Decoder) unescape(raw []byte) []byte {
	if d.buf = d.buf[:0]; cap(d.buf) > 64<<10 {
		d.buf = nil
	}
	for i := 0; i < len(raw); i++ {
		if raw[i] == '\\' && i+1 < len(raw) && (raw[i+1] == '"' || raw[i+1] == '\\') {
			i++
		}
		d.buf = append(d.buf, raw[i])
	}
	return d.buf
}

// What is remembered of texts: short ones, because they repeat, and not too many.
const (
	maxText  = 64
	maxTexts = 4096
)

// keep returns raw as a string.
func (d *Decoder) keep(raw []byte) string {
	text := string(raw)
	if len(text) <= maxText {
		if len(d.texts) == maxTexts {
			clear(d.texts)
		}
		d.texts[text] = text
	}
	return text
}
