package protocol

import (
	"math"
	"strconv"
)

// Kind is the type of a Value.
type Kind uint8

// The kinds of a Value. KindNull, the zero Kind, is no value at all. The
// numbers are part of the journal's format and never change.
const (
	KindNull Kind = iota
	KindFloat
	KindInt
	KindUint
	KindBool
	KindString
	KindBytes
)

var kindNames = [...]string{"null", "float", "int", "uint", "bool", "string", "bytes"}

// String returns the name that configuration files use for k.
func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return "Kind(" + strconv.Itoa(int(k)) + ")"
}

// Value is what a metric holds: a float64, int64, uint64, bool, string, bytes
// or nothing. Making one allocates nothing, integers are exact over their
// whole range, and the zero Value is no value. Values compare with ==; two NaNs
// of the same bits are equal.
type Value struct {
	num  uint64
	str  string
	kind Kind
}

// Float returns a float64 value. NaN and infinities are values too; a sink that
// cannot store them rejects the reading.
func Float(v float64) Value { return Value{kind: KindFloat, num: math.Float64bits(v)} }

// Int returns an int64 value.
func Int(v int64) Value { return Value{kind: KindInt, num: uint64(v)} }

// Uint returns a uint64 value.
func Uint(v uint64) Value { return Value{kind: KindUint, num: v} }

// Bool returns a bool value.
func Bool(v bool) Value {
	if v {
		return Value{kind: KindBool, num: 1}
	}
	return Value{kind: KindBool}
}

// String returns a text value. The text is UTF-8; decoders refuse what is not.
func String(v string) Value { return Value{kind: KindString, str: v} }

// Bytes returns a value of raw bytes, held in a string so that it stays
// unchanged and comparable.
func Bytes(v string) Value { return Value{kind: KindBytes, str: v} }

// Kind returns the type of v.
func (v Value) Kind() Kind { return v.kind }

// IsNull reports whether v is no value.
func (v Value) IsNull() bool { return v.kind == KindNull }

// Float returns the float64 of a KindFloat value, 0 for other kinds.
func (v Value) Float() float64 {
	if v.kind != KindFloat {
		return 0
	}
	return math.Float64frombits(v.num)
}

// Int returns the int64 of a KindInt value, 0 for other kinds.
func (v Value) Int() int64 {
	if v.kind != KindInt {
		return 0
	}
	return int64(v.num)
}

// Uint returns the uint64 of a KindUint value, 0 for other kinds.
func (v Value) Uint() uint64 {
	if v.kind != KindUint {
		return 0
	}
	return v.num
}

// Bool returns the bool of a KindBool value, false for other kinds.
func (v Value) Bool() bool { return v.kind == KindBool && v.num != 0 }

// Text returns the text or bytes of a KindString or KindBytes value, "" for
// other kinds.
func (v Value) Text() string { return v.str }

// Number returns v as a float64, and whether v is a number. Integers beyond
// 2^53 lose digits.
func (v Value) Number() (float64, bool) {
	switch v.kind {
	case KindFloat:
		return v.Float(), true
	case KindInt:
		return float64(int64(v.num)), true
	case KindUint:
		return float64(v.num), true
	}
	return 0, false
}

// String returns v for people and logs: numbers in the shortest form that reads
// back to the same value, text as it is, bytes quoted.
func (v Value) String() string {
	switch v.kind {
	case KindFloat:
		return strconv.FormatFloat(v.Float(), 'g', -1, 64)
	case KindInt:
		return strconv.FormatInt(int64(v.num), 10)
	case KindUint:
		return strconv.FormatUint(v.num, 10)
	case KindBool:
		return strconv.FormatBool(v.num != 0)
	case KindString:
		return v.str
	case KindBytes:
		return strconv.Quote(v.str)
	}
	return "null"
}
