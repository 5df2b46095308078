package port

import (
	"encoding/hex"
)

// The directions of a dump, as seen from this program.
const (
	Received = '<'
	Sent     = '>'
)

// columns is how many bytes a line of a dump shows.
const columns = 16

// AppendDump appends b to dst as lines of text: the stamp and the direction,
// offset, the bytes in hexadecimal digits, and as text. The lines after the
// first have blanks for a stamp. Nothing gives one line without bytes.
func AppendDump(dst []byte, stamp string, direction byte, b []byte) []byte {
	for at := 0; at == 0 || at < len(b); at += columns {
		if at == 0 {
			dst = append(dst, stamp...)
		} else {
			dst = appendBlanks(dst, len(stamp))
		}
		dst = append(dst, ' ', direction, ' ')
		dst = hex.AppendEncode(dst, []byte{byte(at >> 8), byte(at)})
		dst = appendRow(append(dst, ' '), b[at:min(at+columns, len(b))])
		dst = append(dst, '\n')
	}
	return dst
}

func appendRow(dst, row []byte) []byte {
	for i, c := range row {
		if i == columns/2 {
			dst = append(dst, ' ')
		}
		dst = hex.AppendEncode(append(dst, ' '), []byte{c})
	}
	gap := 3 * (columns - len(row))
	if len(row) <= columns/2 {
		gap++
	}
	dst = append(appendBlanks(dst, gap), "  |"...)
	for _, c := range row {
		if c < ' ' || c > '~' {
			c = '.'
		}
		dst = append(dst, c)
	}
	return append(dst, '|')
}

func appendBlanks(dst []byte, n int) []byte {
	for range n {
		dst = append(dst, ' ')
	}
	return dst
}
