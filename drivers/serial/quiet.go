package serial

import "time"

// quiet tells when a line has been quiet for the gap that ends a frame. It is
// owned by one goroutine.
type quiet struct {
	gap   time.Duration // 0: nobody wants to know
	last  time.Time     // when bytes came
	from  time.Time     // since when the line counts as quiet; zero: it is known to be
	doubt bool          // it was measured again
}

// heard notes that bytes came.
func (q *quiet) heard(now time.Time) { q.last, q.from, q.doubt = now, now, false }

// passed reports whether the gap is over at a time.
func (q *quiet) passed(now time.Time) bool {
	until := q.until()
	return !until.IsZero() && !now.Before(until)
}

// sure reports whether the line was quiet indeed. When nobody looked for a
// while, what came meanwhile may wait in the kernel: then it is measured again,
// once.
func (q *quiet) sure(now time.Time) bool {
	late := now.Sub(q.from) - q.gap
	if late > max(q.gap/2, 5*time.Millisecond) && !q.doubt {
		q.from, q.doubt = now, true
		return false
	}
	q.from = time.Time{}
	return true
}

// until returns when the gap is over, the zero time when nobody wants to know or
// the line is known to be quiet.
func (q *quiet) until() time.Time {
	if q.gap == 0 || q.from.IsZero() {
		return time.Time{}
	}
	return q.from.Add(q.gap)
}
