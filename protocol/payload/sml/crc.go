package sml

// crcNibbles are the remainders of the polynomial 0x1021, reflected, for four
// bits.
var crcNibbles = [16]uint16{
	0x0000, 0x1081, 0x2102, 0x3183, 0x4204, 0x5285, 0x6306, 0x7387,
	0x8408, 0x9489, 0xa50a, 0xb58b, 0xc60c, 0xd68d, 0xe70e, 0xf78f,
}

func remainder(crc uint16, p []byte) uint16 {
	for _, c := range p {
		crc ^= uint16(c)
		crc = crc>>4 ^ crcNibbles[crc&15]
		crc = crc>>4 ^ crcNibbles[crc&15]
	}
	return crc
}

// x25 returns the checksum of p as it stands in a file: low byte first.
func x25(p []byte) uint16 {
	crc := ^remainder(0xffff, p)
	return crc<<8 | crc>>8
}

// summed reports whether sum is the checksum of p: X-25 with the low byte
// first, or KERMIT with the high byte first, as Holley's meters have it.
func summed(p []byte, sum uint16) bool {
	return sum == x25(p) || sum == remainder(0, p)
}
