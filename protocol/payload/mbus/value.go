package mbus

import (
	"encoding/binary"
	"encoding/hex"
	"math"

	"sluice/protocol"
)

// Coding is how a record holds its value: the data field of a DIF.
type Coding byte

// The codings of a record.
const (
	NoData   Coding = 0x00
	Int8     Coding = 0x01
	Int16    Coding = 0x02
	Int24    Coding = 0x03
	Int32    Coding = 0x04
	Real32   Coding = 0x05
	Int48    Coding = 0x06
	Int64    Coding = 0x07
	Selected Coding = 0x08 // a record that was asked for, without data
	BCD2     Coding = 0x09 // digits
	BCD4     Coding = 0x0a
	BCD6     Coding = 0x0b
	BCD8     Coding = 0x0c
	Variable Coding = 0x0d // a text, or digits or bytes of any number
	BCD12    Coding = 0x0e
)

// widths are how many bytes a coding takes; Variable says it itself.
var widths = [16]int{1: 1, 2: 2, 3: 3, 4: 4, 5: 4, 6: 6, 7: 8, 9: 1, 10: 2, 11: 3, 12: 4, 14: 6}

// readValue reads what stands behind the head of r; null when that is no value.
func (t *telegram) readValue(s *scanner, r *record) protocol.Value {
	coding := Coding(r.coding)
	if coding == Variable {
		return t.readVariable(s, r)
	}
	data := t.low(s.take(widths[coding]))
	if len(data) == 0 {
		return protocol.Value{}
	}
	switch coding {
	case Real32:
		v := math.Float32frombits(binary.LittleEndian.Uint32(data))
		return r.dateless(r.float(float64(v)))
	case BCD2, BCD4, BCD6, BCD8, BCD12:
		n, ok := digits(data, true)
		return r.dateless(r.number(n, ok))
	}
	return t.integer(r, data)
}

// dateless returns v, unless r is a date: those are integers only.
func (r *record) dateless(v protocol.Value) protocol.Value {
	if r.sort == point {
		return protocol.Value{}
	}
	return v
}

// integer returns the value of a binary integer, low byte first, which may also
// be bits, a date or a manufacturer.
func (t *telegram) integer(r *record, data []byte) protocol.Value {
	switch r.sort {
	case flags:
		return protocol.Uint(unsigned(data))
	case point:
		return t.point(r, data)
	case maker:
		if name := letters(uint16(unsigned(data))); name != "" && len(data) == 2 {
			return protocol.String(name)
		}
	}
	shift := 64 - 8*len(data)
	n := int64(unsigned(data)<<shift) >> shift
	return r.number(n, n != math.MinInt64>>shift)
}

func unsigned(data []byte) uint64 {
	var n uint64
	for i := len(data) - 1; i >= 0; i-- {
		n = n<<8 | uint64(data[i])
	}
	return n
}

// number returns n in the units of r.
func (r *record) number(n int64, ok bool) protocol.Value {
	if !ok {
		return protocol.Value{}
	}
	if r.factor == 0 {
		return protocol.Scaled(n, r.exp)
	}
	if product := n * r.factor; product/r.factor == n {
		return protocol.Scaled(product, r.exp)
	}
	return r.float(float64(n))
}

// float returns v in the units of r; null when that is no number.
func (r *record) float(v float64) protocol.Value {
	if r.factor != 0 {
		v *= float64(r.factor)
	}
	if r.exp < 0 {
		v /= math.Pow10(-r.exp)
	} else {
		v *= math.Pow10(r.exp)
	}
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return protocol.Value{}
	}
	return protocol.Float(v)
}

// digits reads a BCD number, low digits first. F in the first place is a minus
// sign where that is allowed; other digits beyond 9 say that there is no value.
func digits(data []byte, sign bool) (n int64, ok bool) {
	negative := false
	for i := len(data) - 1; i >= 0; i-- {
		high, low := data[i]>>4, data[i]&0x0f
		if i == len(data)-1 && high == 0x0f && sign {
			negative, high = true, 0
		}
		if high > 9 || low > 9 {
			return 0, false
		}
		n = n*100 + int64(high)*10 + int64(low)
	}
	if negative {
		n = -n
	}
	return n, true
}

// readVariable reads a value that says its own length.
func (t *telegram) readVariable(s *scanner, r *record) protocol.Value {
	const mostDigits = 9 // bytes that fit into an int64
	switch c := s.byte(); {
	case c < 0xc0:
		return t.text(s.take(int(c)))
	case c <= 0xc9, 0xd0 <= c && c <= 0xd9:
		data := t.low(s.take(int(c & 0x0f)))
		n, ok := digits(data, false)
		if c >= 0xd0 {
			n = -n
		}
		return r.dateless(r.number(n, ok && len(data) > 0 && len(data) <= mostDigits))
	case 0xe0 <= c && c <= 0xef:
		data := s.take(int(c & 0x0f))
		if len(data) == 0 || len(data) > 8 {
			return t.octets(data)
		}
		return t.integer(r, t.low(data))
	case 0xf0 <= c && c <= 0xf4:
		return t.octets(s.take(4 * int(c-0xec)))
	case c == 0xf5:
		return t.octets(s.take(48))
	case c == 0xf6:
		return t.octets(s.take(64))
	case s.err == nil:
		s.err = protocol.Refuse("syntax", "variable length %02x at byte %d is reserved", c, s.pos-1)
	}
	return protocol.Value{}
}

// text returns a text of Latin-1, which is sent backwards when the low byte
// comes first; null when it is blank. One with control characters is told in
// hexadecimal digits.
func (t *telegram) text(p []byte) protocol.Value {
	text := t.high(p)
	for len(text) > 0 && (text[0] == ' ' || text[0] == 0) {
		text = text[1:]
	}
	for len(text) > 0 && (text[len(text)-1] == ' ' || text[len(text)-1] == 0) {
		text = text[:len(text)-1]
	}
	if len(text) == 0 {
		return protocol.Value{}
	}
	buf := t.buf[:0]
	for _, c := range text {
		if c < ' ' || c >= 0x7f && c < 0xa0 {
			return t.octets(p)
		}
		buf = appendLatin(buf, c)
	}
	t.buf = buf
	return protocol.String(t.texts.text(buf))
}

func appendLatin(dst []byte, c byte) []byte {
	if c < 0x80 {
		return append(dst, c)
	}
	return append(dst, 0xc0|c>>6, 0x80|c&0x3f)
}

// octets returns bytes, in the order in which they were sent, in hexadecimal
// digits; null when there are none.
func (t *telegram) octets(p []byte) protocol.Value {
	if len(p) == 0 {
		return protocol.Value{}
	}
	t.buf = hex.AppendEncode(t.buf[:0], p)
	return protocol.String(t.texts.text(t.buf))
}
