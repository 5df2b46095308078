package sml

import (
	"sluice/protocol"
)

// kind is the type of a field, the upper bits of its first byte.
type kind byte

const (
	octets   kind = 0x00
	boolean  kind = 0x40
	signed   kind = 0x50
	unsigned kind = 0x60
	list     kind = 0x70
	broken   kind = 0xff // the reader has stopped
)

// field is one field as it stands in the file. An optional field that is left
// out is one of no octets.
type field struct {
	kind  kind
	data  []byte // not of a list
	count int    // the elements of a list
}

func (f field) absent() bool { return f.kind == octets && len(f.data) == 0 }

// word returns the number of a signed field with its sign extended, of an
// unsigned one as it is, and false of other fields and wider numbers.
func (f field) word() (uint64, bool) {
	if f.kind != signed && f.kind != unsigned || len(f.data) == 0 || len(f.data) > 8 {
		return 0, false
	}
	var n uint64
	if f.kind == signed && f.data[0]&0x80 != 0 {
		n = ^n
	}
	for _, c := range f.data {
		n = n<<8 | uint64(c)
	}
	return n, true
}

// reader walks over the fields of a file. It stops at the first mistake.
type reader struct {
	src []byte
	pos int
	err *protocol.Refusal
}

func (r *reader) fail(format string, args ...any) {
	if r.err == nil {
		r.err = protocol.Refuse("syntax", format, args...)
	}
}

// next reads a field; of a list its head alone.
func (r *reader) next() field {
	if r.err != nil {
		return field{kind: broken}
	}
	head := r.pos
	first, length, ok := r.head()
	if !ok {
		r.fail("the file ends in the field at byte %d", head)
		return field{kind: broken}
	}
	f := field{kind: kind(first & 0x70)}
	left := len(r.src) - r.pos
	switch f.kind {
	case list:
		// Every element takes a byte or more.
		if f.count = length; length > left {
			r.fail("list of %d at byte %d, %d bytes are left", length, head, left)
			return field{kind: broken}
		}
		return f
	case octets, boolean, signed, unsigned:
		length -= r.pos - head
		if length < 0 || length > left {
			r.fail("field of %d bytes at byte %d, %d are left", length, head, left)
			return field{kind: broken}
		}
		f.data = r.src[r.pos : r.pos+length]
		r.pos += length
		return f
	}
	r.fail("field of unknown type %02x at byte %d", first, head)
	return field{kind: broken}
}

// mostHead is the longest head of a field, in bytes. Four hold 65535.
const mostHead = 4

// head reads the type and the length at the beginning of a field; each byte
// holds four bits of the length, the upper bit says that another follows.
func (r *reader) head() (first byte, length int, ok bool) {
	for n := range mostHead {
		if r.pos == len(r.src) {
			return 0, 0, false
		}
		c := r.src[r.pos]
		r.pos++
		if n == 0 {
			first = c
		}
		length = length<<4 | int(c&0x0f)
		if c&0x80 == 0 {
			return first, length, true
		}
	}
	return 0, 0, false
}

// list reads the head of a list of n elements.
func (r *reader) list(n int, what string) {
	at := r.pos
	if f := r.next(); f.kind != list || f.count != n {
		r.fail("want a list of %d, %s, at byte %d", n, what, at)
	}
}

// octets reads octets; none when the field is left out.
func (r *reader) octets() []byte {
	at := r.pos
	f := r.next()
	if f.kind != octets {
		r.fail("want octets at byte %d", at)
	}
	return f.data
}

// unsigned reads an unsigned number, and false when the field is left out.
func (r *reader) unsigned() (uint64, bool) {
	at := r.pos
	f := r.next()
	if f.absent() {
		return 0, false
	}
	n, ok := f.word()
	if !ok || f.kind != unsigned {
		r.fail("want an unsigned number at byte %d", at)
	}
	return n, ok
}

// number reads a signed or unsigned number; 0 when the field is left out.
func (r *reader) number() int64 {
	at := r.pos
	f := r.next()
	n, ok := f.word()
	if !ok && !f.absent() {
		r.fail("want a number at byte %d", at)
	}
	return int64(n)
}

// skip steps over n fields and all that is in them.
func (r *reader) skip(n int) {
	for ; n > 0 && r.err == nil; n-- {
		n += r.next().count
	}
}
