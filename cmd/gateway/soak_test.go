package main

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"testing"
	"time"

	"sluice/drivers/drivertest"
)

// TestKill kills the gateway, the broker, or both at random moments under full
// load, and holds at the end that nothing that the broker acknowledged to the
// devices was lost or doubled. scripts/soak kill plays more rounds.
func TestKill(t *testing.T) {
	for _, c := range []struct {
		name   string
		rounds int // in CI
		blow   func(*soak)
	}{
		{"gateway", 10, (*soak).killOften},
		{"broker", 3, (*soak).breakBroker},
		{"both", 3, (*soak).breakBoth},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newSoak(t)
			s.start()
			stop := s.talk()
			defer stop()
			for round := range setting(t, "SLUICE_SOAK_ROUNDS", c.rounds) {
				s.setPace(round%2 == 1)
				s.live()
				s.balanced()
				began := time.Now()
				c.blow(s)
				s.awaitReady()
				s.downs = append(s.downs, time.Since(began))
				s.tellRound(round + 1)
			}
			s.live()
			stop()
			s.finish()
			s.tell()
			s.judge()
		})
	}
}

// live lets the gateway work for a random time.
func (s *soak) live() { rest(s.t.Context(), s.random(200*time.Millisecond, 2*time.Second)) }

func (s *soak) random(from, to time.Duration) time.Duration {
	return from + time.Duration(s.rand.Int64N(int64(to-from)))
}

// killOften kills the gateway and starts it, and one time in three kills it again
// while it starts.
func (s *soak) killOften() {
	s.killGateway()
	s.launch()
	for s.rand.IntN(3) == 0 {
		rest(s.t.Context(), s.random(0, 100*time.Millisecond))
		s.young++
		s.killGateway()
		s.launch()
	}
}

// breakBroker ends the broker and starts it again. The broker is asked to end:
// mosquitto writes its sessions down only then. Killed, it had forgotten all of
// 2000 messages that it had acknowledged, and the session too, so that nobody
// could say what the gateway owes.
func (s *soak) breakBroker() {
	s.breaks++
	s.broker.Stop()
	drivertest.Eventually(s.t, "gateway misses its broker", func() bool { return s.get("/readyz") == http.StatusServiceUnavailable })
	rest(s.t.Context(), s.random(0, 300*time.Millisecond))
	s.broker.Start()
}

// breakBoth ends gateway and broker and starts them, in any order.
func (s *soak) breakBoth() {
	s.breaks++
	ends := []func(){s.killGateway, s.broker.Stop}
	for _, i := range s.rand.Perm(len(ends)) {
		ends[i]()
	}
	starts := []func(){s.launch, s.broker.Start}
	for _, i := range s.rand.Perm(len(starts)) {
		starts[i]()
	}
}

func (s *soak) tellRound(round int) {
	acked, _ := s.sent(voiceKinds...)
	fmt.Fprintf(s.t.Output(), "round %3d: %8d sent, %8d at the hub, ready again after %v\n",
		round, acked, s.ledger.Deliveries("hub"), s.downs[len(s.downs)-1].Round(time.Millisecond))
}

// tell prints the closing table.
func (s *soak) tell() {
	out := s.t.Output()
	fmt.Fprintf(out, "\n%-8s %12s %9s %10s %10s\n", "payloads", "acknowledged", "in doubt", "hub", "InfluxDB")
	for _, kind := range voiceKinds {
		acked, doubted := s.sent(kind)
		fmt.Fprintf(out, "%-8s %12d %9d %10d %10d\n", kind, acked, doubted, s.atHub[kind], s.atHistory[kind])
	}
	hub, history := s.ledger.Verdict("hub"), s.ledger.Verdict("history")
	fmt.Fprintf(out, "%-8s %22s %10d %10d\n", "lost", "", hub.Lost, history.Lost)
	fmt.Fprintf(out, "%-8s %22s %10d %10d\n\n", "doubled", "", hub.Duplicates, history.Duplicates)
	slices.Sort(s.downs)
	fmt.Fprintf(out, "gateway killed %d times, %d of them while it started; broker ended %d times\n", s.kills, s.young, s.breaks)
	fmt.Fprintf(out, "ready again after %v to %v, half of the times within %v\n", s.downs[0].Round(time.Millisecond),
		s.downs[len(s.downs)-1].Round(time.Millisecond), s.downs[len(s.downs)/2].Round(time.Millisecond))
	fmt.Fprintf(out, "lines written to InfluxDB again: %d, of at most %d\n", s.again(), s.repeat)
}

// again returns how many lines InfluxDB got more than once.
func (s *soak) again() int64 { return s.proxy.lines.Load() - s.ledger.Deliveries("history") }

// judge holds what is promised.
func (s *soak) judge() {
	for _, sink := range []string{"hub", "history"} {
		a := s.ledger.Verdict(sink)
		if sink == "history" {
			a.Reordered = 0 // a query gives them in the order of their times
		}
		if !a.Clean() {
			s.t.Errorf("%s: %d lost, %d doubled, %d wrong, %d unexpected, %d out of order\n%v",
				sink, a.Lost, a.Duplicates, a.Wrong, a.Unexpected, a.Reordered, a.Findings)
		}
	}
	if len(s.twice) > 0 {
		s.t.Errorf("hub stored %d ids more than once, such as %v", len(s.twice), s.twice[0])
	}
	if again := s.again(); again < 0 || again > s.repeat {
		s.t.Errorf("%d lines were written to InfluxDB again, want at most %d", again, s.repeat)
	}
	if !maps.Equal(s.atHub, s.atHistory) {
		s.t.Errorf("hub has %v, InfluxDB %v", s.atHub, s.atHistory)
	}
	s.judgeCounts("hub", s.atHub)
	s.judgeCounts("history", s.atHistory)
}

// judgeCounts holds that as many arrived of each kind as were acknowledged.
//
// What is in doubt hardly ever arrives: a broker acknowledges at once what it
// takes, and the talkers read on until the connection is closed. Only the rising
// values can show that some of it did. A broker takes messages in their order, of
// which every third is an equal one, so of these half as many may have arrived,
// and one for every connection lost.
func (s *soak) judgeCounts(sink string, got map[voiceKind]int64) {
	acked, doubted := s.sent(timed, rising)
	late := got[timed] + got[rising] - acked
	if late < 0 || late > doubted {
		s.t.Errorf("%s: %d readings with rising values, want %d, or up to %d more that are in doubt",
			sink, got[timed]+got[rising], acked, doubted)
	}
	acked, doubted = s.sent(equal)
	if late == 0 {
		doubted = 0
	}
	doubted = min(doubted, late/2+int64(s.breaks*soakTalkers))
	if n := got[equal]; n < acked || n > acked+doubted {
		s.t.Errorf("%s: %d equal readings, want %d, or up to %d more that are in doubt", sink, n, acked, doubted)
	}
}
