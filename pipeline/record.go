package pipeline

import (
	"encoding/binary"
	"errors"
	"math"

	"sluice/protocol"
)

// The payload of a journal record, version 1, as FORMAT.md describes it: a
// dictionary, notes about acknowledgements, readings. Encoder and decoder are
// in encode.go and decode.go.
const (
	payloadVersion = 1

	readingHasSource  = 1 // bits of a reading's flags
	readingClockUnset = 2
	readingSkewed     = 4
	readingHistorical = 8

	originSize = 10 // packet id and hash
)

var errPayload = errors.New("journal record is malformed")

// note is what a record says about one driver's messages, in this order. Of the
// origins only packet id and hash are written.
type note struct {
	source  *source // whose driver it is; nil in what was read
	session uint64  // of the source; not written
	driver  string
	lost    bool              // the session ended: nothing older comes again
	acked   []protocol.Origin // acknowledged to the source
	kept    []protocol.Origin // in this record; in a segment's first, all that are not acknowledged
}

// reader takes a payload apart; the first malformed field empties it and sets bad.
type reader struct {
	b   []byte
	bad bool
}

func (r *reader) fail() { r.b, r.bad = nil, true }

func (r *reader) byte() byte {
	if len(r.b) == 0 {
		r.fail()
		return 0
	}
	c := r.b[0]
	r.b = r.b[1:]
	return c
}

func (r *reader) uvarint() uint64 {
	v, n := binary.Uvarint(r.b)
	if n <= 0 {
		r.fail()
		return 0
	}
	r.b = r.b[n:]
	return v
}

func (r *reader) varint() int64 {
	v, n := binary.Varint(r.b)
	if n <= 0 {
		r.fail()
		return 0
	}
	r.b = r.b[n:]
	return v
}

func (r *reader) fixed64() uint64 {
	b := r.bytes(8)
	if b == nil {
		return 0
	}
	return binary.LittleEndian.Uint64(b)
}

func (r *reader) fixed16() uint16 {
	b := r.bytes(2)
	if b == nil {
		return 0
	}
	return binary.LittleEndian.Uint16(b)
}

func (r *reader) bytes(n uint64) []byte {
	if n > uint64(len(r.b)) {
		r.fail()
		return nil
	}
	b := r.b[:n]
	r.b = r.b[n:]
	return b
}

func (r *reader) text() string { return string(r.bytes(r.uvarint())) }

// count reads a number of items of at least one byte each, so that a malformed
// payload cannot make us reserve more than its own size.
func (r *reader) count() int {
	n := r.uvarint()
	if n > uint64(len(r.b)) {
		r.fail()
		return 0
	}
	return int(n)
}

func appendText(dst []byte, s string) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(s))), s...)
}

// appendValue appends the kind and quality in one byte, and the value.
func appendValue(dst []byte, v protocol.Value, q protocol.Quality) []byte {
	dst = append(dst, byte(v.Kind())|byte(q)<<4)
	switch v.Kind() {
	case protocol.KindFloat:
		return binary.LittleEndian.AppendUint64(dst, math.Float64bits(v.Float()))
	case protocol.KindInt:
		return binary.AppendVarint(dst, v.Int())
	case protocol.KindUint:
		return binary.AppendUvarint(dst, v.Uint())
	case protocol.KindBool:
		if v.Bool() {
			return append(dst, 1)
		}
		return append(dst, 0)
	case protocol.KindString, protocol.KindBytes:
		return appendText(dst, v.Text())
	}
	return dst
}

// value reads a kind, a quality and a value, whose text comes from text.
func (r *reader) value(text func([]byte) string) (protocol.Value, protocol.Quality) {
	head := r.byte()
	quality := protocol.Quality(head >> 4)
	switch protocol.Kind(head & 15) {
	case protocol.KindNull:
		return protocol.Value{}, quality
	case protocol.KindFloat:
		return protocol.Float(math.Float64frombits(r.fixed64())), quality
	case protocol.KindInt:
		return protocol.Int(r.varint()), quality
	case protocol.KindUint:
		return protocol.Uint(r.uvarint()), quality
	case protocol.KindBool:
		return protocol.Bool(r.byte() != 0), quality
	case protocol.KindString:
		return protocol.String(text(r.bytes(r.uvarint()))), quality
	case protocol.KindBytes:
		return protocol.Bytes(text(r.bytes(r.uvarint()))), quality
	}
	r.fail()
	return protocol.Value{}, quality
}
