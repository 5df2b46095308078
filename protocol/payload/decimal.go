package payload

import (
	"math"
	"math/bits"
	"strconv"

	"sluice/protocol"
)

// mostExact is the largest whole number up to which every one is a float64.
const mostExact = 1 << 53

// mostPower is the largest power of ten that is a float64.
const mostPower = 22

var powers = [...]uint64{
	1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9,
	1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19,
}

// decimal is a number as people and devices write it: ±digits · 10^exp, without
// trailing zeros in digits.
type decimal struct {
	digits  uint64
	exp     int
	neg     bool
	cut     bool   // there were more digits than fit; digits are the first ones
	integer bool   // written without fraction and exponent
	src     []byte // nil when it was not written as text
}

// parseDecimal reads all of src: a sign, digits with at most one point, an
// exponent. JSON's numbers are such, and so are +1, .5, 5. and 007. Blanks,
// hexadecimal digits, infinities and NaN are not.
func parseDecimal(src []byte) (decimal, bool) {
	d := decimal{src: src, integer: true}
	ok := d.read(src)
	return d, ok
}

// scaledDecimal returns n · 10^exp.
func scaledDecimal(n int64, exp int) decimal {
	d := decimal{digits: magnitude(n), neg: n < 0, exp: exp, integer: exp >= 0}
	for d.exp < 0 && d.digits%10 == 0 {
		d.digits /= 10
		d.exp++
	}
	return d
}

// signed returns the digits, which have to fit, with their sign.
func (d *decimal) signed() int64 {
	if d.neg {
		return -int64(d.digits)
	}
	return int64(d.digits)
}

// floatDecimal returns the shortest decimal that means f, or all digits of a
// whole number that fits. NaN and the infinities are none.
func floatDecimal(f float64) (decimal, bool) {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return decimal{}, false
	}
	d := decimal{neg: f < 0}
	if whole := math.Abs(f); whole < 1<<64 && whole == math.Trunc(whole) {
		d.digits = uint64(whole)
	} else {
		var room [32]byte
		d = decimal{integer: true}
		d.read(strconv.AppendFloat(room[:0], f, 'e', -1, 64))
	}
	return d, true
}

// read sets all of d but its source.
func (d *decimal) read(src []byte) bool {
	i := 0
	if len(src) > 0 && (src[0] == '-' || src[0] == '+') {
		d.neg = src[0] == '-'
		i++
	}
	seen, zeros := 0, 0
	for ; i < len(src); i++ {
		c := src[i]
		if c == '.' && d.integer {
			d.integer = false
			continue
		}
		if c-'0' > 9 {
			break
		}
		seen++
		if !d.integer {
			d.exp--
		}
		if zeros++; c != '0' {
			d.push(zeros, uint64(c-'0'))
			zeros = 0
		}
	}
	if d.digits != 0 {
		d.exp += zeros
	}
	if seen == 0 || i < len(src) && !d.exponent(src[i:]) {
		return false
	}
	if d.digits == 0 {
		d.exp = 0
	}
	return true
}

// push adds a digit after shifting by n places. Once the digits do not fit, it
// only counts the places.
func (d *decimal) push(n int, digit uint64) {
	if d.cut {
		d.exp += n
		return
	}
	if d.digits == 0 {
		d.digits = digit
		return
	}
	if n < len(powers) {
		hi, lo := bits.Mul64(d.digits, powers[n])
		sum, carry := bits.Add64(lo, digit, 0)
		if hi == 0 && carry == 0 {
			d.digits = sum
			return
		}
	}
	d.cut = true
	d.exp += n
}

// exponent reads e, a sign and digits, and stops to count where a number is far
// beyond every type.
func (d *decimal) exponent(p []byte) bool {
	if p[0]|0x20 != 'e' {
		return false
	}
	d.integer = false
	p = p[1:]
	neg := len(p) > 0 && p[0] == '-'
	if neg || len(p) > 0 && p[0] == '+' {
		p = p[1:]
	}
	if len(p) == 0 {
		return false
	}
	e := 0
	for _, c := range p {
		if c-'0' > 9 {
			return false
		}
		if e < 1<<24 {
			e = e*10 + int(c-'0')
		}
	}
	if neg {
		e = -e
	}
	d.exp += e
	return true
}

// whole returns the absolute value of d if it is a whole number that fits.
func (d *decimal) whole() (uint64, bool) {
	if d.digits == 0 {
		return 0, true
	}
	if d.cut || d.exp < 0 || d.exp >= len(powers) {
		return 0, false
	}
	hi, lo := bits.Mul64(d.digits, powers[d.exp])
	return lo, hi == 0
}

// int returns d if it is a whole number that an int64 holds.
func (d *decimal) int() (int64, bool) {
	n, ok := d.whole()
	if d.neg {
		return -int64(n), ok && n <= 1<<63
	}
	return int64(n), ok && n <= math.MaxInt64
}

// uint returns d if it is a whole number that a uint64 holds.
func (d *decimal) uint() (uint64, bool) {
	n, ok := d.whole()
	return n, ok && (!d.neg || n == 0)
}

// float returns the float64 nearest to d, and false when d is too large. There
// is no -0.
func (d *decimal) float() (float64, bool) {
	if f, ok := d.quick(); ok {
		return f, true
	}
	src := d.src
	if src == nil {
		var room [48]byte
		src = d.append(room[:0])
	}
	f, err := strconv.ParseFloat(string(src), 64)
	return f + 0, err == nil
}

// append appends d as text.
func (d *decimal) append(dst []byte) []byte {
	if d.neg {
		dst = append(dst, '-')
	}
	dst = append(strconv.AppendUint(dst, d.digits, 10), 'e')
	return strconv.AppendInt(dst, int64(d.exp), 10)
}

// quick returns d when both its digits and its power of ten are float64s: one
// multiplication or division of two exact numbers rounds correctly.
func (d *decimal) quick() (float64, bool) {
	if d.cut || d.digits > mostExact || d.exp > mostPower || d.exp < -mostPower {
		return 0, false
	}
	f := float64(d.digits)
	if d.neg && d.digits != 0 {
		f = -f
	}
	if d.exp < 0 {
		return f / math.Pow10(-d.exp), true
	}
	return f * math.Pow10(d.exp), true
}

// value returns d as a metric without a type has it: a float, so that 21 and
// 21.5 are of one kind, but whole numbers beyond 2^53 as an integer, so that no
// digit is lost. It is false when d is too large for a float.
func (d *decimal) value() (protocol.Value, bool) {
	if n, ok := d.whole(); d.integer && ok && n > mostExact {
		if i, ok := d.int(); ok {
			return protocol.Int(i), true
		}
		if u, ok := d.uint(); ok {
			return protocol.Uint(u), true
		}
	}
	f, ok := d.float()
	return protocol.Float(f), ok
}
