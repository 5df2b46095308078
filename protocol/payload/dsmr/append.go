package dsmr

import (
	"fmt"

	"sluice/protocol/checksum"
)

// AppendTelegram appends a telegram with its CRC to dst. The identification is
// what follows the /, such as `ISk5\2MT382-1000`; a line is an object, such as
// "1-0:1.8.1(000004.426*kWh)", and holds no ! at its beginning.
func AppendTelegram(dst []byte, identification string, lines ...string) []byte {
	crc, _ := checksum.Lookup("crc-16/arc")
	first := len(dst)
	dst = append(append(append(dst, '/'), identification...), "\r\n\r\n"...)
	for _, line := range lines {
		dst = append(append(dst, line...), "\r\n"...)
	}
	dst = append(dst, '!')
	return fmt.Appendf(dst, "%04X\r\n", crc.Of(dst[first:]))
}
