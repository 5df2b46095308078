// Package binary reads and writes single fields of binary messages: integers,
// floats, bits, BCD and texts at an offset, in the byte orders that devices use.
//
// It does no I/O, reads no clock and starts no goroutine. A field is described
// by Field and compiled to a Codec; reading allocates nothing.
package binary

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// The limits of a field.
const (
	MaxOffset = 65535 // bytes from either end of the message
	MaxLength = 1024  // bytes of a text or of raw bytes
	MaxCount  = 1024  // elements of an array
)

// Field says where in a message a value stands and how it is written. What the
// number means (scale, offset, unit) is not said here.
//
// Types are int8, int16, int24, int32, int48, int64, the same with uint,
// float16, float32, float64, bool (any bit that is set), bcd (packed, two digits
// a byte), string and bytes. A float is given as the shortest decimal that reads
// back as the same float, so that 0.471 sent as a float32 is 0.471; one that is
// NaN is no value. A string is UTF-8, ends at the first NUL and stands without
// blanks around it; an empty one is no value.
type Field struct {
	At      int      `yaml:"at"`      // offset in bytes of the first one; negative: from the message's end
	Type    string   `yaml:"type"`    // see above
	Length  int      `yaml:"length"`  // bytes of a bcd, string or bytes; of a bool 1 (the default), 2, 4 or 8
	Order   string   `yaml:"order"`   // see Orders; "": the message's, or big
	Bits    string   `yaml:"bits"`    // of an integer or bool only these: "3" or "4-7"; bit 0 is the least
	Count   int      `yaml:"count"`   // array: this many, one after the other; 0: a single value
	Missing []string `yaml:"missing"` // codes that stand for no value, such as 0x7FFF, -32768 or 9999.0
}

// kind is how a field's bytes are understood.
type kind uint8

const (
	kindInt kind = iota
	kindUint
	kindFloat
	kindBool
	kindBCD
	kindString
	kindBytes
)

// form is a type: a kind and its size in bytes, 0 when Length says it.
type form struct {
	name string
	kind kind
	size int
}

var forms = [...]form{
	{"int8", kindInt, 1}, {"int16", kindInt, 2}, {"int24", kindInt, 3},
	{"int32", kindInt, 4}, {"int48", kindInt, 6}, {"int64", kindInt, 8},
	{"uint8", kindUint, 1}, {"uint16", kindUint, 2}, {"uint24", kindUint, 3},
	{"uint32", kindUint, 4}, {"uint48", kindUint, 6}, {"uint64", kindUint, 8},
	{"float16", kindFloat, 2}, {"float32", kindFloat, 4}, {"float64", kindFloat, 8},
	{"bool", kindBool, 0}, {"bcd", kindBCD, 0}, {"string", kindString, 0}, {"bytes", kindBytes, 0},
}

// Types returns the names that Field.Type may have.
func Types() []string {
	names := make([]string, len(forms))
	for i, f := range forms {
		names[i] = f.name
	}
	return names
}

// form returns the field's type, with the size that Length says.
func (f *Field) form() (form, bool) {
	for _, known := range forms {
		if known.name != f.Type {
			continue
		}
		switch {
		case known.size != 0:
		case f.Length == 0 && known.kind == kindBool:
			known.size = 1
		default:
			known.size = f.Length
		}
		return known, true
	}
	return form{}, false
}

// Size returns how many bytes f covers, and false when its type is not known.
func (f *Field) Size() (bytes int, ok bool) {
	known, ok := f.form()
	return known.size * max(f.Count, 1), ok
}

// Validate reports what is wrong with f: the name of the field's setting and
// the problem.
func (f *Field) Validate(report func(field, problem string)) {
	known, ok := f.form()
	switch {
	case f.Type == "":
		report("type", "is required: "+strings.Join(Types(), ", "))
	case !ok:
		report("type", fmt.Sprintf("is %q, want %s", f.Type, strings.Join(Types(), ", ")))
	}
	if f.At < -MaxOffset || f.At > MaxOffset {
		report("at", fmt.Sprintf("is %d, want %d to %d", f.At, -MaxOffset, MaxOffset))
	}
	if f.Count < 0 || f.Count > MaxCount {
		report("count", fmt.Sprintf("is %d, want 0 to %d", f.Count, MaxCount))
	}
	if !ok {
		return
	}
	if !f.validateLength(report, known) {
		return
	}
	f.validateEnd(report, known)
	f.validateOrder(report, known)
	f.validateBits(report, known)
	f.validateMissing(report, known)
}

func (f *Field) validateLength(report func(field, problem string), known form) bool {
	most := MaxLength
	switch known.kind {
	case kindBool:
		if slices.Contains([]int{1, 2, 4, 8}, known.size) {
			return true
		}
		report("length", fmt.Sprintf("is %d, want 1, 2, 4 or 8 bytes for a bool", f.Length))
		return false
	case kindBCD:
		most = 8
	case kindString, kindBytes:
	default:
		if f.Length != 0 && f.Length != known.size {
			report("length", fmt.Sprintf("is %d, but %s has %d bytes: leave it out", f.Length, f.Type, known.size))
			return false
		}
		return true
	}
	switch {
	case f.Length == 0:
		report("length", "is required for "+f.Type+": a number of bytes")
	case f.Length < 0 || f.Length > most:
		report("length", fmt.Sprintf("is %d, want 1 to %d bytes", f.Length, most))
	default:
		return true
	}
	return false
}

// validateEnd reports a field that begins near the message's end and does not
// fit there.
func (f *Field) validateEnd(report func(field, problem string), known form) {
	if need := known.size * max(f.Count, 1); f.At < 0 && -f.At < need {
		report("at", fmt.Sprintf("is %d, but the field has %d bytes: want %d or less", f.At, need, -need))
	}
}

func (f *Field) validateOrder(report func(field, problem string), known form) {
	o, err := ParseOrder(f.Order)
	switch {
	case err != nil:
		report("order", err.Error())
	case f.Order == "":
	case known.kind == kindBytes && o != Big:
		report("order", "is for numbers, but type is bytes")
	case known.kind == kindString && o != Big && o != BADC:
		report("order", "is "+strconv.Quote(f.Order)+", but a text is in the order big, or BADC where the bytes of each register are swapped")
	case (o == CDAB || o == BADC) && known.size%2 != 0 && known.size != 1:
		report("order", fmt.Sprintf("is %q, but %d bytes are no whole registers", f.Order, known.size))
	}
}

func (f *Field) validateBits(report func(field, problem string), known form) {
	if f.Bits == "" {
		return
	}
	if known.kind != kindInt && known.kind != kindUint && known.kind != kindBool {
		report("bits", "needs an integer or a bool, but type is "+f.Type)
		return
	}
	from, to, ok := parseBits(f.Bits)
	switch {
	case !ok:
		report("bits", fmt.Sprintf("is %q, want one bit such as 3, or a range such as 4-7", f.Bits))
	case to >= known.size*8:
		report("bits", fmt.Sprintf("is %q, but %s has the bits 0 to %d", f.Bits, f.Type, known.size*8-1))
	case from > to:
		report("bits", fmt.Sprintf("is %q, want %d-%d", f.Bits, to, from))
	}
}

// parseBits reads "3" or "4-7".
func parseBits(text string) (from, to int, ok bool) {
	first, last, ranged := strings.Cut(text, "-")
	if !ranged {
		last = first
	}
	a, err := strconv.ParseUint(strings.TrimSpace(first), 10, 8)
	if err != nil {
		return 0, 0, false
	}
	b, err := strconv.ParseUint(strings.TrimSpace(last), 10, 8)
	return int(a), int(b), err == nil
}

func (f *Field) validateMissing(report func(field, problem string), known form) {
	if len(f.Missing) > 0 && (known.kind == kindString || known.kind == kindBytes) {
		report("missing", "needs a number, but type is "+f.Type)
		return
	}
	c := newCodec(f, known)
	for _, text := range f.Missing {
		if _, err := c.code(text); err != nil {
			report("missing", err.Error())
		}
	}
}
