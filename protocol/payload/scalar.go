package payload

import (
	"bytes"

	"sluice/protocol"
)

// bareText is the kind of a scalar from a line of text, where nothing tells
// 21.5 from a word. It stands beside the kinds of a document's nodes.
const bareText kind = 'l'

// scalar is one value as it was sent. Its source is the decoder's or the
// caller's memory, so what is kept is copied.
type scalar struct {
	kind kind // textNode, numberNode, trueNode, falseNode or bareText
	src  []byte
}

// decimal reads a number, or a text that holds one.
func (s scalar) decimal() (decimal, bool) {
	switch s.kind {
	case numberNode:
		return parseDecimal(s.src)
	case textNode, bareText:
		return parseDecimal(bytes.TrimSpace(s.src))
	}
	return decimal{}, false
}

// asSent returns the value of a metric without a type.
func (s scalar) asSent() (protocol.Value, bool) {
	switch s.kind {
	case trueNode, falseNode:
		return protocol.Bool(s.kind == trueNode), true
	case textNode:
		return protocol.String(string(s.src)), true
	}
	if d, ok := s.decimal(); ok {
		if v, ok := d.value(); ok {
			return v, true
		}
	}
	return protocol.String(string(s.src)), s.kind == bareText
}

// bool reads true and false, 1 and 0, and the words that devices write.
func (s scalar) bool() (value, ok bool) {
	if s.kind == trueNode || s.kind == falseNode {
		return s.kind == trueNode, true
	}
	if d, ok := s.decimal(); ok {
		n, ok := d.uint()
		return n == 1, ok && n <= 1
	}
	word := bytes.TrimSpace(s.src)
	for _, w := range [...]string{"true", "on"} {
		if bytes.EqualFold(word, []byte(w)) {
			return true, true
		}
	}
	for _, w := range [...]string{"false", "off"} {
		if bytes.EqualFold(word, []byte(w)) {
			return false, true
		}
	}
	return false, false
}
