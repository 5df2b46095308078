package payload

import (
	"cmp"
	"slices"
	"strings"

	"sluice/protocol"
	"sluice/protocol/payload/plain"
)

// tree reads JSON, CBOR and MessagePack: the metrics that the profile lists, and
// every scalar that no rule took if the profile keeps those.
//
// Rules without "*" are followed first, then those with it, the more exact ones
// before the others; what one of them took no later "*" takes. A path costs at
// most one look at each node, so that a message costs its size times the number
// of rules whatever its shape.
type tree struct {
	plan
	form    form
	each    *path  // what is a reading each, nil: the whole message
	fixed   []rule // give one metric
	outer   []rule // give one metric that stands beside the readings
	found   []int  // where, or -1
	clock   int    // where the time stands beside the readings, or -1
	wild    []rule // give a metric for all that their "*" stands for
	free    rule   // of what no rule mentions
	unix    stamp  // of times that say themselves that they are seconds
	date    stamp  // or a date
	doc     document
	names   plain.Words
	scratch []byte // the text of the value being looked at

	// Of the message being decoded.
	batch   *protocol.Batch
	message Message
	count   int // metrics in its readings
	err     *protocol.Refusal

	// Of the reading being filled.
	reading *protocol.Reading
	top     int    // its node
	name    []byte // of the value being looked at
	rule    *rule  // that the value belongs to
	only    string // the one metric that is wanted, "" for all

	elements, matches search
}

// newTree takes the path whose elements are a reading each, "" for none.
func newTree(p plan, f form, each string) *tree {
	t := &tree{plan: p, form: f, names: plain.Words{Most: keptNames}}
	t.unix, t.date = *newStamp(&Time{Format: "unix"}), *newStamp(&Time{Format: "rfc3339"})
	for i := range p.rules {
		switch r := p.rules[i]; {
		case r.path.stars > 0 && strings.Contains(r.name, anyStep):
			t.wild = append(t.wild, r)
		case each != "" && r.path.isRoot():
			t.outer = append(t.outer, r)
		default:
			t.fixed = append(t.fixed, r)
		}
	}
	slices.SortStableFunc(t.fixed, func(a, b rule) int { return cmp.Compare(min(a.path.stars, 1), min(b.path.stars, 1)) })
	slices.SortStableFunc(t.wild, func(a, b rule) int {
		return cmp.Or(cmp.Compare(a.path.stars, b.path.stars), cmp.Compare(len(b.path.ends), len(a.path.ends)))
	})
	t.found = make([]int, len(t.outer))
	t.matches = search{doc: &t.doc, visit: t.matched}
	if each != "" {
		t.each = newEach(each)
		t.elements = search{doc: &t.doc, path: t.each, visit: t.element}
	}
	return t
}

// newEach returns the path of the elements of what text leads to, "$" being the
// root. A "*" at the end of text stands for them already.
func newEach(text string) *path {
	switch {
	case text == "$":
		text = anyStep
	case text != anyStep && !strings.HasSuffix(text, "."+anyStep):
		text += "." + anyStep
	}
	p := newPath(text)
	return &p
}

// Decode implements Decoder.
func (t *tree) Decode(b *protocol.Batch, m Message) error {
	if err := oversized(m.Payload); err != nil {
		return err
	}
	t.name, t.scratch = again(t.name), again(t.scratch)
	if err := t.doc.parse(m.Payload, t.form); err != nil {
		return err
	}
	t.batch, t.message, t.count, t.err = b, m, 0, nil
	t.beside()
	first := len(b.Readings)
	if t.each == nil {
		t.element(0)
	} else {
		t.elements.run(0, 0, 0)
	}
	t.batch, t.message, t.reading, t.doc.src = nil, Message{}, nil, nil
	return t.settle(b, first, t.err)
}

// beside looks once for all that begins at the root.
func (t *tree) beside() {
	for i := range t.outer {
		t.found[i] = t.doc.find(&t.outer[i].path, 0)
	}
	if t.when != nil && t.when.path.isRoot() {
		t.clock = t.doc.find(&t.when.path, 0)
	}
}

// element adds the reading that node n is. It is false when the message is
// refused.
func (t *tree) element(n int) bool {
	t.reading, t.top = begin(t.batch, t.message), n
	t.err = t.fill()
	t.count += len(t.reading.Metrics)
	last := len(t.batch.Readings) - 1
	switch {
	case t.err != nil:
	case len(t.reading.Metrics) == 0:
		t.batch.Readings = t.batch.Readings[:last]
	case t.each != nil && t.count > maxMetrics:
		t.err = protocol.Refuse("size", "more than %d metrics", maxMetrics)
	}
	return t.err == nil
}

// fill sets the reading of the node t.top. What stands beside the readings makes
// none by itself.
func (t *tree) fill() *protocol.Refusal {
	if err := t.time(); err != nil {
		return err
	}
	if len(t.wild) > 0 || t.keep {
		t.reserve()
	}
	if err := t.own(); err != nil || len(t.reading.Metrics) == 0 {
		return err
	}
	for i := range t.outer {
		r := &t.outer[i]
		if !t.wanted(r) {
			continue
		}
		if err := t.add(r, t.found[i]); err != nil {
			return err
		}
	}
	return nil
}

// reserve begins the names of a reading with those of what stands beside it.
func (t *tree) reserve() {
	t.names.Next()
	for i, n := range t.found {
		if t.wanted(&t.outer[i]) && n >= 0 && t.doc.nodes[n].kind != nullNode {
			t.names.Take(t.outer[i].name)
		}
	}
}

// wanted reports whether r applies to a message whose topic may name a metric.
func (t *tree) wanted(r *rule) bool {
	return t.message.Metric == "" || t.message.Metric == r.name
}

// own appends what stands in the element itself.
func (t *tree) own() *protocol.Refusal {
	if !t.doc.holds(t.top) {
		return t.bare()
	}
	for i := range t.fixed {
		r := &t.fixed[i]
		if !t.wanted(r) {
			continue
		}
		if err := t.add(r, t.doc.find(&r.path, t.top)); err != nil {
			return err
		}
	}
	if err := t.expand(); err != nil || !t.keep {
		return err
	}
	t.rule, t.only, t.name = &t.free, "", t.name[:0]
	return t.walk(t.top)
}

// add appends the value at node n for a rule that gives one metric, if there is
// one.
func (t *tree) add(r *rule, n int) *protocol.Refusal {
	switch {
	case n < 0 || t.doc.nodes[n].kind == nullNode:
		return nil
	case t.doc.holds(n):
		return t.spare(t.reading, protocol.Refuse("type", "metric %s: want one value, found %s", r.name, t.doc.excerpt(n)))
	}
	t.doc.nodes[n].taken = true
	if len(t.wild) > 0 || t.keep {
		t.names.Take(r.name)
	}
	return t.spare(t.reading, r.add(t.reading, t.doc.scalar(n, &t.scratch)))
}

// bare reads a message or an element that is one value, for the metric of its
// name.
func (t *tree) bare() *protocol.Refusal {
	if t.doc.nodes[t.top].kind == nullNode || t.doc.nodes[t.top].taken {
		return nil
	}
	name := t.unnamed()
	for i := range t.fixed {
		if r := &t.fixed[i]; r.name == name {
			return t.spare(t.reading, r.add(t.reading, t.doc.scalar(t.top, &t.scratch)))
		}
	}
	t.rule, t.only, t.name = &t.free, "", t.name[:0]
	for i := range t.wild {
		if like(t.wild[i].name, name) {
			t.rule = &t.wild[i]
			return t.leaf(t.top)
		}
	}
	if !t.keep {
		return nil
	}
	return t.leaf(t.top)
}

// unnamed returns the name of a value that has none of its own.
func (t *tree) unnamed() string {
	if t.message.Metric == "" {
		return unnamed
	}
	return t.message.Metric
}

// like reports whether name is what pattern makes when each "*" is replaced by
// some text.
func like(pattern, name string) bool {
	before, rest, any := strings.Cut(pattern, anyStep)
	name, ok := strings.CutPrefix(name, before)
	if !any || !ok {
		return ok && name == ""
	}
	for {
		piece, more, any := strings.Cut(rest, anyStep)
		if !any {
			return strings.HasSuffix(name, piece)
		}
		at := strings.Index(name, piece)
		if at < 0 {
			return false
		}
		name, rest = name[at+len(piece):], more
	}
}

// time sets the device's time, if there is one.
func (t *tree) time() *protocol.Refusal {
	if t.when == nil {
		return nil
	}
	n := t.clock
	if !t.when.path.isRoot() {
		n = t.doc.find(&t.when.path, t.top)
	}
	if n < 0 || t.doc.nodes[n].kind == nullNode {
		return nil
	}
	at := &t.doc.nodes[n]
	at.taken = true
	when := t.when
	switch {
	case at.extra == markedUnix && (at.kind == intNode || at.kind == floatNode), at.kind == timeNode:
		when = &t.unix
	case at.extra == markedDate && at.kind == textNode:
		when = &t.date
	case at.kind == trueNode || at.kind == falseNode || at.kind == bytesNode || t.doc.holds(n):
		return protocol.Refuse("time", "want a number or a text, found %s", t.doc.excerpt(n))
	}
	var err *protocol.Refusal
	t.reading.SourceTime, err = when.read(t.doc.scalar(n, &t.scratch))
	return err
}
