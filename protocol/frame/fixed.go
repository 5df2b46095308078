package frame

// fixed is the grammar of frames that all have the same length.
type fixed struct {
	length int
	sync   []byte // what they begin with, or nothing
	check  *check
}

func (g *fixed) limit() int { return g.length }

func (g *fixed) reset() {}

func (g *fixed) look(p []byte, _ place) verdict {
	if len(g.sync) > 0 {
		if n := indexStart(p, g.sync); n > 0 {
			return noise(n)
		}
	}
	if len(p) < g.length {
		return wait()
	}
	if ok, _, _ := g.check.holds(p); !ok {
		return reject(g.length, 1)
	}
	return found(g.length, p)
}
