package modbus

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
)

// The lengths of frames in bytes.
const (
	minRTU   = 4
	maxRTU   = 1 + maxPDU + 2
	minASCII = 1 + 2*3 + 1
	maxASCII = 1 + 2*(1+maxPDU+1) + 2
	headTCP  = 7 // with the unit
	minTCP   = headTCP + 1
	maxTCP   = headTCP + maxPDU
)

// ErrChecksum is in the error of a frame whose CRC or LRC is wrong.
var ErrChecksum = errors.New("the checksum is wrong")

// Frame is one request or response and its envelope.
type Frame struct {
	Unit        uint8  // the server's address on its line
	Transaction uint16 // of TCP: the response has the request's
	PDU         []byte
}

// AppendRTU appends the frame of a PDU on a serial line.
func AppendRTU(dst []byte, unit uint8, pdu []byte) []byte {
	first := len(dst)
	dst = append(append(dst, unit), pdu...)
	return binary.LittleEndian.AppendUint16(dst, crc(dst[first:]))
}

// ParseRTU reads a whole frame of a serial line. The PDU is part of it.
func ParseRTU(frame []byte) (Frame, error) {
	if len(frame) < minRTU || len(frame) > maxRTU {
		return Frame{}, fmt.Errorf("parse rtu frame: %d bytes, want %d to %d", len(frame), minRTU, maxRTU)
	}
	end := len(frame) - 2
	if got, want := crc(frame[:end]), binary.LittleEndian.Uint16(frame[end:]); got != want {
		return Frame{}, fmt.Errorf("parse rtu frame: crc is %04x, the frame says %04x: %w", got, want, ErrChecksum)
	}
	return Frame{Unit: frame[0], PDU: frame[1:end]}, nil
}

// RTULength returns how many bytes the frame of one side has that begins with
// head: 0 when more of it is needed to tell, -1 when it cannot be one.
func RTULength(side Side, head []byte) int {
	if len(head) < 2 {
		return 0
	}
	n := side.length(head[1:])
	if n <= 0 {
		return n
	}
	return 1 + n + 2
}

// AppendASCII appends the frame of a PDU on a serial line in ASCII mode.
func AppendASCII(dst []byte, unit uint8, pdu []byte) []byte {
	const digits = "0123456789ABCDEF"
	dst = append(dst, ':', digits[unit>>4], digits[unit&0xf])
	for _, b := range pdu {
		dst = append(dst, digits[b>>4], digits[b&0xf])
	}
	sum := lrc(pdu) - unit
	return append(dst, digits[sum>>4], digits[sum&0xf], '\r', '\n')
}

// ParseASCII reads a whole frame of ASCII mode, with or without its line end.
// The PDU is put into plain, which may be nil. Small letters and ">" instead of
// ":" are taken too, since devices send them.
func ParseASCII(plain, frame []byte) (Frame, error) {
	for len(frame) > 0 && (frame[len(frame)-1] == '\n' || frame[len(frame)-1] == '\r') {
		frame = frame[:len(frame)-1]
	}
	if len(frame) < minASCII-1 || len(frame) > maxASCII-2 || !opensASCII(frame[0]) {
		return Frame{}, fmt.Errorf("parse ascii frame: %d characters are no frame", len(frame))
	}
	plain, err := hex.AppendDecode(plain[:0], frame[1:])
	if err != nil {
		return Frame{}, fmt.Errorf("parse ascii frame: %w", err)
	}
	end := len(plain) - 1
	if got := lrc(plain[:end]); got != plain[end] {
		return Frame{}, fmt.Errorf("parse ascii frame: lrc is %02x, the frame says %02x: %w", got, plain[end], ErrChecksum)
	}
	return Frame{Unit: plain[0], PDU: plain[1:end]}, nil
}

func opensASCII(c byte) bool { return c == ':' || c == '>' }

// AppendTCP appends the frame of a PDU on a TCP connection.
func AppendTCP(dst []byte, transaction uint16, unit uint8, pdu []byte) []byte {
	dst = binary.BigEndian.AppendUint16(dst, transaction)
	dst = append(dst, 0, 0) // the protocol
	dst = binary.BigEndian.AppendUint16(dst, uint16(len(pdu)+1))
	return append(append(dst, unit), pdu...)
}

// ParseTCP reads a whole frame of a TCP connection. The PDU is part of it.
func ParseTCP(frame []byte) (Frame, error) {
	switch n := TCPLength(frame); {
	case n < 0:
		return Frame{}, fmt.Errorf("parse tcp frame: % x is no head", frame[:min(headTCP, len(frame))])
	case n == 0 || n != len(frame):
		return Frame{}, fmt.Errorf("parse tcp frame: %d bytes, want %d", len(frame), max(n, minTCP))
	}
	return Frame{Unit: frame[6], Transaction: binary.BigEndian.Uint16(frame), PDU: frame[headTCP:]}, nil
}

// TCPLength returns how many bytes the frame has that begins with head: 0 when
// more of it is needed to tell, -1 when it cannot be one.
func TCPLength(head []byte) int {
	for _, b := range head[min(2, len(head)):min(5, len(head))] {
		if b != 0 { // the protocol, and the high byte of a length up to 254
			return unknown
		}
	}
	if len(head) < headTCP-1 {
		return 0
	}
	n := headTCP - 1 + int(head[5])
	if n < minTCP || n > maxTCP {
		return unknown
	}
	return n
}
