package fleet

import (
	"math/rand/v2"

	"sluice/firmware-sim/wire"
)

const (
	patience = 200 // attempts at a sample that is new
	hurry    = 16  // attempts that stay near the last values
)

// begin returns where the values of a device start: somewhere in the middle,
// counters somewhere low.
func begin(f *wire.Form, r *rand.Rand) []int64 {
	slots := f.Slots()
	ticks := make([]int64, len(slots))
	for i := range slots {
		s := &slots[i]
		span := s.Max - s.Min
		switch {
		case s.Counter:
			ticks[i] = s.Min + r.Int64N(span/16+1)
		case s.Kind == wire.Number:
			ticks[i] = s.Min + span/4 + r.Int64N(span/2+1)
		default:
			ticks[i] = s.Min + r.Int64N(span+1)
		}
	}
	return ticks
}

// wander returns the values after those given: a random walk within the range.
// With every attempt the steps grow, and in the end values come from anywhere.
func wander(f *wire.Form, from []int64, r *rand.Rand, attempt int) []int64 {
	slots := f.Slots()
	ticks := make([]int64, len(slots))
	for i := range slots {
		s := &slots[i]
		switch {
		case s.Kind != wire.Number:
			ticks[i] = change(s, from[i], r, attempt)
		case s.Counter:
			ticks[i] = rise(s, from[i], r)
		case attempt > hurry:
			ticks[i] = s.Min + r.Int64N(s.Max-s.Min+1)
		default:
			ticks[i] = step(s, from[i], s.Step*int64(1+attempt), r)
		}
	}
	return ticks
}

// change keeps a state for some samples.
func change(s *wire.Slot, at int64, r *rand.Rand, attempt int) int64 {
	if attempt < 2 && r.IntN(8) != 0 {
		return at
	}
	return s.Min + r.Int64N(s.Max-s.Min+1)
}

// rise counts on, and starts anew where the counter is full.
func rise(s *wire.Slot, at int64, r *rand.Rand) int64 {
	at += 1 + r.Int64N(max(1, s.Step))
	if at > s.Max {
		return s.Min
	}
	return at
}

// step moves by at least one tick and turns round at the ends.
func step(s *wire.Slot, at, most int64, r *rand.Rand) int64 {
	by := 1 + r.Int64N(max(1, min(most, (s.Max-s.Min+1)/2)))
	if r.IntN(2) == 0 {
		by = -by
	}
	if at+by < s.Min || at+by > s.Max {
		by = -by
	}
	return min(max(at+by, s.Min), s.Max)
}
