package binary

import (
	"math"
	"strconv"
)

// tens are the powers of ten that a float64 holds exactly.
var tens = [...]float64{
	1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11,
	1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
}

// places are, by the exponent of a float32, how many places behind the point
// make its first 7 digits: 0 where the number is whole or the way is too long.
var places = placesOf()

func placesOf() (p [256]uint8) {
	for e := range p {
		n := 6 - int(math.Floor(float64(e-127)*math.Log10(2)))
		if n > 0 && n+2 < len(tens) {
			p[e] = uint8(n)
		}
	}
	return p
}

// Shortest returns the float64 nearest to a short decimal that reads back as f:
// 0.471 and not 0.47099998593330383. A device that sends float32 means this, and
// nothing is lost.
func Shortest(f float32) float64 {
	exact := float64(f)
	if exact == math.Trunc(exact) {
		return exact
	}
	n := places[math.Float32bits(f)>>23&0xff]
	if n == 0 {
		return longWay(f)
	}
	for ; int(n) < len(tens); n++ {
		// Seven digits are enough for most, nine for all.
		if short := math.RoundToEven(exact*tens[n]) / tens[n]; float32(short) == f {
			return short
		}
	}
	return exact
}

// longWay is Shortest for very small numbers, and for NaN.
func longWay(f float32) float64 {
	exact := float64(f)
	var text [32]byte
	short, err := strconv.ParseFloat(string(strconv.AppendFloat(text[:0], exact, 'g', -1, 32)), 64)
	if err != nil || float32(short) != f {
		return exact
	}
	return short
}

// shortest16 is Shortest for the bits of a float16.
func shortest16(h uint16) float64 {
	exact := fromHalf(h)
	if exact == math.Trunc(exact) || math.IsNaN(exact) || math.Abs(exact) < 1e-4 {
		return exact
	}
	for n := 1; n < 12; n++ {
		if short := math.RoundToEven(exact*tens[n]) / tens[n]; toHalf(short) == h {
			return short
		}
	}
	return exact
}

// fromHalf returns the number that the bits of a float16 stand for.
func fromHalf(h uint16) float64 {
	exp, frac := int(h>>10&0x1f), float64(h&0x3ff)
	var f float64
	switch exp {
	case 0:
		f = math.Ldexp(frac, -24)
	case 31:
		f = math.Inf(1)
		if frac != 0 {
			f = math.NaN()
		}
	default:
		f = math.Ldexp(1024+frac, exp-25)
	}
	if h&0x8000 != 0 {
		f = -f
	}
	return f
}

// toHalf returns the bits of the float16 nearest to f, the even one of two.
func toHalf(f float64) uint16 {
	var sign uint16
	if math.Signbit(f) {
		sign, f = 0x8000, -f
	}
	switch {
	case math.IsNaN(f):
		return 0x7e00
	case f >= 65520:
		return sign | 0x7c00
	case f < 0x1p-14:
		return sign | uint16(math.RoundToEven(math.Ldexp(f, 24)))
	}
	frac, exp := math.Frexp(f) // f = frac · 2^exp, frac from 0.5
	n := uint16(math.RoundToEven(math.Ldexp(frac, 11)))
	return sign | uint16(exp+13)<<10 + n // n is at least 1024: it carries into the exponent
}
