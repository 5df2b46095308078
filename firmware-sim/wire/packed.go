package wire

import (
	"math"
	"strconv"

	"github.com/fxamacker/cbor/v2"
	"github.com/tinylib/msgp/msgp"
)

// dialect writes the parts of a tree in binary form.
type dialect interface {
	array(dst []byte, elements int) []byte
	object(dst []byte, members int) []byte
	null(dst []byte) []byte
	text(dst []byte, s string) []byte
	bool(dst []byte, b bool) []byte
	int(dst []byte, n int64) []byte
	float(dst []byte, f float64) []byte
}

// cbor and msgpack return the layouts that write the message so.
func (t *treeShape) cbor() layout    { return &packedLayout{t, cborDialect{}} }
func (t *treeShape) msgpack() layout { return &packedLayout{t, msgpackDialect{}} }

// packedLayout writes a tree in binary form.
type packedLayout struct {
	shape *treeShape
	dialect
}

func (l *packedLayout) compose(dst []byte, m *message) ([]byte, bool) {
	return l.write(dst, l.shape.root, m), true
}

func (l *packedLayout) write(dst []byte, n *node, m *message) []byte {
	if n.leaf != branch {
		return l.leaf(dst, n.leaf, m)
	}
	if count, ok := n.elements(); ok {
		dst = l.array(dst, count)
		for i := range count {
			if kid := n.kid(strconv.Itoa(i)); kid != nil {
				dst = l.write(dst, kid, m)
			} else {
				dst = l.null(dst)
			}
		}
		return dst
	}
	dst = l.object(dst, len(n.keys))
	for i, key := range n.keys {
		dst = l.write(l.text(dst, key), n.kids[i], m)
	}
	return dst
}

// leaf writes whole numbers as integers, and some of them as floats where those
// hold them exactly.
func (l *packedLayout) leaf(dst []byte, leaf int, m *message) []byte {
	text, kind := l.shape.leaf(leaf, m)
	switch kind {
	case Word:
		return l.text(dst, text)
	case Switch:
		return l.bool(dst, text == "true")
	}
	n, err := strconv.ParseInt(text, 10, 64)
	small := n < 1<<53 && n > -1<<53
	if err == nil && !(small && m.rand.IntN(8) == 0) {
		return l.int(dst, n)
	}
	f, _ := strconv.ParseFloat(text, 64) // digits and a point
	return l.float(dst, f)
}

// The major types of CBOR that hold others.
const (
	cborArray = 0x80
	cborMap   = 0xa0
)

// cborDialect is CBOR (RFC 8949). The library writes the values; it knows
// objects only as Go maps, whose order is lost.
type cborDialect struct{}

func (cborDialect) array(dst []byte, n int) []byte   { return cborHead(dst, cborArray, n) }
func (cborDialect) object(dst []byte, n int) []byte  { return cborHead(dst, cborMap, n) }
func (cborDialect) null(dst []byte) []byte           { return appendCBOR(dst, nil) }
func (cborDialect) text(dst []byte, s string) []byte { return appendCBOR(dst, s) }
func (cborDialect) bool(dst []byte, b bool) []byte   { return appendCBOR(dst, b) }
func (cborDialect) int(dst []byte, n int64) []byte   { return appendCBOR(dst, n) }
func (cborDialect) float(dst []byte, f float64) []byte {
	if narrow := float32(f); float64(narrow) == f {
		return appendCBOR(dst, narrow)
	}
	return appendCBOR(dst, f)
}

func appendCBOR(dst []byte, v any) []byte {
	text, err := cbor.Marshal(v)
	if err != nil {
		panic(err) // the kinds above can be written
	}
	return append(dst, text...)
}

func cborHead(dst []byte, major byte, n int) []byte {
	switch {
	case n < 24:
		return append(dst, major|byte(n))
	case n <= math.MaxUint8:
		return append(dst, major|24, byte(n))
	}
	return append(dst, major|25, byte(n>>8), byte(n))
}

// msgpackDialect is MessagePack.
type msgpackDialect struct{}

func (msgpackDialect) array(dst []byte, n int) []byte   { return msgp.AppendArrayHeader(dst, uint32(n)) }
func (msgpackDialect) object(dst []byte, n int) []byte  { return msgp.AppendMapHeader(dst, uint32(n)) }
func (msgpackDialect) null(dst []byte) []byte           { return msgp.AppendNil(dst) }
func (msgpackDialect) text(dst []byte, s string) []byte { return msgp.AppendString(dst, s) }
func (msgpackDialect) bool(dst []byte, b bool) []byte   { return msgp.AppendBool(dst, b) }
func (msgpackDialect) int(dst []byte, n int64) []byte   { return msgp.AppendInt64(dst, n) }
func (msgpackDialect) float(dst []byte, f float64) []byte {
	if narrow := float32(f); float64(narrow) == f {
		return msgp.AppendFloat32(dst, narrow)
	}
	return msgp.AppendFloat64(dst, f)
}
