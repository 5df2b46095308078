package serial

import (
	"errors"
	"os"
	"time"
)

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

// passed reports whether err only says that the line was quiet.
func (q *quiet) passed(err error) bool {
	return !q.from.IsZero() && errors.Is(err, os.ErrDeadlineExceeded)
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

// arm makes the next Read of from give up when the gap is over. A line that is
// known to be quiet is waited for without end.
func (q *quiet) arm(from source) error {
	switch {
	case q.gap == 0:
		return nil
	case q.from.IsZero():
		return from.SetReadDeadline(time.Time{})
	}
	return from.SetReadDeadline(q.from.Add(q.gap))
}
