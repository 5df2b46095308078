package payload

import "strings"

const (
	// anyStep is the step that stands for any member or element.
	anyStep = "*"
	// fromRoot begins a path that is looked for from the root.
	fromRoot = "$."
	// maxStars is how many steps of a path may be anyStep.
	maxStars = 8
)

// path is a compiled path: member names joined by dots, array elements by
// number, "*" for any one of them.
type path struct {
	text  string
	from  int   // where the first step begins in text
	ends  []int // where each step ends in text
	nums  []int // each step as an array index, notIndex when it is none
	stars int   // how many steps are "*"
}

// What stands in place of an array index.
const (
	notIndex = -1
	anyIndex = -2
)

func newPath(text string) path {
	p := path{text: text}
	if strings.HasPrefix(text, fromRoot) {
		p.from = len(fromRoot)
	}
	for i := p.from; i <= len(text); i++ {
		if i < len(text) && text[i] != '.' {
			continue
		}
		step := text[p.begin(len(p.ends)):i]
		num := index(step)
		if step == anyStep {
			num = anyIndex
			p.stars++
		}
		p.ends = append(p.ends, i)
		p.nums = append(p.nums, num)
	}
	return p
}

// index reads an array index of at most 7 digits, which is more than a message
// can hold.
func index(step string) int {
	if step == "" || len(step) > 7 || strings.Trim(step, "0123456789") != "" {
		return notIndex
	}
	n := 0
	for i := range len(step) {
		n = n*10 + int(step[i]-'0')
	}
	return n
}

// begin returns where step i begins in text.
func (p *path) begin(i int) int {
	if i == 0 {
		return p.from
	}
	return p.ends[i-1] + 1
}

// isRoot reports whether p is looked for from the root.
func (p *path) isRoot() bool { return p.from > 0 }

// find returns the node that p leads to from node n, or -1. Where p holds "*"
// that is the first one with a value that was not taken.
//
// However p is written, each node is visited at most once, because its way from
// n says how many steps of p it took.
func (d *document) find(p *path, n int) int { return d.follow(n, p, 0) }

// follow goes on from node n at the given step. A member whose name itself
// holds dots is tried after the nested way has failed.
func (d *document) follow(n int, p *path, step int) int {
	if step == len(p.ends) {
		if at := &d.nodes[n]; p.stars > 0 && (at.taken || at.kind == nullNode || d.holds(n)) {
			return -1
		}
		return n
	}
	if p.nums[step] == anyIndex {
		return d.followAny(n, p, step)
	}
	switch d.nodes[n].kind {
	case arrayNode:
		if e := d.element(n, p.nums[step]); e >= 0 {
			return d.follow(e, p, step+1)
		}
	case objectNode:
		from := p.begin(step)
		for to := step; to < len(p.ends) && p.nums[to] != anyIndex; to++ {
			m := d.member(n, p.text[from:p.ends[to]])
			if m < 0 {
				continue
			}
			if found := d.follow(m, p, to+1); found >= 0 {
				return found
			}
		}
	}
	return -1
}

// followAny goes on from each of what node n holds until one way leads on.
func (d *document) followAny(n int, p *path, step int) int {
	for i := d.firstOf(n); i < d.endOf(n); i = d.nextOf(n, i) {
		if found := d.follow(i, p, step+1); found >= 0 {
			return found
		}
	}
	return -1
}

// firstOf returns the first value that node n holds; it is not before endOf
// when there is none.
func (d *document) firstOf(n int) int {
	if d.nodes[n].kind == objectNode {
		return n + 2
	}
	return n + 1
}

// endOf returns the node after all that node n holds.
func (d *document) endOf(n int) int { return int(d.nodes[n].next) }

// nextOf returns the value in node n that follows the one at node i.
func (d *document) nextOf(n, i int) int {
	i = int(d.nodes[i].next)
	if d.nodes[n].kind == objectNode {
		return i + 1
	}
	return i
}

// member returns the first member of object n that is called name, or -1.
func (d *document) member(n int, name string) int {
	end := int(d.nodes[n].next)
	for i := n + 1; i < end; i = int(d.nodes[i+1].next) {
		if d.named(i, name) {
			return i + 1
		}
	}
	return -1
}

// named reports whether the member name at node n is name.
func (d *document) named(n int, name string) bool {
	at := &d.nodes[n]
	if at.pieces && d.form == formJSON && int(at.end-at.start) > 6*len(name) { // an escape takes at most 6 bytes for one of the text
		return false
	}
	if at.pieces || at.kind != textNode {
		var room [64]byte
		return string(d.appendText(room[:0], n)) == name
	}
	return string(d.src[at.start:at.end]) == name
}

// element returns the element of array n with the given index, or -1.
func (d *document) element(n, index int) int {
	end := int(d.nodes[n].next)
	for i := n + 1; i < end && index >= 0; i = int(d.nodes[i].next) {
		if index == 0 {
			return i
		}
		index--
	}
	return -1
}

// match is what one "*" of a path stood for.
type match struct {
	name  int // the node of a member's name, -1 for an element
	index int // of an element
}

// search calls visit for each node that p leads to from node n, in the order of
// the source, until visit returns false. What the stars stood for is in
// stars[:p.stars] meanwhile. As with find, no node is visited twice.
type search struct {
	doc   *document
	path  *path
	stars [maxStars]match
	visit func(n int) bool
}

// run reports whether visit never returned false.
func (s *search) run(n, step, star int) bool {
	d, p := s.doc, s.path
	if step == len(p.ends) {
		return s.visit(n)
	}
	if p.nums[step] == anyIndex {
		return s.runAny(n, step, star)
	}
	switch d.nodes[n].kind {
	case arrayNode:
		if e := d.element(n, p.nums[step]); e >= 0 {
			return s.run(e, step+1, star)
		}
	case objectNode:
		from := p.begin(step)
		for to := step; to < len(p.ends) && p.nums[to] != anyIndex; to++ {
			if m := d.member(n, p.text[from:p.ends[to]]); m >= 0 && !s.run(m, to+1, star) {
				return false
			}
		}
	}
	return true
}

func (s *search) runAny(n, step, star int) bool {
	d := s.doc
	if !d.holds(n) {
		return true
	}
	isObject := d.nodes[n].kind == objectNode
	for i, index := d.firstOf(n), 0; i < d.endOf(n); i, index = d.nextOf(n, i), index+1 {
		s.stars[star] = match{name: -1, index: index}
		if isObject {
			s.stars[star].name = i - 1
		}
		if !s.run(i, step+1, star+1) {
			return false
		}
	}
	return true
}
