package drivers

import (
	"sync/atomic"
	"time"
)

// patience is how much longer than it has said a driver's loop may take.
const patience = time.Minute

// pulse is when a driver's loop is to have come round, by the monotonic clock.
type pulse struct {
	began time.Time
	due   atomic.Int64 // nanoseconds after began; 0: the loop waits for its devices, however long
}

// Within says that the loop which takes what devices send comes round after wait, or
// sooner: it calls Within or Rest again. One that does not within another minute
// hangs. A driver with several such loops says it of one.
func (s *Status) Within(wait time.Duration) {
	s.pulse.due.Store(int64(time.Since(s.pulse.began) + wait + patience))
}

// Rest says that the loop waits for its devices.
func (s *Status) Rest() { s.pulse.due.Store(0) }

// Late returns how long ago the loop was to come round, 0 when it is in time.
func (s *Status) Late() time.Duration {
	due := s.pulse.due.Load()
	if due == 0 {
		return 0
	}
	return max(0, time.Since(s.pulse.began)-time.Duration(due))
}
