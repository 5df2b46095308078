package plain

// nibbles are the remainders of the 16 values of half a byte.
var nibbles = [16]uint16{
	0x0000, 0xCC01, 0xD801, 0x1400, 0xF001, 0x3C00, 0x2800, 0xE401,
	0xA001, 0x6C00, 0x7800, 0xB401, 0x5000, 0x9C01, 0x8801, 0x4400,
}

// CRC16 continues the CRC-16/ARC that is sum, 0 at the beginning, with text.
// DSMR telegrams and SDI-12 responses carry it.
func CRC16(sum uint16, text []byte) uint16 {
	for _, c := range text {
		sum ^= uint16(c)
		sum = sum>>4 ^ nibbles[sum&15]
		sum = sum>>4 ^ nibbles[sum&15]
	}
	return sum
}
