package wire

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"sluice/protocol/payload"
)

// tree gives f the slots and the shape of a message that is an object, for a
// profile whose readings are at each ("" for the message itself). Only is the
// one metric that the message is about, "" for all.
func (f *Form) tree(name string, p *payload.Profile, each, only string) (*treeShape, error) {
	list, err := newPlaces(name, p, each, only)
	if err != nil {
		return nil, err
	}
	root := &node{leaf: branch}
	if p.Time != nil {
		if f.clock, err = newClock(p.Time, false); err != nil {
			return nil, err
		}
		f.stamps = list.take(list.time)
		f.clock.asText = slices.ContainsFunc(f.stamps, func(t target) bool { return t.typ == "string" })
		_ = root.place(list.time, clockLeaf) // the first one
	}
	for i, at := range list.all {
		s, err := newSlot(at.path, at.targets, typed)
		if err != nil {
			return nil, err
		}
		f.slots = append(f.slots, s)
		if !root.place(at.path, i) {
			return nil, fmt.Errorf("a message cannot hold a value at %q beside the others", at.path)
		}
	}
	return root.shape(f.slots, f.clock), nil
}

// bare gives f the slot and the shape of a message that is one value.
func (f *Form) bare(name string, m payload.Metric) (*treeShape, error) {
	t, err := newTarget(name, m)
	if err != nil {
		return nil, err
	}
	s, err := newSlot(name, []target{t}, f.spell)
	if err != nil {
		return nil, err
	}
	f.slots = []Slot{s}
	return (&node{leaf: 0}).shape(f.slots, nil), nil
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

// place puts a leaf at a path of names joined by dots, and reports false when
// something else is there. From where a path leads through another leaf the rest
// of it is one name with dots in it.
func (n *node) place(path string, leaf int) bool {
	at := n
	names := strings.Split(path, ".")
	for i, name := range names {
		kid := at.kid(name)
		last := i == len(names)-1
		switch {
		case kid != nil && last:
			return false
		case kid != nil && kid.leaf != branch:
			name, last = strings.Join(names[i:], "."), true
			if kid = at.kid(name); kid != nil {
				return false
			}
		}
		if kid == nil {
			kid = &node{leaf: branch}
			at.keys, at.kids = append(at.keys, name), append(at.kids, kid)
		}
		if last {
			kid.leaf = leaf
			break
		}
		at = kid
	}
	return true
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

// treeShape is a message without its values.
type treeShape struct {
	root  *node
	slots []Slot
	clock *clock // nil when no leaf is a time
}

func (n *node) shape(slots []Slot, c *clock) *treeShape { return &treeShape{n, slots, c} }

// leaf returns what a leaf holds and how it is shown.
func (t *treeShape) leaf(leaf int, m *message) (text string, kind Kind) {
	switch {
	case leaf != clockLeaf:
		return m.texts[leaf], t.slots[leaf].shown
	case t.clock.quoted():
		return m.time, Word
	}
	return m.time, Number
}
