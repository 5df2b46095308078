package payload

import (
	"math"
	"time"
	"unicode/utf8"

	"github.com/tinylib/msgp/msgp"

	"sluice/protocol"
)

// extTime is the type of MessagePack's own extension, the timestamp.
const extTime = -1

// packed reads the object of MessagePack at d.pos and all that it holds. The
// library reads the objects one by one, without allocating; we keep the depth
// and the places.
func (d *document) packed(depth int) bool {
	rest := d.src[d.pos:]
	switch msgp.NextType(rest) {
	case msgp.MapType:
		size, rest, err := msgp.ReadMapHeaderBytes(rest)
		return d.packedMany(objectNode, size, rest, err, depth)
	case msgp.ArrayType:
		size, rest, err := msgp.ReadArrayHeaderBytes(rest)
		return d.packedMany(arrayNode, size, rest, err, depth)
	case msgp.StrType:
		text, rest, err := msgp.ReadStringZC(rest)
		return d.packedBytes(textNode, text, rest, err)
	case msgp.BinType:
		content, rest, err := msgp.ReadBytesZC(rest)
		return d.packedBytes(bytesNode, content, rest, err)
	case msgp.ExtensionType, msgp.TimeType, msgp.Complex64Type, msgp.Complex128Type:
		return d.packedExt()
	case msgp.InvalidType:
		return d.want("an object")
	}
	return d.packedScalar(rest)
}

// packedScalar reads a number, true, false or nil.
func (d *document) packedScalar(rest []byte) bool {
	switch msgp.NextType(rest) {
	case msgp.IntType:
		n, rest, err := msgp.ReadInt64Bytes(rest)
		return d.after(rest, err) && d.binary(intNode, uint64(n))
	case msgp.UintType:
		n, rest, err := msgp.ReadUint64Bytes(rest)
		return d.after(rest, err) && d.integer(n)
	case msgp.Float64Type:
		f, rest, err := msgp.ReadFloat64Bytes(rest)
		return d.after(rest, err) && d.binary(floatNode, math.Float64bits(f))
	case msgp.Float32Type:
		f, rest, err := msgp.ReadFloat32Bytes(rest)
		return d.after(rest, err) && d.binary(floatNode, math.Float64bits(float64(f)))
	case msgp.BoolType:
		b, rest, err := msgp.ReadBoolBytes(rest)
		if b {
			return d.after(rest, err) && d.binary(trueNode, 0)
		}
		return d.after(rest, err) && d.binary(falseNode, 0)
	}
	rest, err := msgp.ReadNilBytes(rest)
	return d.after(rest, err) && d.binary(nullNode, 0)
}

// after steps to the rest of the message that follows an object.
func (d *document) after(rest []byte, err error) bool {
	if err != nil {
		return d.cutOff()
	}
	d.pos = len(d.src) - len(rest)
	return true
}

// packedMany reads what an array or a map of the given size holds.
func (d *document) packedMany(k kind, size uint32, rest []byte, err error, depth int) bool {
	switch {
	case depth == maxDepth:
		return d.tooDeep()
	case err != nil || uint64(size) > uint64(len(rest)):
		return d.cutOff()
	}
	n := d.open(k)
	d.after(rest, nil)
	for range size {
		if k == objectNode && !d.key(d.packed) || !d.packed(depth+1) {
			return false
		}
	}
	return d.close(n)
}

// packedBytes adds the node of a text or of bytes.
func (d *document) packedBytes(k kind, content, rest []byte, err error) bool {
	if !d.after(rest, err) {
		return false
	}
	if k == textNode && !utf8.Valid(content) {
		d.err = protocol.Refuse("utf8", "the text at byte %d is not UTF-8", d.pos-len(content))
		return false
	}
	n := d.open(k)
	d.nodes[n].start = uint32(d.pos - len(content))
	return d.close(n)
}

// packedExt reads an extension: a timestamp in its three forms, or bytes that
// somebody gave a meaning of their own.
func (d *document) packedExt() bool {
	rest := d.src[d.pos:]
	width, size := 0, 0
	switch c := rest[0]; {
	case c >= 0xd4: // fixext 1, 2, 4, 8, 16
		size = 1 << (c - 0xd4)
	default: // ext 8, 16, 32
		if width = 1 << (c - 0xc7); len(rest) > width {
			size = int(min(bigEndian(rest[1:1+width]), math.MaxInt32))
		}
	}
	begin := 2 + width
	if len(rest) < begin || size > len(rest)-begin {
		return d.cutOff()
	}
	content := rest[begin : begin+size]
	k := bytesNode
	if int8(rest[begin-1]) == extTime {
		if k = timeNode; !isTimestamp(content) {
			return d.want("a timestamp")
		}
	}
	return d.packedBytes(k, content, rest[begin+size:], nil)
}

// isTimestamp reports whether p is a timestamp of 32, 64 or 96 bits.
func isTimestamp(p []byte) bool {
	if len(p) != 4 && len(p) != 8 && len(p) != 12 {
		return false
	}
	_, nanos := timestamp(p)
	return nanos < int64(time.Second)
}

// timestamp returns the seconds since 1970 and the nanoseconds of a timestamp.
func timestamp(p []byte) (seconds, nanos int64) {
	switch len(p) {
	case 4:
		return int64(bigEndian(p)), 0
	case 8:
		both := bigEndian(p)
		return int64(both & (1<<34 - 1)), int64(both >> 34)
	}
	return int64(bigEndian(p[4:])), int64(bigEndian(p[:4]))
}
