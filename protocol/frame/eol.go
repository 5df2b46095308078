package frame

import (
	"bytes"
	"fmt"
)

// EOL is what ends a line.
type EOL uint8

// The ends of a line. Auto, the zero EOL, takes any of the others.
const (
	Auto EOL = iota
	LF
	CRLF
	CR
)

var eolNames = [...]string{"auto", "lf", "crlf", "cr"}

// ParseEOL reads the name that configuration files use: auto, lf, crlf or cr.
func ParseEOL(name string) (EOL, error) {
	for i, n := range eolNames {
		if n == name {
			return EOL(i), nil
		}
	}
	return Auto, fmt.Errorf("end of line is %q, want auto, lf, crlf or cr", name)
}

// String returns the name that configuration files use for e.
func (e EOL) String() string {
	if int(e) < len(eolNames) {
		return eolNames[e]
	}
	return fmt.Sprintf("EOL(%d)", uint8(e))
}

// Append appends the bytes that end a line; a line of Auto ends with CR LF.
func (e EOL) Append(dst []byte) []byte {
	switch e {
	case LF:
		return append(dst, '\n')
	case CR:
		return append(dst, '\r')
	}
	return append(dst, '\r', '\n')
}

// index returns where the first byte is that may end a line, or -1. With Auto
// the LF of a CR LF ends a line of its own, which is empty and so never seen.
func (e EOL) index(p []byte) int {
	switch e {
	case LF, CRLF:
		return bytes.IndexByte(p, '\n')
	case CR:
		return bytes.IndexByte(p, '\r')
	}
	end := bytes.IndexByte(p, '\n')
	if end >= 0 {
		p = p[:end]
	}
	if cr := bytes.IndexByte(p, '\r'); cr >= 0 {
		return cr
	}
	return end
}
