// Package frame finds messages in a byte stream.
//
// It does no I/O, reads no clock and starts no goroutine: bytes are pushed in
// as they arrive and frames are taken out. How the stream was cut into pieces
// never changes the frames.
package frame

import "bytes"

// Lines finds lines in a byte stream. It is owned by one goroutine and holds
// no more than one line of the longest length allowed.
//
//	lines.Feed(received)
//	for line, ok := lines.Next(); ok; line, ok = lines.Next() { … }
type Lines struct {
	eol     EOL
	max     int    // longest line in bytes, without its end
	rest    []byte // fed and not looked at yet; the feeder's memory
	partial []byte // the beginning of a line whose end has not come
	over    bool   // that line is too long: its bytes are skipped
	cr      bool   // its last byte was a CR
	tooLong int64
	skipped int64
}

// NewLines returns a Lines for lines that end with eol and have at most max
// bytes, which is at least 1. Empty lines are not delivered.
func NewLines(eol EOL, max int) *Lines {
	return &Lines{eol: eol, max: max}
}

// Feed adds the bytes that arrived. They must stay as they are until Next has
// reported that there is no further line. Feeding again before that is allowed
// but copies what is left.
func (l *Lines) Feed(p []byte) {
	if len(l.rest) > 0 {
		p = append(bytes.Clone(l.rest), p...)
	}
	l.rest = p
}

// Next returns the next whole line without its end, or false when more bytes
// are needed. The line is valid until the next call of Next or Feed. A line
// longer than the longest allowed is skipped and counted.
func (l *Lines) Next() ([]byte, bool) {
	for {
		end := l.eol.index(l.rest)
		if end < 0 {
			l.keep(l.rest)
			l.rest = nil
			return nil, false
		}
		piece := l.rest[:end:end]
		if !l.ends(piece) {
			l.keep(l.rest[:end+1])
			l.rest = l.rest[end+1:]
			continue
		}
		l.rest = l.rest[end+1:]
		if line := l.finish(piece); len(line) > 0 {
			return line, true
		}
	}
}

// ends reports whether the end-of-line byte after piece ends a line, which an
// LF without a CR does not when lines end with both.
func (l *Lines) ends(piece []byte) bool {
	if l.eol != CRLF {
		return true
	}
	if len(piece) == 0 {
		return l.cr
	}
	return piece[len(piece)-1] == '\r'
}

// room is how many bytes of a line are kept: with CRLF the CR is kept until the
// LF shows that it belonged to the end.
func (l *Lines) room() int {
	if l.eol == CRLF {
		return l.max + 1
	}
	return l.max
}

// keep adds piece to the line that has begun, or skips it when there is no room.
func (l *Lines) keep(piece []byte) {
	if len(piece) == 0 {
		return
	}
	l.cr = piece[len(piece)-1] == '\r'
	switch {
	case l.over:
		l.skipped += int64(len(piece))
	case len(l.partial)+len(piece) > l.room():
		l.skip(len(l.partial) + len(piece))
	default:
		l.partial = append(l.partial, piece...)
	}
}

func (l *Lines) skip(n int) {
	l.over = true
	l.tooLong++
	l.skipped += int64(n)
	l.partial = l.partial[:0]
}

// finish returns the line whose last bytes are piece, or nothing when it was
// too long. A line that came in one piece is not copied.
func (l *Lines) finish(piece []byte) []byte {
	line := piece
	if l.over || len(l.partial) > 0 || len(piece) > l.room() {
		l.keep(piece)
		line = l.partial
	}
	if l.over {
		line = nil
	}
	if l.eol == CRLF {
		line = l.cutCR(line)
	}
	l.over, l.cr = false, false
	l.partial = l.partial[:0]
	return line
}

// cutCR takes the CR of the line's end back, from the line or from the count.
func (l *Lines) cutCR(line []byte) []byte {
	if l.over {
		l.skipped--
		return nil
	}
	return line[:len(line)-1]
}

// Reset forgets the line that has begun, for a stream that starts anew. The
// counts stay.
func (l *Lines) Reset() {
	l.rest, l.partial = nil, l.partial[:0]
	l.over, l.cr = false, false
}

// TooLong returns how many lines were too long.
func (l *Lines) TooLong() int64 { return l.tooLong }

// Skipped returns how many bytes of lines that were too long have been skipped,
// without their ends.
func (l *Lines) Skipped() int64 { return l.skipped }
