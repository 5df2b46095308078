package frame

// idle is the grammar of frames that end with the line's silence.
type idle struct {
	max   int
	check *check
	over  bool // a frame that is too long is being skipped
}

// limit leaves room for the byte that shows that a frame is too long.
func (g *idle) limit() int { return g.max + 1 }

func (g *idle) reset() { g.over = false }

func (g *idle) look(p []byte, at place) verdict {
	switch {
	case g.over:
		return noise(len(p))
	case len(p) > g.max:
		g.over = true
		return tooLong(len(p), len(p))
	case !at.quiet:
		return wait()
	}
	if ok, _, _ := g.check.holds(p); !ok {
		return reject(len(p), len(p))
	}
	return found(len(p), p)
}
