package sparkplug

import (
	"math"
	"unicode/utf8"

	"sluice/protocol"
)

// convert returns the value as its type says, and false when it cannot be of
// that type. Of a type that is not stated it is what the wire shows. m keeps a
// short text, so that one which comes again allocates nothing.
func (v *stamped) convert(m *metric) (value protocol.Value, fits bool, err *protocol.Refusal) {
	switch v.part {
	case intPart, longPart:
		value, fits = v.integer()
		return value, fits, nil
	case floatPart:
		return protocol.Float(float64(math.Float32frombits(uint32(v.num)))), v.is(Float, Double), nil
	case doublePart:
		return protocol.Float(math.Float64frombits(v.num)), v.is(Float, Double), nil
	case boolPart:
		return protocol.Bool(v.num != 0), v.is(Boolean, Boolean), nil
	case stringPart:
		if !utf8.Valid(v.text) {
			return value, false, protocol.Refuse("utf8", "metric %s is not UTF-8", m.name)
		}
		return protocol.String(m.keep(v.text)), v.is(String, String) || v.is(Text, UUID), nil
	case bytesPart:
		return protocol.Bytes(m.keep(v.text)), v.is(Bytes, File), nil
	}
	return value, false, nil
}

// is reports whether the type is one of two, or not stated.
func (v *stamped) is(a, b DataType) bool {
	return v.datatype == a || v.datatype == b || v.datatype == Unknown
}

// keep returns text as a string.
func (m *metric) keep(text []byte) string {
	switch {
	case string(text) == m.text:
		return m.text
	case len(text) > keptText:
		return string(text)
	}
	m.text = string(text)
	return m.text
}

// integer returns the value of an integer type. The wire has none that are
// signed: encoders send a negative number as two's complement of the type's own
// width, of 32 bits or of 64.
func (v *stamped) integer() (protocol.Value, bool) {
	switch v.datatype {
	case Int8, Int16, Int32:
		if v.beyond() {
			return protocol.Int(v.signed()), true
		}
		spare := 64 - v.datatype.bits()
		return protocol.Int(int64(v.num) << spare >> spare), true
	case Int64, DateTime:
		return protocol.Int(v.signed()), true
	case UInt8, UInt16, UInt32, UInt64:
		return protocol.Uint(v.num), true
	case Boolean:
		return protocol.Bool(v.num != 0), v.num <= 1
	}
	return protocol.Value{}, false
}

// signed returns the number as two's complement of 32 bits, where an encoder of
// its type and field may mean that, otherwise of 64.
func (v *stamped) signed() int64 {
	if v.part == intPart || v.num>>32 == 0 && v.datatype.bits() <= 32 {
		return int64(int32(v.num))
	}
	return int64(v.num)
}

// beyond reports whether the value is an integer that does not fit its type. It
// is passed on as it stands on the wire, of uncertain quality: cut to the type's
// width it would be another number.
func (v *stamped) beyond() bool {
	if v.part != intPart && v.part != longPart {
		return false
	}
	switch v.datatype {
	case Int8, Int16, Int32:
		bits, n := v.datatype.bits(), v.signed()
		return v.num>>bits != 0 && (n >= 0 || n < -1<<(bits-1))
	case UInt8, UInt16, UInt32:
		return v.num>>v.datatype.bits() != 0
	}
	return false
}
