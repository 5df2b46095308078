package drivers

import (
	"log/slog"
	"sync"
	"time"
)

// State is what a driver's Status says of its link to the devices.
type State string

// The states of a driver. It begins as Connecting.
const (
	Connecting State = "connecting"
	Up         State = "up"
	Down       State = "down"
)

// Condition is a driver's state at one moment.
type Condition struct {
	State  State
	Since  time.Time // when the state began
	Detail string    // what it is connected to, or why it is down
}

// Status keeps and logs a driver's state: one line for every change, none for
// repeats, and a repeat with another reason only replaces the detail. The
// driver reports Up, Supervise reports Down. It is safe for concurrent use.
type Status struct {
	log   *slog.Logger
	pulse pulse

	mu  sync.Mutex // guards now
	now Condition
}

// NewStatus returns the status of a driver that is yet to connect. log carries
// the driver's name.
func NewStatus(log *slog.Logger) *Status {
	began := time.Now()
	return &Status{log: log, pulse: pulse{began: began}, now: Condition{State: Connecting, Since: began}}
}

// Up reports that the devices can be reached through detail, such as a broker's
// address or a port's name.
func (s *Status) Up(detail string) {
	was, changed := s.set(Up, detail)
	if !changed {
		return
	}
	if was.State == Down {
		s.log.Info("driver is up again", "via", detail, "down_for", time.Since(was.Since).Round(time.Millisecond))
		return
	}
	s.log.Info("driver is up", "via", detail)
}

// Down reports that the devices cannot be reached, and why.
func (s *Status) Down(err error) {
	if _, changed := s.set(Down, err.Error()); changed {
		s.log.Warn("driver is down", "err", err)
	}
}

// Condition returns the present state.
func (s *Status) Condition() Condition {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now
}

func (s *Status) set(state State, detail string) (was Condition, changed bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	was = s.now
	s.now.Detail = detail
	if was.State == state {
		return was, false
	}
	s.now.State, s.now.Since = state, time.Now()
	return was, true
}
