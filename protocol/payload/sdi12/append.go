package sdi12

import (
	"math"
	"strconv"

	"sluice/protocol/checksum"
)

// AppendCommand appends a command to dst, such as "M", "D0" or "CC1" for the
// sensor with an address. The address '?' asks for the only sensor's.
func AppendCommand(dst []byte, address byte, command string) []byte {
	return append(append(append(dst, address), command...), '!')
}

// AppendValues appends a response with values to dst, with a CRC or without. A
// value has at most seven digits, as the specification wants it.
func AppendValues(dst []byte, address byte, withCRC bool, values ...float64) []byte {
	first := len(dst)
	dst = append(dst, address)
	for _, v := range values {
		dst = appendValue(dst, v)
	}
	if withCRC {
		crc, _ := checksum.Lookup("crc-16/arc")
		dst = appendCRC(dst, crc.Of(dst[first:]))
	}
	return append(dst, "\r\n"...)
}

// mostValue is the largest value of seven digits.
const mostValue = 9_999_999

// appendValue appends a sign and a number of at most seven digits. What does
// not fit, NaN too, becomes the largest value of its sign.
func appendValue(dst []byte, v float64) []byte {
	if !(math.Abs(v) <= mostValue) {
		v = math.Copysign(mostValue, v)
	}
	if v += 0; v >= 0 { // without -0
		dst = append(dst, '+')
	}
	first := len(dst)
	dst = strconv.AppendFloat(dst, v, 'f', -1, 64)
	for decimals := 6; digits(dst[first:]) > 7; decimals-- {
		dst = strconv.AppendFloat(dst[:first], v, 'f', decimals, 64)
	}
	return dst
}

func digits(text []byte) int {
	n := 0
	for _, c := range text {
		if c >= '0' && c <= '9' {
			n++
		}
	}
	return n
}

// AppendStart appends the answer to a command that starts a measurement to dst.
// The count has so many digits: one for aM!, two for aC!, three for aHA!.
func AppendStart(dst []byte, s Start, digits int) []byte {
	dst = append(dst, s.Address)
	dst = appendDigits(dst, int(s.Ready.Seconds()), 3)
	dst = appendDigits(dst, s.Count, digits)
	return append(dst, "\r\n"...)
}

func appendDigits(dst []byte, n, digits int) []byte {
	for unit := int(math.Pow10(digits - 1)); unit > 0; unit /= 10 {
		dst = append(dst, '0'+byte(n/unit%10))
	}
	return dst
}

// appendCRC appends a CRC in the three characters that SDI-12 has for it: four
// bits, six and six, each with bit 6.
func appendCRC(dst []byte, crc uint64) []byte {
	return append(dst, 0x40|byte(crc>>12&0x0f), 0x40|byte(crc>>6&0x3f), 0x40|byte(crc&0x3f))
}
