package sparkplug

import "strconv"

// DataType says what a value means. The numbers are those of the specification.
type DataType uint32

// The types of metrics; zero is for one that was not stated.
const (
	Unknown DataType = iota
	Int8
	Int16
	Int32
	Int64
	UInt8
	UInt16
	UInt32
	UInt64
	Float
	Double
	Boolean
	String
	DateTime
	Text
	UUID
	DataSet
	Bytes
	File
	Template
	propertySet
	propertySetList
	Int8Array
	Int16Array
	Int32Array
	Int64Array
	UInt8Array
	UInt16Array
	UInt32Array
	UInt64Array
	FloatArray
	DoubleArray
	BooleanArray
	StringArray
	DateTimeArray
)

var typeNames = [...]string{
	"Unknown", "Int8", "Int16", "Int32", "Int64", "UInt8", "UInt16", "UInt32", "UInt64", "Float", "Double", "Boolean",
	"String", "DateTime", "Text", "UUID", "DataSet", "Bytes", "File", "Template", "PropertySet", "PropertySetList",
	"Int8Array", "Int16Array", "Int32Array", "Int64Array", "UInt8Array", "UInt16Array", "UInt32Array", "UInt64Array",
	"FloatArray", "DoubleArray", "BooleanArray", "StringArray", "DateTimeArray",
}

// String returns the name that the specification uses.
func (t DataType) String() string {
	if int(t) < len(typeNames) {
		return typeNames[t]
	}
	return "DataType(" + strconv.FormatUint(uint64(t), 10) + ")"
}

// element returns the type of an array's elements, Unknown for other types.
func (t DataType) element() DataType {
	switch {
	case t >= Int8Array && t <= DoubleArray:
		return t - Int8Array + Int8
	case t == BooleanArray:
		return Boolean
	case t == StringArray:
		return String
	case t == DateTimeArray:
		return DateTime
	}
	return Unknown
}

// bits returns the width of a number, 0 for other types.
func (t DataType) bits() int {
	switch t {
	case Int8, UInt8:
		return 8
	case Int16, UInt16:
		return 16
	case Int32, UInt32, Float:
		return 32
	case Int64, UInt64, Double, DateTime:
		return 64
	}
	return 0
}

// composed reports whether a value of the type becomes several metrics.
func (t DataType) composed() bool {
	return t == DataSet || t == Template || t.element() != Unknown
}
