package protocol

import "math"

// mostPower is the largest power of ten that a float64 holds exactly.
const mostPower = 22

// Scaled returns n · 10^exp: an int as long as nothing stands behind the point
// and it fits, otherwise the float64 nearest to it, so that 453 · 10^-1 is 45.3
// and not 45.300000000000004. Devices that send integers with a power of ten
// beside them mean this.
func Scaled(n int64, exp int) Value {
	switch {
	case exp == 0 || n == 0 && exp > 0:
		return Int(n)
	case exp > 0:
		if scaled, ok := times(n, exp); ok {
			return Int(scaled)
		}
		return Float(float64(n) * math.Pow10(exp))
	case exp >= -mostPower:
		return Float(float64(n) / math.Pow10(-exp))
	}
	return Float(float64(n) / math.Pow10(mostPower) / math.Pow10(-exp-mostPower))
}

// times returns n · 10^exp, and false when it does not fit.
func times(n int64, exp int) (int64, bool) {
	for ; exp > 0; exp-- {
		if n > math.MaxInt64/10 || n < math.MinInt64/10 {
			return 0, false
		}
		n *= 10
	}
	return n, true
}
