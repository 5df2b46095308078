package payload

import (
	"bytes"
	"strconv"
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
	var room [32]byte
	if means, ok := m[string(s.plain(room[:0]))]; ok {
		return means
	}
	return s
}

// plain returns s as people write it, in room where it has to be written.
func (s scalar) plain(room []byte) []byte {
	switch s.kind {
	case trueNode, falseNode:
		return strconv.AppendBool(room, s.kind == trueNode)
	case intNode:
		return strconv.AppendInt(room, int64(s.num), 10)
	case uintNode:
		return strconv.AppendUint(room, s.num, 10)
	case floatNode:
		f, _ := s.float()
		return strconv.AppendFloat(room, f, 'g', -1, 64)
	}
	return bytes.TrimSpace(s.src)
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
