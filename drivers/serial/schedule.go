package serial

import (
	"math"
	"time"
)

// never is when a device is ready that is not asked.
var never = time.Unix(1<<40, 0)

// outcome is what became of a poll's request.
type outcome uint8

const (
	answered outcome = iota // with a reading
	refused                 // with what gives no reading
	garbled                 // something came that cannot be read
	silent                  // nothing came
)

// schedule says who is asked next. Polls have fixed places in time: a late one
// does not shift those that follow, and one that missed its place is left out. It
// has no clock: all times are given. It is owned by one goroutine.
type schedule struct {
	stations []*station // those that are asked
	demote   Demote
	skipped  int64 // polls left out
}

// soon is in what time devices are asked first whose period is longer: an
// operator would wait long for the first readings.
const soon = 30 * time.Second

// golden spreads the periods so that no two begin together.
const golden = 0.6180339887498949

// newSchedule spreads the polls of each period over it.
func newSchedule(stations []*station, demote Demote, tells bool) *schedule {
	s := &schedule{demote: demote}
	same, periods := map[time.Duration]int{}, map[time.Duration]float64{}
	for _, t := range stations {
		if !t.asks() {
			continue
		}
		s.stations = append(s.stations, t)
		if same[t.every]++; same[t.every] == 1 {
			periods[t.every] = float64(len(periods))
		}
	}
	begun := map[time.Duration]int{}
	for _, t := range s.stations {
		step := min(t.every, soon) / time.Duration(same[t.every])
		_, shift := math.Modf(periods[t.every] * golden)
		t.phase = step*time.Duration(begun[t.every]) + time.Duration(shift*float64(step))
		begun[t.every]++
		for _, o := range s.stations {
			if t.resembles(o, tells) {
				t.rivals = append(t.rivals, o)
			}
		}
	}
	return s
}

// begin starts on a line that was just opened: polls that are due, all of them at
// the start, are spread from now on, and those whose place is yet to come keep
// it. A device that was silent before is asked once, at its turn.
func (s *schedule) begin(now time.Time) {
	for _, t := range s.stations {
		t.tries, t.deferred = 0, time.Time{}
		if t.demoted {
			t.ready = now.Add(min(t.phase, s.demote.Probe))
			continue
		}
		if !t.due.After(now) {
			if !t.due.IsZero() {
				s.skip(t, now)
			}
			t.due = now.Add(t.phase)
		}
		t.ready = t.due
	}
}

// next returns whose turn is next and when that is, nil when nobody is asked.
func (s *schedule) next() (*station, time.Time) {
	first, at := (*station)(nil), never
	for _, t := range s.stations {
		ready := later(t.ready, t.deferred)
		if first == nil || ready.Before(at) || ready.Equal(at) && t.due.Before(first.due) {
			first, at = t, ready
		}
	}
	return first, at
}

// skip leaves out the places that were missed.
func (s *schedule) skip(t *station, now time.Time) {
	if missed := now.Sub(t.due) / t.every; missed > 0 {
		s.skipped += int64(missed)
		t.due = t.due.Add(missed * t.every)
	}
}

// start begins a poll. One that comes too late by a period or more takes the
// place of the latest one that was missed.
func (s *schedule) start(t *station, now time.Time) {
	if t.tries == 0 && !t.demoted {
		s.skip(t, now)
	}
}

// settle notes what became of the request to t and whether t is asked again at
// once. Otherwise the poll is over and has its next place.
func (s *schedule) settle(t *station, what outcome, now time.Time) (again bool) {
	if what == silent {
		t.hold(now)
	}
	if what == answered || what == refused {
		s.alive(t, now)
	}
	if what != answered && t.tries < t.retries && !t.demoted {
		t.tries++
		t.ready = now // behind those that are due already
		return true
	}
	if what == garbled || what == silent {
		t.misses++
	}
	t.tries = 0
	if t.misses >= s.demote.After {
		t.demoted = true
		t.ready = now.Add(s.demote.Probe)
		return false
	}
	t.due = t.due.Add(t.every)
	s.skip(t, now)
	t.ready = t.due
	return false
}

// hold keeps requests back as long as an answer of t that comes late could be
// taken for one to them.
func (t *station) hold(now time.Time) {
	for _, o := range t.rivals {
		o.deferred = later(o.deferred, now.Add(t.timeout))
	}
}

// alive notes that t was heard. One that was demoted has the places again that
// its polls would have had.
func (s *schedule) alive(t *station, now time.Time) {
	t.misses = 0
	if t.demoted {
		t.demoted = false
		t.due = t.due.Add(now.Sub(t.due) / t.every * t.every) // the place that this poll takes
	}
}

// wake lets a device that is demoted be asked now.
func (t *station) wake(now time.Time) {
	if t.demoted {
		t.ready = now
	}
}

// quietAll reports whether all devices are demoted.
func (s *schedule) quietAll() bool {
	for _, t := range s.stations {
		if !t.demoted {
			return false
		}
	}
	return len(s.stations) > 0
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
