package serial

import (
	"testing"
	"time"

	"sluice/protocol/payload"
)

// newStations returns devices that are asked, one for each period.
func newStations(t *testing.T, expect string, periods ...time.Duration) []*station {
	t.Helper()
	var all []*station
	for i, every := range periods {
		d := deviceOf("d", string(rune('0'+i)), weigher(every, &payload.Ask{Request: "?{unit}", Expect: expect}))
		s, err := newStation("bench", &d)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, s)
	}
	return all
}

var start = time.Unix(1_000_000, 0)

func TestPollsAreSpread(t *testing.T) {
	stations := newStations(t, "{unit}", time.Second, 10*time.Second, time.Second, time.Hour, 10*time.Second)
	s := newSchedule(stations, Demote{3, time.Minute}, false)
	s.begin(start)
	seen := map[time.Duration]bool{}
	for _, station := range stations {
		if station.phase >= min(station.every, soon) || seen[station.phase] {
			t.Errorf("one of %v begins after %v", station.every, station.phase)
		}
		seen[station.phase] = true
	}
	if gap := stations[2].phase - stations[0].phase; gap != 500*time.Millisecond {
		t.Errorf("two of a second are %v apart", gap)
	}
}

func TestMissedPlacesAreLeftOut(t *testing.T) {
	stations := newStations(t, "", time.Second)
	s := newSchedule(stations, Demote{3, time.Minute}, false)
	s.begin(start)
	late := start.Add(3500 * time.Millisecond)
	station, at := s.next()
	s.start(station, late)
	s.settle(station, answered, late.Add(100*time.Millisecond))
	if _, next := s.next(); !at.Equal(start) || !next.Equal(start.Add(4*time.Second)) || s.skipped != 3 {
		t.Errorf("the next poll is %v after the start, %d are left out", next.Sub(start), s.skipped)
	}
}

// TestPromotedDeviceHasItsPlaces: after a long silence it is asked as often as
// before, at the times that it had.
func TestPromotedDeviceHasItsPlaces(t *testing.T) {
	stations := newStations(t, "", 10*time.Second)
	s := newSchedule(stations, Demote{1, 30 * time.Second}, false)
	s.begin(start)
	var now time.Time
	for stations[0].misses < 50 {
		station, at := s.next()
		now = at
		s.start(station, now)
		for s.settle(station, silent, now) {
			_, now = s.next()
		}
	}
	_, now = s.next()
	s.settle(stations[0], answered, now)
	if _, next := s.next(); next.Sub(now) <= 0 || next.Sub(now) > 10*time.Second || next.Sub(start)%(10*time.Second) != 0 {
		t.Errorf("answered %v after the start, next asked %v later", now.Sub(start), next.Sub(now))
	}
}

// TestRivalsWait: while an answer may be on its way that is late, nobody is asked
// whose answer it could be.
func TestRivalsWait(t *testing.T) {
	for expect, want := range map[string]int{"": 3, ">": 3, "{unit}": 1} {
		stations := newStations(t, expect, time.Second, time.Second, time.Second)
		s := newSchedule(stations, Demote{3, time.Minute}, false)
		s.begin(start)
		s.settle(stations[0], silent, start)
		held := 0
		for _, station := range stations {
			if station.deferred.Equal(start.Add(stations[0].timeout)) {
				held++
			}
		}
		if held != want {
			t.Errorf("where answers begin with %q, %d wait", expect, held)
		}
	}
}

func TestReopened(t *testing.T) {
	stations := newStations(t, "", time.Second, time.Second)
	s := newSchedule(stations, Demote{1, 30 * time.Second}, false)
	s.begin(start)
	for s.settle(stations[1], silent, start) {
		continue
	}
	later := start.Add(time.Minute)
	s.begin(later)
	if station, at := s.next(); station != stations[0] || !at.Equal(later) || s.skipped != 60 {
		t.Errorf("first asked after %v, %d left out", at.Sub(later), s.skipped)
	}
	if at := stations[1].ready.Sub(later); at != 500*time.Millisecond {
		t.Errorf("the silent one is asked after %v", at)
	}
}
