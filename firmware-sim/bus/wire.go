package bus

import (
	"slices"
	"time"
)

// wire is a line and what is on it. It is guarded by the mutex of its bus.
type wire struct {
	timing
	judged  bool // it is a line; otherwise a TCP connection, on which nobody collides
	arbiter *arbiter
	out     []*transmission // not handed over whole yet, by their start
	last    Interval        // what was heard last, or still is
}

// arrive judges that a master is heard from start to end, and whether it begins
// to talk. It reports whether the devices understand it.
func (w *wire) arrive(mine Interval, begins bool) bool {
	understood := true
	for _, t := range w.out {
		if t.overlaps(mine.Start, mine.End) {
			t.garble(mine.Start, mine.End)
			w.arbiter.judge(Overlap, t.interval(), mine)
			understood = false
		}
	}
	if !understood || !begins {
		return understood
	}
	last := w.before(mine.Start)
	switch silence := mine.Start.Sub(last.End); {
	case last.End.IsZero():
	case silence < 0:
		w.arbiter.judge(Overlap, last, mine)
		return false
	case silence < w.gap:
		w.arbiter.judge(Gap, last, mine)
	default:
		w.patient(mine)
	}
	return true
}

// patient judges whether an answer is due while a master begins to talk.
func (w *wire) patient(mine Interval) {
	for _, t := range w.out {
		if !t.local && t.start.After(mine.Start) {
			w.arbiter.judge(Impatient, t.interval(), mine)
			return
		}
	}
}

// before returns what ended last before a time, or is heard at it.
func (w *wire) before(at time.Time) Interval {
	last := w.last
	for _, t := range w.out {
		if !t.local && !t.end().After(at) && t.end().After(last.End) {
			last = t.interval()
		}
	}
	return last
}

// note records what was heard.
func (w *wire) note(i Interval) {
	if w.judged {
		w.arbiter.note(i)
	}
	if i.End.After(w.last.End) {
		w.last = i
	}
}

// launch puts a transmission on its way. On a line it collides with what else is
// sent then, on a connection it waits.
func (w *wire) launch(t *transmission) {
	for _, o := range w.out {
		switch {
		case !w.judged && o.end().After(t.start):
			t.start = o.end()
			t.faults |= o.faults & (1 << Late) // and is late with it
		case w.judged && !t.local && o.overlaps(t.start, t.end()):
			o.garble(t.start, t.end())
			t.garble(o.start, o.end())
			w.arbiter.judge(Overlap, o.interval(), t.interval())
		}
	}
	at, _ := slices.BinarySearchFunc(w.out, t, func(o, t *transmission) int {
		if o.start.After(t.start) {
			return 1
		}
		return -1 // those that begin at the same time stay in order
	})
	w.out = slices.Insert(w.out, at, t)
}

// free returns when nothing that is known now will be on the line any more.
func (w *wire) free() time.Time {
	end := w.last.End
	for _, t := range w.out {
		if t.end().After(end) {
			end = t.end()
		}
	}
	return end
}

// take appends what has arrived for c by now to p, and the transmissions that it
// completes to done.
func (w *wire) take(c *conn, now time.Time, p []byte, done []*transmission) ([]byte, []*transmission) {
	w.out = slices.DeleteFunc(w.out, func(t *transmission) bool {
		if t.to != c {
			return false
		}
		n := t.arrived(now)
		p = append(p, t.bytes[t.sent:max(n, t.sent)]...)
		t.sent = max(n, t.sent)
		if t.sent < len(t.bytes) {
			return false
		}
		if !t.local {
			w.note(t.interval())
		}
		done = append(done, t)
		return true
	})
	return p, done
}

// due returns when there is something to hand over to c, zero for never.
func (w *wire) due(c *conn, lump time.Duration) time.Time {
	var at time.Time
	for _, t := range w.out {
		if t.to == c {
			at = sooner(at, t.due(lump))
		}
	}
	return at
}

// forget drops what is on its way to c and returns how many bytes that is.
func (w *wire) forget(c *conn) (lost int) {
	w.out = slices.DeleteFunc(w.out, func(t *transmission) bool {
		if t.to == c {
			lost += len(t.bytes) - t.sent
		}
		return t.to == c
	})
	return lost
}

// sooner returns the earlier one of two times, of which zero is never.
func sooner(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
