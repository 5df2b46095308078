package modbus

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"sluice/protocol"
	"sluice/protocol/payload"
)

// start is when the tests of the schedule begin.
var start = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// newTestSchedule returns a schedule of units with a profile each.
func newTestSchedule(t testing.TB, late time.Duration, profiles ...*payload.Profile) *schedule {
	t.Helper()
	c := DefaultConfig()
	var units []*unit
	for i, p := range profiles {
		planned, err := newPlan(p, c.limits())
		if err != nil {
			t.Fatal(err)
		}
		units = append(units, newUnit(&Device{Name: deviceName(i), Unit: i}, "bus", &model{plan: planned}))
	}
	s := newSchedule(units, &c, late)
	s.begin(start)
	return s
}

func TestSpread(t *testing.T) {
	var profiles []*payload.Profile
	for range 10 {
		profiles = append(profiles, block(0, 1, time.Second))
	}
	s := newTestSchedule(t, 0, profiles...)
	for i := range 35 {
		next := s.next(start)
		if want := start.Add(time.Duration(i) * 100 * time.Millisecond); !next.ready.Equal(want) {
			t.Fatalf("poll %d is at %v, want %v", i, next.ready.Sub(start), want.Sub(start))
		}
		now := next.ready.Add(7 * time.Millisecond)
		if _, over := s.settle(next, answered, now); !over {
			t.Fatal("a poll of one request is not over")
		}
		s.finish(next, now)
	}
}

// TestSpreadPeriods has polls of several periods: none begin together, and
// nobody waits long for the first one.
func TestSpreadPeriods(t *testing.T) {
	var profiles []*payload.Profile
	for _, every := range []time.Duration{time.Second, 10 * time.Second, time.Hour, time.Second, 10 * time.Second, time.Hour} {
		profiles = append(profiles, block(0, 1, every))
	}
	s := newTestSchedule(t, 0, profiles...)
	var phases []time.Duration
	for _, u := range s.units {
		phases = append(phases, u.tasks[0].phase.Round(time.Millisecond))
	}
	want := []time.Duration{0, 309, 118, 500, 5309, 15118}
	for i := range want {
		want[i] *= time.Millisecond
	}
	if !slices.Equal(phases, want) {
		t.Errorf("got the phases %v, want %v", phases, want)
	}
}

// TestMissed has a bus that was held up for several periods: each poll is done
// once, and then at its usual place.
func TestMissed(t *testing.T) {
	s := newTestSchedule(t, 0, block(0, 1, time.Second), block(0, 1, time.Second))
	now := start.Add(5300 * time.Millisecond)
	for i, want := range []time.Duration{5300, 5310, 5500, 6000, 6500} {
		next := s.next(now)
		now = maxTime(now, next.ready)
		if got := now.Sub(start); got != want*time.Millisecond {
			t.Errorf("poll %d is at %v, want %v", i, got, want*time.Millisecond)
		}
		now = now.Add(10 * time.Millisecond)
		s.settle(next, answered, now)
		s.finish(next, now)
	}
	if s.skipped != 9 { // those at 0 to 4 s, and at 0.5 to 3.5 s
		t.Errorf("%d polls were left out, want 9", s.skipped)
	}
}

// TestScheduleProperties plays a bus on which anything may happen.
func TestScheduleProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		late := time.Duration(rapid.SampledFrom([]int{0, 300}).Draw(t, "late")) * time.Millisecond
		var profiles []*payload.Profile
		for range rapid.IntRange(1, 6).Draw(t, "units") {
			p := block(0, 2, time.Duration(rapid.IntRange(2, 30).Draw(t, "poll"))*100*time.Millisecond)
			if rapid.Bool().Draw(t, "far") {
				p.Metrics["far"] = holding(1000, "int16")
			}
			if rapid.Bool().Draw(t, "slow") {
				m := holding(2000, "int16")
				m.Poll = 5 * time.Second
				p.Metrics["slow"] = m
			}
			profiles = append(profiles, p)
		}
		s := newTestSchedule(&testing.T{}, late, profiles...)
		play(t, s, late)
	})
}

// play runs the schedule and checks each turn.
func play(t *rapid.T, s *schedule, late time.Duration) {
	now := start
	polls := map[*task]time.Time{} // the place of the latest poll
	silentAt := map[*unit]time.Time{}
	probed := map[*unit]time.Time{}
	for range rapid.IntRange(1, 300).Draw(t, "turns") {
		now = maxTime(now, s.next(now).ready)
		next := s.next(now)
		if now.Sub(start) > time.Hour {
			t.Fatalf("the next turn is only after %v", now.Sub(start))
		}
		u := next.unit
		if at, silent := silentAt[u]; silent && now.Before(at.Add(late)) {
			t.Fatal("a unit is asked while its answer may be late")
		}
		demoted := u.demoted
		if at, before := probed[u]; demoted && before && now.Before(at.Add(s.demote.Probe)) {
			t.Fatalf("a silent unit is probed after %v", now.Sub(at))
		}
		if next.fresh() && !demoted {
			if place := polls[next]; !next.due.After(place) {
				t.Fatal("a place is polled twice")
			}
			if (next.due.Sub(start)-next.phase)%next.group.every != 0 {
				t.Fatalf("the place %v drifted", next.due.Sub(start))
			}
			if now.Sub(next.due) >= next.group.every || next.due.After(now) {
				t.Fatalf("the place %v is polled at %v", next.due.Sub(start), now.Sub(start))
			}
			polls[next] = next.due
		}
		now = now.Add(time.Duration(rapid.IntRange(1, 400).Draw(t, "ms")) * time.Millisecond)
		what := outcome(rapid.IntRange(0, 3).Draw(t, "outcome"))
		if what == silent {
			silentAt[u] = now
		}
		again, over := s.settle(next, what, now)
		if again && (over || demoted && what != busy || what == answered) {
			t.Fatal("a request is sent again without need")
		}
		if over {
			s.finish(next, now)
		}
		if delete(probed, u); u.demoted {
			probed[u] = now
		}
		checkQueue(t, s)
	}
}

func checkQueue(t *rapid.T, s *schedule) {
	awake := map[*unit]int{}
	for i, task := range s.queue {
		if task.place != i || i > 0 && s.queue.Less(i, (i-1)/2) {
			t.Fatal("the queue is out of order")
		}
		if task.ready != never {
			awake[task.unit]++
		}
	}
	for _, u := range s.units {
		if n := awake[u]; u.demoted && n != 1 || !u.demoted && n != len(u.tasks) {
			t.Fatalf("%d of %d tasks go on, demoted: %v", n, len(u.tasks), u.demoted)
		}
	}
}

func TestBeginAgain(t *testing.T) {
	s := newTestSchedule(t, 0, block(0, 1, time.Second), block(0, 1, time.Second))
	for _, u := range s.units[:1] {
		for range 4 {
			s.settle(u.tasks[0], silent, start)
			if u.tasks[0].tries == 0 {
				s.finish(u.tasks[0], start)
			}
		}
	}
	if !s.units[0].demoted {
		t.Fatal("the unit is not demoted")
	}
	again := start.Add(time.Minute)
	s.begin(again)
	for i, want := range []time.Duration{0, 500 * time.Millisecond} {
		if got := s.units[i].tasks[0].ready.Sub(again); got != want {
			t.Errorf("unit %d is asked after %v, want %v", i, got, want)
		}
	}
	if s.skipped != 59 {
		t.Errorf("%d polls were left out, want 59", s.skipped)
	}
}

// TestBeginKeepsPlaces has a line that is away for a moment only.
func TestBeginKeepsPlaces(t *testing.T) {
	s := newTestSchedule(t, 0, block(0, 1, time.Second), block(0, 1, time.Hour))
	now := start
	for range 2 {
		now = maxTime(now, s.next(now).ready)
		next := s.next(now)
		s.settle(next, answered, now)
		s.finish(next, now)
	}
	s.begin(now.Add(300 * time.Millisecond))
	for i, want := range []time.Duration{time.Second, time.Hour + s.units[1].tasks[0].phase} {
		if got := s.units[i].tasks[0].ready.Sub(start); got != want {
			t.Errorf("unit %d is asked at %v, want %v", i, got, want)
		}
	}
}

// TestPromotedUnitHasItsPlaces: after a long silence it is asked as often as
// before, at the times that it had.
func TestPromotedUnitHasItsPlaces(t *testing.T) {
	const every = 2 * time.Minute // longer than from probe to probe
	s := newTestSchedule(t, 0, block(0, 1, every))
	now := start
	poll := func(what outcome) {
		next := s.next(now)
		now = maxTime(now, next.ready)
		for again := true; again; {
			again, _ = s.settle(next, what, now)
		}
		s.finish(next, now)
	}
	for range 50 {
		poll(silent)
	}
	poll(answered)
	if wait := s.next(now).ready.Sub(now); wait <= 0 || wait > every || s.next(now).ready.Sub(start)%every != 0 {
		t.Errorf("answered %v after the start, asked again %v later", now.Sub(start), wait)
	}
}

func ExampleFits() {
	p := &payload.Profile{Poll: time.Second, Metrics: map[string]payload.Metric{}}
	for i := range 60 {
		p.Metrics[name(i)] = payload.Metric{Type: "uint16", Register: payload.Register{Holding: &i}}
	}
	c := DefaultConfig()
	c.Port, c.Line = "/dev/ttyS0", "9600 8N1"
	var list []Device
	for u := range 10 {
		list = append(list, Device{Name: deviceName(u), Unit: u + 1, Profile: "meter", Decode: p, Tags: []protocol.Tag{}})
	}
	fmt.Println(Fits(c, list))
	// Output: 10 units × 60 registers take 1.47s at 9600 8N1, poll is 1s: the bus would be 147 % busy, want a poll of 1.7s, fewer registers or a faster line
}
