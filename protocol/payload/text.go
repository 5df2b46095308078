package payload

import (
	"strconv"
	"unicode/utf16"
	"unicode/utf8"

	"sluice/protocol"
)

// text reads a string; its node is the content between the quotes.
func (d *document) text() bool {
	d.pos++
	n := d.open(textNode)
	pieces := false
	for d.pos < len(d.src) {
		switch c := d.src[d.pos]; {
		case c == '"':
			d.nodes[n].pieces = pieces
			d.close(n)
			d.pos++
			return true
		case c == '\\':
			pieces = true
			if !d.escape() {
				return false
			}
		case c < ' ':
			return d.want("an escaped control character")
		default:
			d.pos++
		}
	}
	return d.want("a closing quote")
}

// escape steps over one escape, or over two that form a surrogate pair.
func (d *document) escape() bool {
	d.pos++
	switch d.here() {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		d.pos++
		return true
	case 'u':
	default:
		return d.want("an escape")
	}
	r, ok := hex4(d.src[d.pos+1:])
	if !ok {
		return d.want("u and 4 hexadecimal digits")
	}
	if !utf16.IsSurrogate(r) {
		d.pos += 5
		return true
	}
	low, ok := secondHalf(d.src[d.pos+5:])
	if !ok || utf16.DecodeRune(r, low) == utf8.RuneError {
		d.err = protocol.Refuse("utf8", "half a surrogate pair at byte %d", d.pos)
		return false
	}
	d.pos += 11
	return true
}

// secondHalf reads the escape that follows the first half of a surrogate pair.
func secondHalf(p []byte) (rune, bool) {
	if len(p) < 6 || p[0] != '\\' || p[1] != 'u' {
		return 0, false
	}
	return hex4(p[2:])
}

// hex4 reads 4 hexadecimal digits at the beginning of p.
func hex4(p []byte) (rune, bool) {
	if len(p) < 4 {
		return 0, false
	}
	var r rune
	for _, c := range p[:4] {
		switch {
		case '0' <= c && c <= '9':
			r = r<<4 | rune(c-'0')
		case 'a' <= c|0x20 && c|0x20 <= 'f':
			r = r<<4 | rune(c|0x20-'a'+10)
		default:
			return 0, false
		}
	}
	return r, true
}

// appendText appends the text of node n, a text or the name of a member, with
// its escapes resolved and its chunks joined.
func (d *document) appendText(dst []byte, n int) []byte {
	at := &d.nodes[n]
	switch {
	case at.kind == intNode:
		return strconv.AppendInt(dst, int64(at.bits()), 10)
	case at.kind == uintNode:
		return strconv.AppendUint(dst, at.bits(), 10)
	case !at.pieces:
		return append(dst, d.src[at.start:at.end]...)
	case d.form == formCBOR:
		return appendChunks(dst, d.src[at.start:at.end])
	}
	p := d.src[at.start:at.end]
	for i := 0; i < len(p); {
		if p[i] != '\\' {
			dst = append(dst, p[i])
			i++
			continue
		}
		r, size := resolve(p[i:])
		dst = utf8.AppendRune(dst, r)
		i += size
	}
	return dst
}

// resolve returns the character of the checked escape at the beginning of p
// and the escape's length.
func resolve(p []byte) (rune, int) {
	switch p[1] {
	case 'b':
		return '\b', 2
	case 'f':
		return '\f', 2
	case 'n':
		return '\n', 2
	case 'r':
		return '\r', 2
	case 't':
		return '\t', 2
	case 'u':
		r, _ := hex4(p[2:])
		if !utf16.IsSurrogate(r) {
			return r, 6
		}
		low, _ := hex4(p[8:])
		return utf16.DecodeRune(r, low), 12
	}
	return rune(p[1]), 2
}
