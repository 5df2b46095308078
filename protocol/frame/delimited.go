package frame

import (
	"bytes"
	"slices"
)

// AppendDelimited appends payload between start and end, either of which may be
// empty. The payload must hold neither.
func AppendDelimited(dst, start, payload, end []byte) []byte {
	return append(append(append(dst, start...), payload...), end...)
}

// AppendEscaped is AppendDelimited for any payload: where it holds escape or
// the first byte of start or end, escape is put in front and the byte itself
// combined with xor.
func AppendEscaped(dst, start, payload, end []byte, escape, xor byte) []byte {
	dst = append(dst, start...)
	for _, c := range payload {
		if c == escape || bytes.HasPrefix(start, []byte{c}) || bytes.HasPrefix(end, []byte{c}) {
			dst = append(dst, escape)
			c ^= xor
		}
		dst = append(dst, c)
	}
	return append(dst, end...)
}

// delimited is the grammar of frames between a start and an end, which may be
// the same.
type delimited struct {
	start, end []byte
	escape     int  // the byte that takes the next one's meaning away, -1: none
	xor        byte // what an escaped byte is combined with
	trailer    int  // bytes behind the end that belong to the frame
	max        int  // bytes between start and end
	check      *check
	at         int    // where the search for the end goes on
	out        []byte // a frame without escapes
}

func (g *delimited) limit() int { return len(g.start) + g.max + len(g.end) + g.trailer }

func (g *delimited) reset() {}

func (g *delimited) look(p []byte, at place) verdict {
	if n := indexStart(p, g.start); n > 0 {
		return noise(n)
	}
	if at.seen == 0 {
		g.at = len(g.start)
	}
	if len(p) < len(g.start) {
		return wait()
	}
	stop, again := g.stop(p)
	switch {
	case again:
		return reject(stop, stop)
	case at.quiet && len(p) == len(g.end) && bytes.Equal(p, g.end):
		return between(len(p)) // the end of the frame before
	case stop < 0 || stop+len(g.end)+g.trailer > len(p):
		return wait()
	case stop == len(g.start) && g.trailer == 0:
		return between(g.skip(stop))
	}
	return g.judge(p[:stop+len(g.end)+g.trailer], stop)
}

// stop returns where the end stands, or a start inside the frame that shows
// that its end was lost; -1: neither is there yet.
func (g *delimited) stop(p []byte) (n int, again bool) {
	if g.escape < 0 {
		return g.plainStop(p)
	}
	for ; g.at < len(p); g.at++ {
		if c := p[g.at]; c != g.end[0] && c != g.start[0] && int(c) != g.escape {
			continue
		}
		rest := p[g.at:]
		switch {
		case bytes.HasPrefix(rest, g.end):
			return g.at, false
		case bytes.HasPrefix(rest, g.start):
			return g.at, true
		case bytes.HasPrefix(g.end, rest), bytes.HasPrefix(g.start, rest):
			return -1, false // it may become one of them
		case int(rest[0]) == g.escape && g.xor == 0:
			if len(rest) == 1 {
				return -1, false
			}
			g.at++ // with xor what follows never looks like an end
		}
	}
	return -1, false
}

func (g *delimited) plainStop(p []byte) (n int, again bool) {
	n = bytes.Index(p[g.at:], g.end)
	if n < 0 {
		g.at = max(g.at, len(p)-len(g.end)+1)
		return -1, false
	}
	g.at += n
	if g.check != nil || bytes.Equal(g.start, g.end) {
		return g.at, false // the checksum tells, a start inside is the end
	}
	if inner := bytes.LastIndex(p[1:g.at], g.start); inner >= 0 {
		return 1 + inner, true
	}
	return g.at, false
}

// skip is how far to go behind a frame whose end stands at stop: an end that is
// a start too may be the next frame's.
func (g *delimited) skip(stop int) int {
	if bytes.Equal(g.start, g.end) {
		return stop
	}
	return stop + len(g.end) + g.trailer
}

func (g *delimited) judge(frame []byte, stop int) verdict {
	size := g.skip(stop)
	skip := 1
	if bytes.Equal(g.start, g.end) {
		skip = size
	}
	if g.escape >= 0 {
		if frame = g.unescape(frame, stop); frame == nil {
			return reject(size, skip)
		}
		stop = len(frame) - len(g.end) - g.trailer
	}
	ok, begin, end := g.check.holds(frame)
	if !ok {
		return reject(size, skip)
	}
	if end == stop && begin >= len(g.start) {
		stop = begin // the payload ends with the checksum
	}
	return found(size, frame[len(g.start):stop])
}

// unescape returns the frame with what its escapes stand for, nil when one of
// them stands last.
func (g *delimited) unescape(frame []byte, stop int) []byte {
	if bytes.IndexByte(frame[len(g.start):stop], byte(g.escape)) < 0 {
		return frame
	}
	g.out = append(slices.Grow(g.out[:0], len(frame)), g.start...)
	for i := len(g.start); i < stop; i++ {
		c := frame[i]
		if int(c) == g.escape {
			if i++; i == stop {
				return nil
			}
			c = frame[i] ^ g.xor
		}
		g.out = append(g.out, c)
	}
	g.out = append(g.out, frame[stop:]...)
	return g.out
}
