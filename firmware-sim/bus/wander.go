package bus

import "time"

// Wander returns a Value for a Slave whose registers wander smoothly between
// low and high, each on its own way: every step a new goal, in between on a
// straight line. Coils flip now and then. The value depends on the seed, the
// table, the address and the time alone. A step is longer than 0.
func Wander(seed uint64, low, high uint16, step time.Duration) func(Table, uint16, time.Time) (uint16, bool) {
	low, high = min(low, high), max(low, high)
	return func(t Table, address uint16, at time.Time) (uint16, bool) {
		turn := at.UnixNano() / int64(step)
		way := seed ^ uint64(t)<<16 ^ uint64(address)
		from, to := mix(way, uint64(turn)), mix(way, uint64(turn+1))
		if t == Coils || t == Discrete {
			return uint16(from & 1), true
		}
		span := uint64(high) - uint64(low) + 1
		a, b := float64(from%span), float64(to%span)
		part := float64(at.UnixNano()%int64(step)) / float64(step)
		return low + uint16(a+(b-a)*part+0.5), true
	}
}

// mix is a number that looks random and is the same for the same arguments.
func mix(a, b uint64) uint64 {
	x := a*0x9e3779b97f4a7c15 + b
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
