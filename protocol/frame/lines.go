package frame

import "bytes"

// lineReader finds lines. It does without a scanner because it is the kind that
// most devices use: it looks at the bytes once, and never at a place again.
type lineReader struct {
	eol     EOL
	max     int    // longest line in bytes, without its end
	rest    []byte // fed and not looked at yet; the feeder's memory
	partial []byte // the beginning of a line whose end has not come
	over    bool   // that line is too long: its bytes are skipped
	cr      bool   // its last byte was a CR
	check   *check // nil: lines have no checksum
	stats   Stats
}

var _ Reader = (*lineReader)(nil)

// newLines returns a reader of lines that end with eol and have at most max
// bytes.
func newLines(eol EOL, max int) *lineReader {
	return &lineReader{eol: eol, max: max}
}

// Feed adds the bytes that arrived. They must stay as they are until Next has
// reported that there is no further line. Feeding again before that is allowed
// but copies what is left.
func (l *lineReader) Feed(p []byte) {
	if len(l.rest) > 0 {
		p = append(bytes.Clone(l.rest), p...)
	}
	l.rest = p
}

// Next returns the next whole line without its end, or false when more bytes
// are needed. The line is valid until the next call of Next or Feed. A line
// longer than the longest allowed is skipped and counted.
func (l *lineReader) Next() ([]byte, bool) {
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
		if line, ok := l.accept(l.finish(piece)); ok {
			return line, true
		}
	}
}

// accept counts a line and takes its checksum off. An empty line is none.
func (l *lineReader) accept(line []byte) ([]byte, bool) {
	if len(line) == 0 {
		return nil, false
	}
	text, ok := l.check.strip(line)
	switch {
	case !ok:
		l.stats.Bad++
		l.stats.Skipped += int64(len(line))
	case len(text) > 0:
		l.stats.Frames++
	}
	return text, ok && len(text) > 0
}

// ends reports whether the end-of-line byte after piece ends a line, which an
// LF without a CR does not when lines end with both.
func (l *lineReader) ends(piece []byte) bool {
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
func (l *lineReader) room() int {
	if l.eol == CRLF {
		return l.max + 1
	}
	return l.max
}

// keep adds piece to the line that has begun, or skips it when there is no room.
func (l *lineReader) keep(piece []byte) {
	if len(piece) == 0 {
		return
	}
	l.cr = piece[len(piece)-1] == '\r'
	switch {
	case l.over:
		l.stats.Skipped += int64(len(piece))
	case len(l.partial)+len(piece) > l.room():
		l.skip(len(l.partial) + len(piece))
	default:
		l.partial = append(l.partial, piece...)
	}
}

func (l *lineReader) skip(n int) {
	l.over = true
	l.stats.TooLong++
	l.stats.Skipped += int64(n)
	l.partial = l.partial[:0]
}

// finish returns the line whose last bytes are piece, or nothing when it was
// too long. A line that came in one piece is not copied.
func (l *lineReader) finish(piece []byte) []byte {
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
func (l *lineReader) cutCR(line []byte) []byte {
	if l.over {
		l.stats.Skipped--
		return nil
	}
	return line[:len(line)-1]
}

// Reset forgets the line that has begun, for a stream that starts anew. The
// counts stay.
func (l *lineReader) Reset() {
	l.rest, l.partial = nil, l.partial[:0]
	l.over, l.cr = false, false
}

// Idle rejects the line that has begun.
func (l *lineReader) Idle() {
	if n := len(l.partial); n > 0 {
		l.stats.Bad++
		l.stats.Skipped += int64(n)
	}
	l.partial = l.partial[:0]
	l.over, l.cr = false, false
}

// Stats returns the counts. What was skipped of a line is counted without its
// end.
func (l *lineReader) Stats() Stats { return l.stats }
