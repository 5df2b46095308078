package cayennelpp

import "math"

// Append appends values of a channel to dst: one, or three where the type has
// three, in the type's unit. A value that the type cannot hold becomes the nearest
// one that it can. Nothing is appended when the type is not known, the number of
// values is another, or one of them is NaN, which the format cannot express.
func Append(dst []byte, channel byte, t Type, values ...float64) []byte {
	k, ok := kinds[t]
	if !ok || len(values) != len(k.values) {
		return dst
	}
	start := len(dst)
	dst = append(dst, channel, byte(t))
	for i, v := range values {
		if math.IsNaN(v) {
			return dst[:start]
		}
		n := k.clip(v * math.Pow10(-k.values[i].exp) / float64(k.values[i].factor))
		for shift := 8 * (k.size - 1); shift >= 0; shift -= 8 {
			dst = append(dst, byte(n>>shift))
		}
	}
	return dst
}

// clip returns the whole number nearest to v that k can hold.
func (k *kind) clip(v float64) int64 {
	least, most := 0.0, math.Exp2(float64(8*k.size))-1
	if k.signed {
		most = math.Exp2(float64(8*k.size-1)) - 1
		least = -most - 1
	}
	return int64(math.Round(min(max(v, least), most)))
}
