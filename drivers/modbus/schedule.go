package modbus

import (
	"container/heap"
	"maps"
	"math"
	"slices"
	"time"

	"sluice/protocol"
)

// never is when a task is ready that waits for something else.
var never = time.Unix(1<<40, 0)

// unit is a device on the bus, as far as its turn matters.
type unit struct {
	address uint8
	model   *model
	tasks   []*task
	device  *protocol.Device
	misses  int       // polls in a row without any answer
	demoted bool      // it is asked only once in a while
	quiet   time.Time // until then an answer may come that nobody waits for any more
	told    string    // reason of its latest rejection that was logged
}

// task is one group of one unit: its schedule, and how far its present poll is.
type task struct {
	unit   *unit
	group  *group
	phase  time.Duration // from the start to the first poll
	due    time.Time     // when the poll has its place, however late it is done
	ready  time.Time     // when its next request may be sent
	place  int           // in the queue
	read   int           // the request that is next
	left   int           // requests of this poll that were not sent yet, that one among them
	tries  int           // how often that one was sent in vain
	heard  bool          // the unit has answered during this poll
	result result        // what the poll has given so far
}

// outcome is what became of a request.
type outcome uint8

const (
	answered outcome = iota // with a result, or a refusal that would come again
	busy                    // the unit was heard, and wants to be asked again
	garbled                 // something came that is no answer of the unit
	silent                  // nothing came that can be read
)

// schedule says whose turn it is. Polls have fixed places in time: a late one
// does not shift those that follow, and one that missed its place is left out.
// It has no clock: all times are given. It is owned by one goroutine.
type schedule struct {
	units   []*unit
	queue   taskQueue
	retries int
	demote  Demote
	late    time.Duration // how long an answer may be on its way that nobody waits for any more; 0: it can be told
	skipped int64         // polls left out
}

// rest is how long a unit is left alone that says it is busy.
const rest = 100 * time.Millisecond

// newSchedule spreads the polls of each period.
func newSchedule(units []*unit, c *Config, late time.Duration) *schedule {
	s := &schedule{units: units, retries: c.Retries, demote: c.Demote, late: late}
	periods := map[time.Duration][]*task{}
	for _, u := range units {
		for _, t := range u.tasks {
			periods[t.group.every] = append(periods[t.group.every], t)
			t.place = len(s.queue)
			s.queue = append(s.queue, t)
		}
	}
	timing, least := c.Timing(), time.Duration(math.MaxInt64)
	for k, every := range slices.Sorted(maps.Keys(periods)) {
		tasks := periods[every]
		step := window(every, tasks, timing) / time.Duration(len(tasks))
		least = min(least, step)
		_, shift := math.Modf(float64(k) * golden)
		for i, t := range tasks {
			t.phase = step*time.Duration(i) + time.Duration(shift*float64(least))
		}
	}
	return s
}

// golden spreads the periods so that no two begin together.
const golden = 0.6180339887498949

// soon is in what time devices are asked first whose period is longer, if the
// bus has the time.
const soon = 30 * time.Second

// window returns the time over which polls of the same period are spread: all of
// it, or less when an operator would wait long for the first readings.
func window(every time.Duration, tasks []*task, timing Timing) time.Duration {
	var sum time.Duration
	for _, t := range tasks {
		sum += t.group.takes(timing)
	}
	return min(every, max(soon, 2*sum))
}

// begin starts on a line that was just opened: polls that are due, all of them at
// the start, are spread from now on, and those whose place is yet to come keep
// it. A unit that was silent before is asked once, at its turn.
func (s *schedule) begin(now time.Time) {
	for _, t := range s.queue {
		t.reset()
		t.unit.quiet = time.Time{}
		if !t.due.After(now) {
			if !t.due.IsZero() && !t.unit.demoted {
				s.skip(t, now)
			}
			t.due = now.Add(t.phase)
		}
		t.ready = t.due
		switch {
		case !t.unit.demoted:
		case t == t.unit.tasks[0]:
			t.ready = now.Add(min(t.phase, s.demote.Probe))
		default:
			t.ready = never
		}
	}
	heap.Init(&s.queue)
}

// reset forgets how far the poll was.
func (t *task) reset() {
	t.left, t.tries, t.heard = len(t.group.reads), 0, false
	t.result.reset()
}

// next returns whose turn is next and when, nil when there are no tasks. A poll
// whose turn comes too late by a period or more takes the place of the latest
// one that was missed.
func (s *schedule) next(now time.Time) *task {
	if len(s.queue) == 0 {
		return nil
	}
	t := s.queue[0]
	if t.fresh() && !t.unit.demoted {
		s.skip(t, now)
	}
	return t
}

// fresh reports whether the poll has not begun.
func (t *task) fresh() bool { return t.left == len(t.group.reads) && t.tries == 0 }

// skip leaves out the places that were missed.
func (s *schedule) skip(t *task, now time.Time) {
	if missed := now.Sub(t.due) / t.group.every; missed > 0 {
		s.skipped += int64(missed)
		t.due = t.due.Add(missed * t.group.every)
	}
}

// settle notes what became of the request that t is at. It reports whether that
// is sent again, and whether the poll is over: then finish has to follow.
func (s *schedule) settle(t *task, what outcome, now time.Time) (again, over bool) {
	switch what {
	case answered:
		s.alive(t, now)
	case busy:
		s.alive(t, now)
		s.hold(t.unit, now.Add(rest))
	case silent:
		s.hold(t.unit, now.Add(s.late))
	}
	if what != answered && t.tries < s.retries && !t.unit.demoted {
		t.tries++
		s.move(t, maxTime(now, t.ready)) // behind the polls that are due already
		return true, false
	}
	t.read = (t.read + 1) % len(t.group.reads)
	t.left--
	t.tries = 0
	s.move(t, maxTime(t.due, t.ready))
	return false, t.left == 0 || what == garbled || what == silent // then the rest would only wait in vain
}

// hold keeps all requests to a unit back as long as an answer that comes late
// could be taken for one to them. Other units have the bus meanwhile.
func (s *schedule) hold(u *unit, until time.Time) {
	u.quiet = until
	for _, t := range u.tasks {
		s.move(t, maxTime(t.ready, until))
	}
}

// finish ends the poll of t and gives it its next place.
func (s *schedule) finish(t *task, now time.Time) {
	if !t.heard {
		t.unit.misses++
	}
	t.reset()
	if t.unit.demoted {
		s.move(t, now.Add(s.demote.Probe)) // a probe has no place of its own: due stays
		return
	}
	t.due = t.due.Add(t.group.every)
	switch {
	case t.unit.misses >= s.demote.After:
		s.park(t, now)
	default:
		s.skip(t, now)
		s.move(t, maxTime(t.due, t.unit.quiet))
	}
}

// wake lets a unit that is demoted have its probe now.
func (s *schedule) wake(u *unit, now time.Time) {
	for _, t := range u.tasks {
		if u.demoted && t.ready != never {
			s.move(t, maxTime(now, u.quiet))
		}
	}
}

// quietAll reports whether all units are demoted.
func (s *schedule) quietAll() bool {
	return !slices.ContainsFunc(s.units, func(u *unit) bool { return !u.demoted && len(u.tasks) > 0 })
}

// park demotes the unit of t: only t goes on, once in a while.
func (s *schedule) park(t *task, now time.Time) {
	t.unit.demoted = true
	for _, other := range t.unit.tasks {
		other.reset()
		s.move(other, never)
	}
	s.move(t, now.Add(s.demote.Probe))
}

// alive notes that the unit of t was heard. One that was demoted is promoted:
// its polls have the places again that they would have had.
func (s *schedule) alive(t *task, now time.Time) {
	t.heard = true
	t.unit.misses = 0
	if !t.unit.demoted {
		return
	}
	t.unit.demoted = false
	for _, other := range t.unit.tasks {
		if late := now.Sub(other.due); late > 0 {
			other.due = other.due.Add((late + other.group.every - 1) / other.group.every * other.group.every)
		}
		if other == t {
			other.due = other.due.Add(-other.group.every) // the place that this poll takes
		} else {
			s.move(other, other.due)
		}
	}
}

// move changes when t is ready.
func (s *schedule) move(t *task, ready time.Time) {
	t.ready = ready
	heap.Fix(&s.queue, t.place)
}

func maxTime(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func minTime(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

// taskQueue is a heap of tasks, the one that is ready first in front.
type taskQueue []*task

// Len implements heap.Interface.
func (q taskQueue) Len() int { return len(q) }

// Less implements heap.Interface. Of two that are ready at once the one goes
// first whose place is earlier.
func (q taskQueue) Less(i, j int) bool {
	if !q[i].ready.Equal(q[j].ready) {
		return q[i].ready.Before(q[j].ready)
	}
	return q[i].due.Before(q[j].due)
}

// Swap implements heap.Interface.
func (q taskQueue) Swap(i, j int) {
	q[i], q[j] = q[j], q[i]
	q[i].place, q[j].place = i, j
}

// Push is of no use: the tasks are those of the start.
func (q *taskQueue) Push(any) {}

// Pop is of no use, likewise.
func (q *taskQueue) Pop() any { return nil }
