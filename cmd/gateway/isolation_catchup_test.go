package main

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"sluice/drivers/drivertest"
)

// TestCatchUp cuts the gateway off the hub and lets a backlog grow. Afterwards,
// with live_first, new readings come at once; with oldest, each device's
// readings come in their order.
func TestCatchUp(t *testing.T) {
	for _, order := range []string{"oldest", "live_first"} {
		t.Run(order, func(t *testing.T) {
			s := newIsolation(t, "hub")
			s.door = newDoor(t, hostOf(t, s.hub.URL()))
			s.open("nats://"+s.door.address, s.influxd.URL(), order)
			if err := s.hub.Follow("READINGS", s.message); err != nil {
				t.Fatal(err)
			}
			stop := s.pulse.play(t)
			defer stop()
			drivertest.Eventually(t, "the hub stores readings", func() bool { return s.pulse.acked.Load() > 0 && s.all() })
			s.cut(order)
			stop()
			s.settle()
		})
	}
}

// cut lets a backlog grow and measures how it goes.
func (s *isolation) cut(order string) {
	backlog := uint64(setting(s.t, "SLUICE_ISOLATION_BACKLOG", 10_000))
	s.door.die()
	cutAt := s.pulse.now()
	for n := uint64(0); n < backlog; n, _ = s.waiting("hub") {
		rest(s.t.Context(), 50*time.Millisecond)
	}
	s.door.listen()
	back := s.pulse.now()
	drivertest.Eventually(s.t, "a new reading is at the hub", func() bool { return len(s.arrived.of(back, s.pulse.now())) > 0 })
	s.catchUp()
	drained := s.pulse.now()
	first := s.firstSince(back) - back
	s.mu.Lock()
	defer s.mu.Unlock()
	fmt.Fprintf(s.t.Output(), "%s: cut for %v, %d readings; first new reading after %v, backlog gone after %v, %d readings overtaken by their device's newer ones\n",
		order, (back - cutAt).Round(10*time.Millisecond), backlog, first.Round(time.Millisecond), (drained - back).Round(10*time.Millisecond), s.disordered)
	if order == "oldest" && s.disordered > 0 {
		s.t.Errorf("%d readings came after a newer one of their device", s.disordered)
	}
	if limit := 1500 * time.Millisecond; order == "live_first" && first > limit && (judged() || first > patient) {
		s.t.Errorf("the first new reading came %v after the hub's return, want %v", first, limit)
	}
}

// firstSince returns when the first message that was sent from a moment on
// arrived.
func (s *isolation) firstSince(from time.Duration) time.Duration {
	var at []time.Duration
	s.arrived.mu.Lock()
	for _, a := range s.arrived.samples {
		if a.sent >= from {
			at = append(at, a.sent+a.took)
		}
	}
	s.arrived.mu.Unlock()
	return slices.Min(at)
}
