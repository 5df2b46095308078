package payload

import (
	"bytes"
	"strconv"

	"sluice/protocol"
)

// meanings is what texts on the wire mean, by text.
type meanings map[string]scalar

// newMeanings compiles a metric's map. What a text means is read like a bare
// word in a file: a number, true or false, or a text.
func newMeanings(texts map[string]string) meanings {
	if len(texts) == 0 {
		return nil
	}
	m := make(meanings, len(texts))
	for sent, means := range texts {
		m[sent] = plainScalar([]byte(means))
	}
	return m
}

// of returns what s means: s itself where nothing else is said.
func (m meanings) of(s scalar) scalar {
	if means, ok := m[string(bytes.TrimSpace(s.src))]; ok {
		return means
	}
	return s
}

// ofValue is of for a value that is no text; it needs room to write it as one.
func (m meanings) ofValue(v protocol.Value, room []byte) (scalar, bool) {
	means, ok := m[string(appendPlain(room, v))]
	return means, ok
}

// plainScalar reads the words true and false as bools.
func plainScalar(text []byte) scalar {
	switch string(text) {
	case "true":
		return scalar{kind: trueNode, src: text}
	case "false":
		return scalar{kind: falseNode, src: text}
	}
	return scalar{kind: bareText, src: text}
}

// appendPlain appends v as people write it.
func appendPlain(dst []byte, v protocol.Value) []byte {
	switch v.Kind() {
	case protocol.KindFloat:
		return strconv.AppendFloat(dst, v.Float(), 'g', -1, 64)
	case protocol.KindInt:
		return strconv.AppendInt(dst, v.Int(), 10)
	case protocol.KindUint:
		return strconv.AppendUint(dst, v.Uint(), 10)
	case protocol.KindBool:
		return strconv.AppendBool(dst, v.Bool())
	}
	return append(dst, v.Text()...)
}
