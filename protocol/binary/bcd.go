package binary

// fromBCD returns the number whose decimal digits are the hexadecimal ones of
// n, and false when one of them is no decimal digit.
func fromBCD(n uint64) (uint64, bool) {
	var number uint64
	for shift := 60; shift >= 0; shift -= 4 {
		digit := n >> shift & 0xf
		if digit > 9 {
			return 0, false
		}
		number = number*10 + digit
	}
	return number, true
}

// toBCD is the way back, and false when number has more than 16 digits.
func toBCD(number uint64) (uint64, bool) {
	var n uint64
	for shift := 0; number > 0; shift += 4 {
		if shift > 60 {
			return 0, false
		}
		n |= number % 10 << shift
		number /= 10
	}
	return n, true
}
