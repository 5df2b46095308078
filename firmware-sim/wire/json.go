package wire

import (
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"

	"sluice/protocol"
	"sluice/protocol/payload"
)

// json gives f the slots and the layout of a JSON object.
func (f *Form) json(name string, p *payload.Profile) error {
	paths, targets, err := sources(p)
	if err != nil {
		return err
	}
	if len(paths) == 0 {
		for _, path := range invent(name) {
			t, _ := newTarget(joined(path), payload.Metric{})
			paths, targets[path] = append(paths, path), []target{t}
		}
	}
	root := &node{leaf: branch}
	if p.Time != nil {
		if f.clock, err = newClock(p.Time.Format, false); err != nil {
			return err
		}
		paths = slices.DeleteFunc(paths, func(path string) bool { return path == p.Time.Path })
		if len(p.Metrics) > 0 {
			f.stamps = targets[p.Time.Path]
		}
		root.place(p.Time.Path, clockLeaf)
	}
	for i, path := range paths {
		s, err := newSlot(path, targets[path])
		if err != nil {
			return err
		}
		f.slots = append(f.slots, s)
		root.place(path, i)
	}
	tree := &jsonLayout{slots: f.slots, clock: f.clock}
	root.compile(tree)
	f.layout = tree
	return nil
}

// bare gives f the slot and the layout of a message that is one value.
func (f *Form) bare(name string, m payload.Metric) error {
	t, err := newTarget(name, m)
	if err != nil {
		return err
	}
	s, err := newSlot(name, []target{t})
	if err != nil {
		return err
	}
	f.slots = []Slot{s}
	f.layout = &jsonLayout{slots: f.slots, before: []string{"", ""}, holes: []int{0}}
	return nil
}

// What a node is, when it is not the slot of that number.
const (
	branch    = -1
	clockLeaf = -2
)

// node is one value of the message.
type node struct {
	leaf int
	keys []string // in the order of the message
	kids []*node
}

// place puts a leaf at a path of names joined by dots. A path that leads
// through another leaf becomes one name with dots in it.
func (n *node) place(path string, leaf int) {
	at := n
	names := strings.Split(path, ".")
	for i, name := range names {
		kid := at.kid(name)
		last := i == len(names)-1
		if kid != nil && (last || kid.leaf != branch) {
			n.keys, n.kids = append(n.keys, path), append(n.kids, &node{leaf: leaf})
			return
		}
		if kid == nil {
			kid = &node{leaf: branch}
			at.keys, at.kids = append(at.keys, name), append(at.kids, kid)
		}
		if last {
			kid.leaf = leaf
		}
		at = kid
	}
}

func (n *node) kid(name string) *node {
	if i := slices.Index(n.keys, name); i >= 0 {
		return n.kids[i]
	}
	return nil
}

// elements returns how many elements an array must have that holds the kids, or
// false when some key is not the number of an element.
func (n *node) elements() (int, bool) {
	most := -1
	for _, key := range n.keys {
		i, err := strconv.Atoi(key)
		if err != nil || i < 0 || i > 63 || strconv.Itoa(i) != key {
			return 0, false
		}
		most = max(most, i)
	}
	return most + 1, true
}

// compile writes the message with holes for the leaves.
func (n *node) compile(out *jsonLayout) {
	if n.leaf != branch {
		out.hole(n.leaf)
		return
	}
	if count, ok := n.elements(); ok {
		out.literal("[")
		for i := range count {
			out.comma(i)
			if kid := n.kid(strconv.Itoa(i)); kid != nil {
				kid.compile(out)
			} else {
				out.literal("null")
			}
		}
		out.literal("]")
		return
	}
	out.literal("{")
	for i, key := range n.keys {
		out.comma(i)
		out.literal(string(protocol.AppendJSONString(nil, key)) + ":")
		n.kids[i].compile(out)
	}
	out.literal("}")
}

// jsonLayout is a message with holes: before[i] goes before holes[i], and the
// last of before closes the message.
type jsonLayout struct {
	slots  []Slot
	clock  *clock
	before []string
	holes  []int
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

func (l *jsonLayout) hole(leaf int) {
	l.literal("")
	l.holes = append(l.holes, leaf)
}

func (l *jsonLayout) compose(dst []byte, _ *rand.Rand, texts []string, time string) ([]byte, bool) {
	for i, leaf := range l.holes {
		dst = append(dst, l.before[i]...)
		switch {
		case leaf == clockLeaf && l.clock.quoted():
			dst = protocol.AppendJSONString(dst, time)
		case leaf == clockLeaf:
			dst = append(dst, time...)
		case l.slots[leaf].quoted():
			dst = protocol.AppendJSONString(dst, texts[leaf])
		default:
			dst = append(dst, texts[leaf]...)
		}
	}
	return append(dst, l.before[len(l.before)-1]...), true
}

// quoted reports whether JSON carries the slot as a string.
func (s *Slot) quoted() bool {
	if s.Kind == Word {
		return true
	}
	for i := range s.targets {
		if s.targets[i].typ == "string" {
			return true
		}
	}
	return false
}
