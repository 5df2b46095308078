package payload

import (
	"strconv"
	"strings"

	"sluice/protocol"
)

// expand follows the rules that give a metric for each match.
func (t *tree) expand() *protocol.Refusal {
	if t.only = t.message.Metric; t.only != "" && t.isFixed(t.only) {
		return nil
	}
	for i := range t.wild {
		t.rule = &t.wild[i]
		t.matches.path = &t.rule.path
		if !t.matches.run(t.top, 0, 0) {
			return t.err
		}
	}
	return nil
}

// isFixed reports whether a fixed rule gives the metric called name.
func (t *tree) isFixed(name string) bool {
	for i := range t.fixed {
		if t.fixed[i].name == name {
			return true
		}
	}
	return false
}

// matched appends what node n holds, which the path of t.rule leads to. It is
// false when the message is refused.
func (t *tree) matched(n int) bool {
	if at := &t.doc.nodes[n]; at.taken || at.kind == nullNode {
		return true
	}
	t.name = t.name[:0]
	rest := t.rule.name
	for _, star := range t.matches.stars[:t.rule.path.stars] {
		before, after, _ := strings.Cut(rest, anyStep)
		rest = after
		t.name = append(t.name, before...)
		if t.err = t.called(star); t.err != nil {
			return false
		}
	}
	t.name = append(t.name, rest...)
	t.err = t.walk(n)
	return t.err == nil
}

// called appends what a "*" stood for to the name.
func (t *tree) called(star match) *protocol.Refusal {
	if star.name < 0 {
		t.name = strconv.AppendInt(t.name, int64(star.index), 10)
		return nil
	}
	t.name = t.doc.appendText(t.name, star.name)
	return t.checkName()
}

// checkName refuses a name that has become too long.
func (t *tree) checkName() *protocol.Refusal {
	if len(t.name) > maxName {
		return protocol.Refuse("size", "name of %d bytes, want at most %d: %s", len(t.name), maxName, excerpt(t.name))
	}
	return nil
}

// walk appends what node n holds for t.rule. t.name is the name of n, and as it
// was when walk returns.
func (t *tree) walk(n int) *protocol.Refusal {
	at := t.doc.nodes[n]
	switch {
	case at.taken || at.kind == nullNode:
		return nil
	case !t.doc.holds(n):
		return t.leaf(n)
	}
	outer := len(t.name)
	for i, index := n+1, 0; i < int(at.next); index++ {
		if n != t.top {
			t.name = append(t.name, '_')
		}
		if at.kind == objectNode {
			t.name = t.doc.appendText(t.name, i)
			i++
		} else {
			t.name = strconv.AppendInt(t.name, int64(index), 10)
		}
		if err := t.walk(i); err != nil {
			return err
		}
		t.name = t.name[:outer]
		i = int(t.doc.nodes[i].next)
	}
	return nil
}

// leaf appends the scalar at node n. Of two that have the same name the first
// one counts.
func (t *tree) leaf(n int) *protocol.Refusal {
	if len(t.name) == 0 || string(t.name) == unnamed {
		t.name = append(t.name[:0], t.unnamed()...)
	}
	if err := t.checkName(); err != nil {
		return err
	}
	if t.only != "" && string(t.name) != t.only {
		return nil
	}
	name, fresh := t.names.Use(t.name)
	if !fresh {
		return nil
	}
	if t.count+len(t.reading.Metrics) >= maxMetrics {
		return protocol.Refuse("size", "more than %d metrics", maxMetrics)
	}
	t.doc.nodes[n].taken = true
	return t.spare(t.reading, t.rule.addAs(name, t.reading, t.doc.scalar(n, &t.scratch)))
}
