package modbus

import "encoding/binary"

// crcTables are what a byte does to a CRC-16/MODBUS, alone and with one to
// seven bytes behind it, so that eight are taken at a time. This is a third of
// what a response costs that is checked byte by byte.
var crcTables = crcTablesOf()

func crcTablesOf() (tables [8][256]uint16) {
	for i := range 256 {
		c := uint16(i)
		for range 8 {
			c = c>>1 ^ -(c&1)&0xa001
		}
		tables[0][i] = c
	}
	for i := range 256 {
		for n := 1; n < len(tables); n++ {
			before := tables[n-1][i]
			tables[n][i] = before>>8 ^ tables[0][before&0xff]
		}
	}
	return tables
}

// crc returns the CRC-16/MODBUS of p.
func crc(p []byte) uint16 {
	c, t := uint16(0xffff), &crcTables
	for ; len(p) >= 8; p = p[8:] {
		n := binary.LittleEndian.Uint64(p) ^ uint64(c)
		c = t[7][n&0xff] ^ t[6][n>>8&0xff] ^ t[5][n>>16&0xff] ^ t[4][n>>24&0xff] ^
			t[3][n>>32&0xff] ^ t[2][n>>40&0xff] ^ t[1][n>>48&0xff] ^ t[0][n>>56]
	}
	for _, b := range p {
		c = c>>8 ^ t[0][byte(c)^b]
	}
	return c
}

// lrc returns the two's complement of the sum of p.
func lrc(p []byte) byte {
	var sum byte
	for _, b := range p {
		sum += b
	}
	return -sum
}
