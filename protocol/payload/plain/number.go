// Package plain reads what the text protocols of meters and sensors have in
// common: decimal numbers, and words that come again and again. Everything is
// pure and allocates nothing in the steady state.
package plain

import (
	"math"
	"strconv"
)

// mostDigits is how many digits a number may have, far more than any device
// sends. With sign and point it then fits the 32 bytes of text that converting
// to a string takes from the stack.
const mostDigits = 30

// exactDigits is how many decimal digits always fit a float64.
const exactDigits = 15

// Float reads all of text as a number: a sign, digits with at most one point.
// The result is the float64 nearest to what is written, without -0. Exponents,
// blanks, NaN and infinities are no numbers here.
func Float(text []byte) (float64, bool) {
	n, decimals, digits, ok := scan(text)
	switch {
	case !ok:
		return 0, false
	case digits <= exactDigits && decimals <= exactDigits:
		return float64(n) / math.Pow10(decimals), true
	}
	f, err := strconv.ParseFloat(string(text), 64)
	return f + 0, err == nil
}

// Int reads all of text as a whole number: a sign and digits.
func Int(text []byte) (int64, bool) {
	n, decimals, digits, ok := scan(text)
	if digits <= exactDigits {
		return n, ok && decimals == 0 && text[len(text)-1] != '.'
	}
	i, err := strconv.ParseInt(string(text), 10, 64)
	return i, err == nil
}

// scan returns the digits of text as a number without its point, as long as
// they are few, how many of them stand behind the point, and how many count.
func scan(text []byte) (n int64, decimals, digits int, ok bool) {
	rest, neg := text, false
	if len(rest) > 0 && (rest[0] == '-' || rest[0] == '+') {
		neg, rest = rest[0] == '-', rest[1:]
	}
	point, seen := false, 0
	for _, c := range rest {
		if c == '.' && !point {
			point = true
			continue
		}
		if c < '0' || c > '9' || seen == mostDigits {
			return 0, 0, 0, false
		}
		seen++
		if point {
			decimals++
		}
		if digits > 0 || c != '0' {
			digits++
		}
		if digits <= exactDigits {
			n = n*10 + int64(c-'0')
		}
	}
	if neg {
		n = -n
	}
	return n, decimals, digits, seen > 0
}

// Natural reads all of text as a number of digits only, at most nine of them.
func Natural(text []byte) (int, bool) {
	n := 0
	for _, c := range text {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + int(c-'0')
	}
	return n, len(text) > 0 && len(text) <= 9
}

// Hex reads all of text as a number of at most 15 hexadecimal digits.
func Hex(text []byte) (int64, bool) {
	n := int64(0)
	for _, c := range text {
		d, ok := HexDigit(c)
		if !ok || len(text) > 15 {
			return 0, false
		}
		n = n<<4 | int64(d)
	}
	return n, len(text) > 0
}

// HexDigit returns the value of one hexadecimal digit.
func HexDigit(c byte) (byte, bool) {
	switch {
	case c >= '0' && c <= '9':
		return c - '0', true
	case c >= 'A' && c <= 'F':
		return c - 'A' + 10, true
	case c >= 'a' && c <= 'f':
		return c - 'a' + 10, true
	}
	return 0, false
}
