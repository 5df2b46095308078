package binary

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"sluice/protocol"
)

// Put writes v as value i (from 0) of the field into message, which is long
// enough; bits outside the field's range stay. Integers take every number that
// is whole and fits, floats every number, a string its UTF-8 filled up with NUL.
// Null is written as the first code that stands for no value, a float as NaN, a
// text as NUL; a bool, an integer without such a code and bytes cannot be null. On error message is as it was before.
func (c *Codec) Put(message []byte, i int, v protocol.Value) error {
	at := c.at
	if at < 0 {
		at += len(message)
	}
	at += i * c.size
	if i < 0 || i >= c.count || at < 0 || at+c.size > len(message) {
		return fmt.Errorf("put value %d: want bytes %d to %d, the message has %d", i, at, at+c.size-1, len(message))
	}
	p := message[at : at+c.size]
	if c.kind == kindString || c.kind == kindBytes {
		return c.putText(p, v)
	}
	n, err := c.bits(v)
	if err != nil {
		return err
	}
	if c.kind != kindFloat && int(c.width) < c.size*8 {
		rest := c.order.load(p) &^ (c.mask() << c.shift)
		n = rest | n<<c.shift
	}
	c.order.store(p, n)
	return nil
}

func (c *Codec) putText(p []byte, v protocol.Value) error {
	text := v.Text()
	switch {
	case c.kind == kindBytes && v.Kind() != protocol.KindBytes:
		return fmt.Errorf("put %v: want bytes", v)
	case c.kind == kindString && v.Kind() != protocol.KindString && !v.IsNull():
		return fmt.Errorf("put %v: want a text", v)
	case len(text) > len(p) || c.kind == kindBytes && len(text) != len(p):
		return fmt.Errorf("put %d bytes: the field has %d", len(text), len(p))
	}
	clear(p[copy(p, text):])
	if c.order == BADC {
		for i := 1; i < len(p); i += 2 {
			p[i-1], p[i] = p[i], p[i-1]
		}
	}
	return nil
}

// bits returns the bits of a number.
func (c *Codec) bits(v protocol.Value) (uint64, error) {
	if v.IsNull() {
		return c.none()
	}
	switch c.kind {
	case kindFloat:
		f, ok := v.Number()
		if !ok {
			return 0, fmt.Errorf("put %v: want a number", v)
		}
		return c.floatBits(f), nil
	case kindBool:
		if v.Kind() != protocol.KindBool {
			return 0, fmt.Errorf("put %v: want a bool", v)
		}
		if v.Bool() {
			return 1, nil
		}
		return 0, nil
	}
	n, neg, err := wholeOf(v)
	if err != nil {
		return 0, err
	}
	return c.fit(n, neg)
}

// none returns the bits that stand for no value.
func (c *Codec) none() (uint64, error) {
	switch {
	case len(c.missing) > 0:
		return c.missing[0], nil
	case c.kind == kindFloat:
		return c.floatBits(math.NaN()), nil
	}
	return 0, errors.New("put null: the field has no code for a missing value")
}

func (c *Codec) floatBits(f float64) uint64 {
	switch c.size {
	case 2:
		return uint64(toHalf(f))
	case 4:
		return uint64(math.Float32bits(float32(f)))
	}
	return math.Float64bits(f)
}

// wholeOf returns the absolute value of a whole number and whether it is
// negative.
func wholeOf(v protocol.Value) (n uint64, neg bool, err error) {
	switch v.Kind() {
	case protocol.KindUint:
		return v.Uint(), false, nil
	case protocol.KindInt:
		if v.Int() < 0 {
			return -uint64(v.Int()), true, nil
		}
		return uint64(v.Int()), false, nil
	case protocol.KindFloat:
		f := v.Float()
		if f == math.Trunc(f) && math.Abs(f) < 1<<64 {
			return uint64(math.Abs(f)), f < 0, nil
		}
	}
	return 0, false, fmt.Errorf("put %v: want a whole number", v)
}

// fit returns the bits of ±n, and an error when the field is too small.
func (c *Codec) fit(n uint64, neg bool) (uint64, error) {
	bits, ok := n, !neg && n <= c.mask()
	switch {
	case c.kind == kindBCD:
		bits, ok = toBCD(n)
		ok = ok && !neg && bits <= c.mask()
	case c.kind == kindInt && neg:
		bits, ok = -n&c.mask(), n <= c.mask()>>1+1
	case c.kind == kindInt:
		ok = n <= c.mask()>>1
	}
	switch {
	case ok:
		return bits, nil
	case neg:
		return 0, fmt.Errorf("put -%d: it does not fit", n)
	}
	return 0, fmt.Errorf("put %d: it does not fit", n)
}

// code returns the bits that a code in Field.Missing stands for: those of a
// hexadecimal number as they are, of a decimal one those of its value.
func (c *Codec) code(text string) (uint64, error) {
	digits := strings.ToLower(strings.TrimSpace(text))
	if hexadecimal, ok := strings.CutPrefix(digits, "0x"); ok {
		n, err := strconv.ParseUint(hexadecimal, 16, 64)
		if err != nil || n&^c.mask() != 0 {
			return 0, fmt.Errorf("has %s, want at most %d bits", text, c.width)
		}
		return n, nil
	}
	if c.kind == kindFloat {
		f, err := strconv.ParseFloat(digits, 64)
		if err != nil {
			return 0, fmt.Errorf("has %s, want a number or its bits such as 0x7FC00000", text)
		}
		return c.floatBits(f), nil
	}
	magnitude, neg := strings.CutPrefix(digits, "-")
	n, err := strconv.ParseUint(magnitude, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("has %s, want a whole number such as 0x7FFF or -32768", text)
	}
	bits, err := c.fit(n, neg)
	if err != nil && c.kind == kindInt && !neg && n <= c.mask() {
		return n, nil // 65535 for an int16: its bits are meant
	}
	if err != nil {
		return 0, fmt.Errorf("has %s, which no field of %d bits holds", text, c.width)
	}
	return bits, nil
}
