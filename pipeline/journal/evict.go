package journal

import "slices"

// eviction is why readings went undelivered.
type eviction int

const (
	forSize    eviction = iota // the journal has reached its size
	forAge                     // older than the bound
	forMemory                  // volatile, and memory had no more room
	trimmed                    // by command
	missing                    // before the beginning of the log when it was opened
	nEvictions = iota
)

// Evictions counts readings that a cursor passed without delivering them, by
// reason.
type Evictions [nEvictions]uint64

// Each calls f with every reason and its count.
func (e Evictions) Each(f func(reason string, readings uint64)) {
	for i, name := range [...]string{"size", "age", "memory", "trimmed", "missing"} {
		f(name, e[i])
	}
}

// Total returns the sum over all reasons.
func (e Evictions) Total() (sum uint64) {
	for _, n := range e {
		sum += n
	}
	return sum
}

// log says what an eviction means to an operator.
func (j *Journal) tellEvicted(cursors []string, why eviction) {
	if len(cursors) == 0 {
		return
	}
	text := [...]string{
		forSize:   "journal is full: sinks that are behind lose their oldest readings",
		forAge:    "journal holds readings older than max_age: sinks that are behind lose them",
		forMemory: "memory is full while the disk fails: sinks that are behind lose readings",
		trimmed:   "journal is trimmed: sinks that are behind lose readings",
		missing:   "journal begins behind what sinks were to read next",
	}
	j.opts.Log.Warn(text[why], "sinks", cursors)
}

// evict makes the cursors that are concerned pass s, and says so once until they
// have caught up. j.mu is held.
func (j *Journal) evict(s span, why eviction, concerned func(*Cursor) bool) {
	var losing []string
	for _, c := range j.cursors {
		if concerned(c) && c.pass(s, &c.evicted[why]) > 0 {
			if !c.losing {
				losing = append(losing, c.name)
			}
			c.losing = true
		}
	}
	slices.Sort(losing)
	j.tellEvicted(losing, why)
}

// giveUp deletes a segment whoever still wants it. It refuses, for want of room
// alone, what a cursor blocks.
func (j *Journal) giveUp(s *segment, why eviction) error {
	if err := j.giveUpFor(s, why); err != nil {
		return err
	}
	j.drop(s)
	return nil
}

func (j *Journal) giveUpFor(s *segment, why eviction) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	i := slices.Index(j.segments, s)
	if i < 0 {
		return nil // somebody else was faster
	}
	lost := span{s.first, j.next}
	if i+1 < len(j.segments) {
		lost.to = j.segments[i+1].first
	}
	var blocking []string
	for _, c := range j.cursors {
		if c.block && c.least() < lost.to {
			blocking = append(blocking, c.name)
		}
	}
	if len(blocking) > 0 && (why == forSize || why == forMemory) {
		slices.Sort(blocking)
		return &BlockedError{blocking}
	}
	j.evict(lost, why, func(*Cursor) bool { return true })
	return nil
}

// Trim deletes the segments whose readings are all before the sequence, whoever
// still wants them, and returns how many readings each cursor lost. The last
// segment stays.
func (j *Journal) Trim(before uint64) map[string]uint64 {
	j.mu.Lock()
	was := map[string]uint64{}
	for name, c := range j.cursors {
		was[name] = c.evicted[trimmed]
	}
	var old []*segment
	for i, s := range j.segments[:max(0, len(j.segments)-1)] {
		if j.segments[i+1].first <= before {
			old = append(old, s)
		}
	}
	j.mu.Unlock()
	for _, s := range old {
		_ = j.giveUp(s, trimmed) // refuses only for want of room
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	lost := map[string]uint64{}
	for name, c := range j.cursors {
		if n := c.evicted[trimmed] - was[name]; n > 0 {
			lost[name] = n
		}
	}
	return lost
}
