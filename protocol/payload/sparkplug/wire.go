package sparkplug

import (
	"google.golang.org/protobuf/encoding/protowire"
)

// The hot path reads the wire with protowire instead of the code generated in
// pb: of an NDATA with 20 aliased metrics Unmarshal takes 4.4 µs and makes 72
// allocations before anything is looked up, Decode 1.8 µs and none for all of it.
// A fuzz test holds both against each other.

// fields walks the fields of one protobuf message.
type fields struct {
	left []byte
	num  protowire.Number
	typ  protowire.Type
	val  uint64 // of a number
	text []byte // of what has a length; part of the message
	bad  bool   // the walk ended at something that is no field
}

// next steps to the next field and reports whether there is one.
func (f *fields) next() bool {
	if len(f.left) == 0 {
		return false
	}
	num, typ, n := protowire.ConsumeTag(f.left)
	if n < 0 {
		f.bad = true
		return false
	}
	rest := f.left[n:]
	switch f.num, f.typ = num, typ; typ {
	case protowire.VarintType:
		f.val, n = protowire.ConsumeVarint(rest)
	case protowire.BytesType:
		f.text, n = protowire.ConsumeBytes(rest)
	case protowire.Fixed32Type:
		var v uint32
		v, n = protowire.ConsumeFixed32(rest)
		f.val = uint64(v)
	case protowire.Fixed64Type:
		f.val, n = protowire.ConsumeFixed64(rest)
	default:
		n = protowire.ConsumeFieldValue(num, typ, rest)
	}
	if n < 0 {
		f.bad = true
		return false
	}
	f.left = rest[n:]
	return true
}

// member steps to the next field of that number that has a length.
func (f *fields) member(num protowire.Number) bool {
	for f.next() {
		if f.num == num && f.typ == protowire.BytesType {
			return true
		}
	}
	return false
}

// message is what a payload says beside its metrics.
type message struct {
	src    []byte
	stamp  uint64 // ms since 1970, 0: none
	seq    uint64
	hasSeq bool
}

// parse reads src and reports whether it is well-formed, apart from what its
// metrics hold.
func (m *message) parse(src []byte) bool {
	*m = message{src: src}
	f := fields{left: src}
	for f.next() {
		if f.typ != protowire.VarintType {
			continue
		}
		switch f.num {
		case 1:
			m.stamp = f.val
		case 3:
			m.seq, m.hasSeq = f.val, true
		}
	}
	return !f.bad
}

// part is the field of a value that is set, named by its number in a Metric.
type part uint8

const (
	noPart       part = 0
	intPart      part = 10 // uint32
	longPart     part = 11
	floatPart    part = 12
	doublePart   part = 13
	boolPart     part = 14
	stringPart   part = 15
	bytesPart    part = 16
	dataSetPart  part = 17
	templatePart part = 18
)

// raw is a value as it stands in a message.
type raw struct {
	part part
	num  uint64 // of a number: an integer, or the bits of a float
	text []byte // of the others
}

// take takes the field f when it is one of a value whose fields have the
// numbers first, the int, to last.
func (r *raw) take(f *fields, first, last protowire.Number) {
	p := part(f.num - first + protowire.Number(intPart))
	switch {
	case f.num < first || f.num > last || f.typ != wireOf[p-intPart]:
	case p == intPart:
		*r = raw{part: p, num: uint64(uint32(f.val))}
	case f.typ == protowire.BytesType:
		*r = raw{part: p, text: f.text}
	default:
		*r = raw{part: p, num: f.val}
	}
}

// wireOf is how the parts of a value stand on the wire.
var wireOf = [...]protowire.Type{
	protowire.VarintType, protowire.VarintType, protowire.Fixed32Type, protowire.Fixed64Type, protowire.VarintType,
	protowire.BytesType, protowire.BytesType, protowire.BytesType, protowire.BytesType,
}

// rawMetric is a metric as it stands in a message.
type rawMetric struct {
	name       []byte
	alias      uint64
	stamp      uint64 // ms since 1970, 0: none
	datatype   DataType
	hasAlias   bool
	historical bool
	null       bool
	properties []byte
	value      raw
}

// parse reads a metric and reports whether it is well-formed, apart from
// messages in it.
func (m *rawMetric) parse(src []byte) bool {
	*m = rawMetric{}
	f := fields{left: src}
	for f.next() {
		switch {
		case f.num >= 10:
			m.value.take(&f, 10, 18)
		case f.typ == protowire.BytesType:
			switch f.num {
			case 1:
				m.name = f.text
			case 9:
				m.properties = f.text
			}
		case f.typ == protowire.VarintType:
			m.number(f.num, f.val)
		}
	}
	return !f.bad
}

func (m *rawMetric) number(num protowire.Number, v uint64) {
	switch num {
	case 2:
		m.alias, m.hasAlias = v, true
	case 3:
		m.stamp = v
	case 4:
		m.datatype = DataType(v)
	case 5:
		m.historical = v != 0
	case 7:
		m.null = v != 0
	}
}
