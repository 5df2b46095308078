package modbus

import (
	"encoding/binary"
	"encoding/hex"
)

// measureRTU looks for a frame at the beginning of p.
func (s *Stream) measureRTU(p []byte) int {
	if len(p) > 1 && !s.wants(p[0], p[1]) {
		return unknown
	}
	n := RTULength(s.side, p)
	switch {
	case n <= 0:
		return n
	case len(p) < n:
		return 0
	case crc(p[:n-2]) != binary.LittleEndian.Uint16(p[n-2:]):
		return s.reject(n)
	}
	return n
}

// measureASCII looks for a frame at the beginning of p. It ends with a LF, which
// a CR may stand before.
func (s *Stream) measureASCII(p []byte) int {
	if len(p) == 0 {
		return 0
	}
	if !opensASCII(p[0]) {
		return unknown
	}
	end := 1
	for end < len(p) && isHex(p[end]) {
		end++
	}
	switch {
	case end > maxASCII-2:
		return unknown
	case end == len(p):
		return 0
	}
	size := end + 1
	if p[end] == '\r' {
		if size == len(p) {
			return 0
		}
		size++
	}
	if p[size-1] != '\n' {
		return unknown
	}
	return s.readASCII(p[1:end], size)
}

func isHex(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'A' && c <= 'F' || c >= 'a' && c <= 'f'
}

// readASCII reads the digits of a frame of size characters.
func (s *Stream) readASCII(digits []byte, size int) int {
	var err error
	if s.plain, err = hex.AppendDecode(s.plain[:0], digits); err != nil || len(s.plain) < 3 {
		return unknown
	}
	end := len(s.plain) - 1
	switch {
	case lrc(s.plain[:end]) != s.plain[end]:
		return s.reject(size)
	case !s.wants(s.plain[0], s.plain[1]):
		return unknown
	}
	return size
}

// measureTCP looks for a frame at the beginning of p. Functions that we do not
// know have the length that the head says.
func (s *Stream) measureTCP(p []byte) int {
	n := TCPLength(p)
	if n <= 0 {
		return n
	}
	if len(p) < n {
		return 0
	}
	pdu := p[headTCP:n]
	if want := s.side.length(pdu); want != len(pdu) && (want != unknown || known(pdu[0])) {
		return unknown
	}
	return n
}

// known reports whether the specification has a function of this code, or
// whether it is an exception.
func known(code byte) bool {
	switch f := Function(code); f {
	case readExceptionStatus, diagnostics, getEventCounter, getEventLog, reportServerID, readFileRecord, writeFileRecord, readFIFO:
		return true
	default:
		return f.built() || code == 0 || code&failed != 0
	}
}
