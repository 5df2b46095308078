package payload

import (
	"math"
	"math/bits"
	"strconv"
)

// scaling turns what was sent into what it means: sent · scale + offset.
//
// It reckons in decimal digits as long as they fit and rounds once at the end,
// so that 453 at a scale of 0.1 is 45.3 and not 45.300000000000004. Only where
// the digits do not fit it reckons in float64.
type scaling struct {
	scale, offset   float64
	factor, summand term
}

// term is a decimal constant: digits · 10^exp.
type term struct {
	digits int64
	exp    int
}

func newScaling(scale, offset *float64) *scaling {
	if scale == nil && offset == nil {
		return nil
	}
	s := &scaling{scale: 1}
	if scale != nil {
		s.scale = *scale
	}
	if offset != nil {
		s.offset = *offset
	}
	s.factor, s.summand = newTerm(s.scale), newTerm(s.offset)
	return s
}

// newTerm returns the shortest decimal that means f, which is what the operator
// wrote.
func newTerm(f float64) term {
	d, _ := parseDecimal(strconv.AppendFloat(nil, f, 'e', -1, 64))
	if d.neg {
		return term{-int64(d.digits), d.exp}
	}
	return term{int64(d.digits), d.exp}
}

// apply returns the meaning of d, and false when it is too large for a float64.
func (s *scaling) apply(d *decimal) (float64, bool) {
	if f, ok := s.exactly(d); ok {
		return f, true
	}
	f, ok := d.float()
	if s.factor.digits == 1 && s.factor.exp < 0 && s.factor.exp >= -mostPower {
		f /= math.Pow10(-s.factor.exp)
	} else {
		f *= s.scale
	}
	f += s.offset
	return f, ok && !math.IsInf(f, 0)
}

// exactly reckons in decimal digits, and reports false when they do not fit.
func (s *scaling) exactly(d *decimal) (float64, bool) {
	if d.cut || d.digits > mostExact {
		return 0, false
	}
	digits := int64(d.digits)
	if d.neg {
		digits = -digits
	}
	n, ok := multiply(digits, s.factor.digits)
	exp := d.exp + s.factor.exp
	if ok && s.summand.digits != 0 {
		n, exp, ok = add(n, exp, s.summand)
	}
	if !ok {
		return 0, false
	}
	sum := decimal{digits: magnitude(n), exp: exp, neg: n < 0}
	return sum.quick()
}

// add returns digits · 10^exp + t with the smaller of the two exponents.
func add(digits int64, exp int, t term) (int64, int, bool) {
	ok := true
	switch shift := exp - t.exp; {
	case shift > 18 || shift < -18:
		return 0, 0, false
	case shift > 0:
		digits, ok = multiply(digits, int64(powers[shift]))
		exp = t.exp
	default:
		t.digits, ok = multiply(t.digits, int64(powers[-shift]))
	}
	return digits + t.digits, exp, ok
}

// multiply returns a · b when it is below 2^62, so that the sum of two such
// products does not overflow.
func multiply(a, b int64) (int64, bool) {
	hi, lo := bits.Mul64(magnitude(a), magnitude(b))
	if hi != 0 || lo >= 1<<62 {
		return 0, false
	}
	return a * b, true
}

func magnitude(n int64) uint64 {
	if n < 0 {
		return -uint64(n)
	}
	return uint64(n)
}

// Sent returns the number that a device sends for the value v: the inverse of
// scale and offset, rounded to 15 digits so that it holds no binary noise. It
// is meant for simulated devices.
func (m Metric) Sent(v float64) float64 {
	if m.Offset != nil {
		back := -*m.Offset
		less := newScaling(nil, &back)
		d, _ := parseDecimal(strconv.AppendFloat(nil, v, 'e', -1, 64))
		v, _ = less.apply(&d)
	}
	if m.Scale != nil {
		v /= *m.Scale
	}
	v, _ = strconv.ParseFloat(strconv.FormatFloat(v, 'g', 15, 64), 64)
	return v
}
