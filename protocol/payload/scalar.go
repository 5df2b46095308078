package payload

import (
	"bytes"
	"fmt"
	"math"
	"math/big"
	"strconv"
	"time"

	"sluice/protocol"
)

// bareText is the kind of a scalar from a line of text, where nothing tells
// 21.5 from a word. It stands beside the kinds of a document's nodes.
const bareText kind = 'l'

// scalar is one value as it was sent. Its source is the decoder's or the
// caller's memory, so what is kept is copied.
type scalar struct {
	kind kind // bareText or the kind of a node that is no container
	exp  int8 // of a decimalNode, -1 for a negative bigNode
	src  []byte
	num  uint64 // the bits of an intNode, uintNode or floatNode, the digits of a decimalNode
}

// scalar returns the value at node n. Text that does not stand in the source as
// it is goes to scratch, so that it is valid until the next one.
func (d *document) scalar(n int, scratch *[]byte) scalar {
	at := &d.nodes[n]
	if d.form != formJSON || at.pieces {
		return d.awkward(at, n, scratch)
	}
	return scalar{kind: at.kind, src: d.src[at.start:at.end]}
}

// awkward is scalar for what is not a slice of JSON.
func (d *document) awkward(at *node, n int, scratch *[]byte) scalar {
	switch at.kind {
	case intNode, uintNode, floatNode:
		return scalar{kind: at.kind, num: at.bits()}
	case decimalNode:
		return scalar{kind: at.kind, num: at.bits(), exp: at.extra}
	}
	s := scalar{kind: at.kind, src: d.src[at.start:at.end]}
	if at.pieces {
		*scratch = d.appendText((*scratch)[:0], n)
		s.src = *scratch
	}
	if at.kind == bigNode {
		s.exp = at.extra
		return s.narrowed()
	}
	return s
}

// narrowed makes a float of an integer beyond 64 bits, if it is one exactly.
func (s scalar) narrowed() scalar {
	if len(s.src) > 128 { // beyond 2^1024
		return s
	}
	n := new(big.Int).SetBytes(s.src)
	if s.exp < 0 {
		n.Not(n)
	}
	if f, accuracy := n.Float64(); accuracy == big.Exact {
		return floatScalar(f)
	}
	return s
}

// scalarOf returns what protocol knows as v.
func scalarOf(v protocol.Value) scalar {
	switch v.Kind() {
	case protocol.KindFloat:
		return floatScalar(v.Float())
	case protocol.KindInt:
		return scalar{kind: intNode, num: uint64(v.Int())}
	case protocol.KindUint:
		return scalar{kind: uintNode, num: v.Uint()}
	case protocol.KindString:
		return scalar{kind: textNode, src: []byte(v.Text())}
	case protocol.KindBytes:
		return scalar{kind: bytesNode, src: []byte(v.Text())}
	case protocol.KindBool:
		if v.Bool() {
			return scalar{kind: trueNode}
		}
		return scalar{kind: falseNode}
	}
	return scalar{kind: nullNode}
}

// floatScalar returns the scalar of a binary float.
func floatScalar(f float64) scalar { return scalar{kind: floatNode, num: math.Float64bits(f)} }

// near returns the float64 nearest to a number, NaN for what is none.
func (s scalar) near() float64 {
	if f, ok := s.float(); ok {
		return f
	}
	if d, ok := s.decimal(); ok {
		if f, ok := d.float(); ok {
			return f
		}
	}
	return math.NaN()
}

// float returns the value of a binary float.
func (s scalar) float() (float64, bool) {
	return math.Float64frombits(s.num) + 0, s.kind == floatNode
}

// decimal reads a number, a text that holds one, or a timestamp as seconds
// since 1970. NaN and the infinities are none.
func (s scalar) decimal() (decimal, bool) {
	switch s.kind {
	case numberNode:
		return parseDecimal(s.src)
	case textNode, bareText:
		return parseDecimal(bytes.TrimSpace(s.src))
	case intNode, decimalNode:
		return scaledDecimal(int64(s.num), int(s.exp)), true
	case uintNode:
		return decimal{digits: s.num, integer: true}, true
	case floatNode:
		f, _ := s.float()
		return floatDecimal(f)
	case timeNode:
		return s.seconds()
	}
	return decimal{}, false
}

// seconds returns a timestamp that lies in the span of a protocol.Timestamp as
// seconds since 1970.
func (s scalar) seconds() (decimal, bool) {
	seconds, nanos := timestamp(s.src)
	const most = math.MaxInt64 / int64(time.Second)
	if seconds >= most || seconds <= -most {
		return decimal{}, false
	}
	return scaledDecimal(seconds*int64(time.Second)+nanos, -9), true
}

// asSent returns the value of a metric without a type.
func (s scalar) asSent() (protocol.Value, bool) {
	switch s.kind {
	case trueNode, falseNode:
		return protocol.Bool(s.kind == trueNode), true
	case textNode:
		return protocol.String(string(s.src)), true
	case timeNode:
		return s.text()
	case bytesNode:
		return protocol.Bytes(string(s.src)), true
	case floatNode:
		f, _ := s.float()
		return protocol.Float(f), true
	}
	if d, ok := s.decimal(); ok {
		if v, ok := d.value(); ok {
			return v, true
		}
	}
	return protocol.String(string(s.src)), s.kind == bareText
}

// text returns the value of a metric of type string. Bytes are no text.
func (s scalar) text() (protocol.Value, bool) {
	var room [64]byte
	var text []byte
	switch s.kind {
	case textNode, bareText:
		text = s.src
	case numberNode, trueNode, falseNode, intNode, uintNode, floatNode:
		text = s.plain(room[:0])
	case decimalNode:
		text = strconv.AppendFloat(room[:0], s.near(), 'g', -1, 64)
	case timeNode:
		at := time.Unix(timestamp(s.src)).UTC()
		if at.Year() < 0 || at.Year() > 9999 {
			return protocol.Value{}, false
		}
		text = at.AppendFormat(room[:0], time.RFC3339Nano)
	default:
		return protocol.Value{}, false
	}
	return protocol.String(string(text)), true
}

// bool reads true and false, 1 and 0, and the words that devices write.
func (s scalar) bool() (value, ok bool) {
	switch s.kind {
	case trueNode, falseNode:
		return s.kind == trueNode, true
	case bytesNode, timeNode, bigNode:
		return false, false
	}
	if d, ok := s.decimal(); ok {
		n, ok := d.uint()
		return n == 1, ok && n <= 1
	}
	word := bytes.TrimSpace(s.src)
	for _, w := range [...]string{"true", "on"} {
		if bytes.EqualFold(word, []byte(w)) {
			return true, true
		}
	}
	for _, w := range [...]string{"false", "off"} {
		if bytes.EqualFold(word, []byte(w)) {
			return false, true
		}
	}
	return false, false
}

// excerpt returns the beginning of s for people.
func (s scalar) excerpt() string {
	switch s.kind {
	case bytesNode:
		return fmt.Sprintf("%d bytes", len(s.src))
	case bigNode:
		return "an integer beyond 64 bits"
	case timeNode:
		return "a timestamp"
	}
	if len(s.src) > 0 || s.kind == textNode || s.kind == bareText {
		return excerpt(s.src)
	}
	v, _ := s.text()
	return strconv.Quote(v.Text())
}
