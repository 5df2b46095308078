package payload

import (
	"fmt"

	"sluice/protocol"
)

// maxDepth is how deep arrays and objects may be nested.
const maxDepth = 64

// keptNodes is how many nodes a document keeps room for between messages.
const keptNodes = 1 << 14

// kind is what a node of a document is, where it can be named by its first byte
// in JSON.
type kind byte

const (
	objectNode kind = '{'
	arrayNode  kind = '['
	textNode   kind = '"'
	numberNode kind = '0' // as text
	trueNode   kind = 't'
	falseNode  kind = 'f'
	nullNode   kind = 'n' // also what is not defined

	// Binary forms have these, too.
	intNode     kind = 'i'
	uintNode    kind = 'u' // an integer that is only a uint64
	floatNode   kind = 'd'
	decimalNode kind = 'e' // an integer and a power of ten
	bigNode     kind = 'B' // an integer beyond 64 bits
	timeNode    kind = '@' // a timestamp of MessagePack
	bytesNode   kind = 'b'
)

// node is a value or a member name. What a container holds follows it, members
// as a name and a value each.
type node struct {
	start, end uint32 // its bytes in the source, a text's without the quotes; of a binary number its 64 bits
	next       uint32 // the node that follows it and all that it holds
	kind       kind
	pieces     bool // the text holds escapes, or text or bytes come in chunks
	taken      bool // a metric or the time was read from it
	extra      int8 // a decimalNode's power of ten, -1 for a negative bigNode, else a mark
}

// The marks of a node whose tag makes it a time.
const (
	markedUnix int8 = iota + 1 // seconds since 1970
	markedDate                 // a text as in RFC 3339
)

// form is a way to write a document.
type form byte

const (
	formJSON form = iota
	formCBOR
	formMsgPack
)

// document is JSON, CBOR or MessagePack as a flat list of nodes that refer to
// the source. Parsing checks everything and copies nothing, and a document that
// is used again allocates nothing. It takes 16 bytes a node, and a node takes at
// least one byte of the source.
//
// Of members with the same name the first one counts.
type document struct {
	form  form
	src   []byte
	pos   int
	nodes []node
	err   *protocol.Refusal
}

// parse reads src, which has to stay unchanged as long as the nodes are used.
// nodes[0] is the whole.
func (d *document) parse(src []byte, f form) *protocol.Refusal {
	if cap(d.nodes) > keptNodes {
		d.nodes = nil
	}
	d.form, d.src, d.pos, d.nodes, d.err = f, src, 0, d.nodes[:0], nil
	var ok bool
	switch {
	case f == formJSON:
		ok = d.parseJSON()
	case len(src) == 0:
		return protocol.Refuse("empty", "the message is empty")
	case f == formCBOR:
		ok = d.item(0)
	default:
		ok = d.packed(0)
	}
	if ok && d.pos < len(src) {
		d.want("nothing more")
	}
	return d.err
}

// want sets the error of a byte that is not what the grammar wants.
func (d *document) want(what string) bool {
	if d.pos >= len(d.src) {
		d.err = protocol.Refuse("syntax", "want %s at byte %d, found the end", what, d.pos)
	} else {
		d.err = protocol.Refuse("syntax", "want %s at byte %d, found %s", what, d.pos, excerpt(d.src[d.pos:]))
	}
	return false
}

// tooDeep sets the error of a container that is nested too deep.
func (d *document) tooDeep() bool {
	d.err = protocol.Refuse("size", "nested deeper than %d at byte %d", maxDepth, d.pos)
	return false
}

func (d *document) open(k kind) int {
	d.nodes = append(d.nodes, node{start: uint32(d.pos), kind: k})
	return len(d.nodes) - 1
}

func (d *document) close(n int) bool {
	d.nodes[n].end = uint32(d.pos)
	d.nodes[n].next = uint32(len(d.nodes))
	return true
}

// binary adds a node of a number that is held as its 64 bits.
func (d *document) binary(k kind, bits uint64) bool {
	d.nodes = append(d.nodes, node{
		kind: k, start: uint32(bits >> 32), end: uint32(bits), next: uint32(len(d.nodes) + 1),
	})
	return true
}

// integer adds the node of an integer.
func (d *document) integer(n uint64) bool {
	if n>>63 == 0 {
		return d.binary(intNode, n)
	}
	return d.binary(uintNode, n)
}

// bits returns the 64 bits of a binary number.
func (n *node) bits() uint64 { return uint64(n.start)<<32 | uint64(n.end) }

// holds reports whether node n is an object or an array.
func (d *document) holds(n int) bool {
	return d.nodes[n].kind == objectNode || d.nodes[n].kind == arrayNode
}

// source returns the bytes of node n, which is no binary number.
func (d *document) source(n int) []byte {
	return d.src[d.nodes[n].start:d.nodes[n].end]
}

// excerpt returns the beginning of node n for people.
func (d *document) excerpt(n int) string {
	at := &d.nodes[n]
	switch {
	case d.form == formJSON:
		return excerpt(d.source(n))
	case at.kind == objectNode:
		return "a map"
	case at.kind == arrayNode:
		return "an array"
	}
	var scratch []byte
	return d.scalar(n, &scratch).excerpt()
}

// excerpt returns the beginning of p for people.
func excerpt(p []byte) string {
	const most = 24
	if len(p) <= most {
		return fmt.Sprintf("%q", p)
	}
	return fmt.Sprintf("%q…", p[:most])
}
