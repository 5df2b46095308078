package payload

import "strings"

// path is a compiled path: member names joined by dots, array elements by
// number.
type path struct {
	text string
	ends []int // where each step ends in text
	nums []int // each step as an array index, -1 when it is none
}

func newPath(text string) path {
	p := path{text: text}
	for i := 0; i <= len(text); i++ {
		if i == len(text) || text[i] == '.' {
			step := text[p.begin(len(p.ends)):i]
			p.ends = append(p.ends, i)
			p.nums = append(p.nums, index(step))
		}
	}
	return p
}

// index reads an array index of at most 7 digits, which is more than a message
// can hold.
func index(step string) int {
	if step == "" || len(step) > 7 || strings.Trim(step, "0123456789") != "" {
		return -1
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
		return 0
	}
	return p.ends[i-1] + 1
}

// find returns the node that p leads to, or -1.
func (d *document) find(p *path) int { return d.follow(0, p, 0) }

// follow goes on from node n at the given step. A member whose name itself
// holds dots is tried after the nested way has failed.
func (d *document) follow(n int, p *path, step int) int {
	if step == len(p.ends) {
		return n
	}
	switch d.nodes[n].kind {
	case arrayNode:
		if e := d.element(n, p.nums[step]); e >= 0 {
			return d.follow(e, p, step+1)
		}
	case objectNode:
		from := p.begin(step)
		for to := step; to < len(p.ends); to++ {
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
	if at.escaped {
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
