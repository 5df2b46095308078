package wire

import (
	"strconv"

	"sluice/protocol"
)

// json returns the layout that writes the message as JSON.
func (t *treeShape) json() layout {
	l := &jsonLayout{shape: t}
	l.compile(t.root)
	return l
}

// jsonLayout is a message with holes: before[i] goes before holes[i], and the
// last of before closes the message.
type jsonLayout struct {
	shape  *treeShape
	before []string
	holes  []int
}

// compile writes the message with holes for the leaves.
func (l *jsonLayout) compile(n *node) {
	if n.leaf != branch {
		l.literal("")
		l.holes = append(l.holes, n.leaf)
		l.literal("")
		return
	}
	if count, ok := n.elements(); ok {
		l.array(n, count)
		return
	}
	l.literal("{")
	for i, key := range n.keys {
		l.comma(i)
		l.literal(string(protocol.AppendJSONString(nil, key)) + ":")
		l.compile(n.kids[i])
	}
	l.literal("}")
}

func (l *jsonLayout) array(n *node, count int) {
	l.literal("[")
	for i := range count {
		l.comma(i)
		if kid := n.kid(strconv.Itoa(i)); kid != nil {
			l.compile(kid)
		} else {
			l.literal("null")
		}
	}
	l.literal("]")
}

func (l *jsonLayout) literal(s string) {
	if len(l.before) == len(l.holes) {
		l.before = append(l.before, "")
	}
	l.before[len(l.before)-1] += s
}

func (l *jsonLayout) comma(i int) {
	if i > 0 {
		l.literal(",")
	}
}

func (l *jsonLayout) compose(dst []byte, m *message) ([]byte, bool) {
	for i, leaf := range l.holes {
		dst = append(dst, l.before[i]...)
		if text, kind := l.shape.leaf(leaf, m); kind == Word {
			dst = protocol.AppendJSONString(dst, text)
		} else {
			dst = append(dst, text...)
		}
	}
	return append(dst, l.before[len(l.before)-1]...), true
}
