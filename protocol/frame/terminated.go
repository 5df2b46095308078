package frame

import (
	"bytes"
	"slices"
)

// terminated is the grammar of frames that end with a byte or a few, which
// stand nowhere else: SLIP, COBS and lines with an end of their own.
type terminated struct {
	end    []byte
	max    int                                   // bytes in front of end
	decode func(dst, body []byte) ([]byte, bool) // nil: the payload stands as it is
	check  *check                                // nil: there is no checksum
	out    []byte                                // the memory of the payload delivered last
	over   bool                                  // a frame that is too long is being skipped
}

func (g *terminated) limit() int { return g.max + len(g.end) }

func (g *terminated) reset() { g.over = false }

func (g *terminated) look(p []byte, at place) verdict {
	from := max(at.seen-len(g.end)+1, 0)
	n := bytes.Index(p[from:], g.end)
	if n < 0 {
		return g.unfinished(p, at)
	}
	n += from
	switch {
	case n == 0:
		g.over = false
		return between(len(g.end))
	case g.over:
		return noise(n)
	}
	payload, ok := g.payload(p[:n])
	if !ok {
		return reject(n, n)
	}
	return found(n+len(g.end), payload)
}

// unfinished judges bytes without an end. The beginning of an end that may
// stand last is not skipped.
func (g *terminated) unfinished(p []byte, at place) verdict {
	skip := indexStart(p, g.end)
	if at.quiet {
		skip = len(p)
	}
	switch {
	case g.over && skip > 0:
		return noise(skip)
	case len(p) == g.limit():
		g.over = true
		return tooLong(len(p), skip)
	case at.quiet:
		return reject(len(p), skip)
	}
	return wait()
}

func (g *terminated) payload(body []byte) ([]byte, bool) {
	if g.decode != nil {
		g.out = slices.Grow(g.out[:0], len(body)) // what is decoded is never longer
		var ok bool
		if body, ok = g.decode(g.out, body); !ok {
			return nil, false
		}
	}
	return g.check.strip(body)
}
