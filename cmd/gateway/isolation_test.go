package main

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

// fault is what a sink can do to a gateway.
type fault struct {
	name       string
	begin, end func(*isolation)
}

var (
	dead    = fault{"dead", func(s *isolation) { s.door.die() }, func(s *isolation) { s.door.listen() }}
	hanging = fault{"hanging", func(s *isolation) { s.door.hang() }, func(s *isolation) { s.door.unhang() }}
	tooSlow = fault{"2 s per answer", func(s *isolation) { s.moody.set(slow) }, func(s *isolation) { s.moody.set(well) }}
	tooMany = fault{"429", func(s *isolation) { s.moody.set(busy) }, func(s *isolation) { s.moody.set(well) }}
)

// TestIsolation has one sink at fault, by slices, and holds that the other gets
// everything in time. What "in time" is in a measurement, scripts/bench isolation
// says.
func TestIsolation(t *testing.T) {
	for _, c := range []struct {
		sink   string // at fault
		open   func(*testing.T) *isolation
		faults []fault
	}{
		{"history", faultyHistory, []fault{dead, hanging, tooSlow, tooMany}},
		{"hub", faultyHub, []fault{dead, hanging}},
	} {
		for _, f := range c.faults {
			t.Run(c.sink+"/"+f.name, func(t *testing.T) { c.open(t).suffer(f) })
		}
	}
}

// slice is what was measured in one slice.
type slice struct {
	p50, p99 time.Duration
	slowest  time.Duration
	rate     float64 // of what was sent: arrived by inTime after the end
	cpu      float64 // of the gateway, in cores
}

// suffer measures by turns without a fault and with it.
func (s *isolation) suffer(f fault) {
	t := s.t
	stop := s.pulse.play(t)
	defer stop()
	long := time.Duration(setting(t, "SLUICE_ISOLATION_SECONDS", 2)) * time.Second
	rest(t.Context(), long/2) // the first batches pay for connections and growing buffers
	began := s.pulse.now()
	var without, with []slice
	for i := range setting(t, "SLUICE_ISOLATION_SLICES", 2) {
		if i%2 == 0 {
			without = append(without, s.measure(long))
			continue
		}
		f.begin(s)
		with = append(with, s.measure(long))
		f.end(s)
		s.catchUp()
	}
	ended := s.pulse.now()
	stop()
	s.settle()
	s.tell(f, findings{began, ended, median(without), median(with)})
}

// measure lets a slice pass.
func (s *isolation) measure(long time.Duration) slice {
	from, cpu := s.pulse.now(), s.busyFor()
	rest(s.t.Context(), long)
	to := s.pulse.now()
	used := s.busyFor() - cpu
	rest(s.t.Context(), s.inTime())
	took := s.arrived.of(from, to)
	return slice{
		p50: quantile(took, 0.5), p99: quantile(took, 0.99), slowest: quantile(took, 1),
		rate: float64(len(took)) / float64(len(s.pulse.late.of(from, to))),
		cpu:  used.Seconds() / (to - from).Seconds(),
	}
}

// quantile sorts times and returns one of them.
func quantile(times []time.Duration, q float64) time.Duration {
	if len(times) == 0 {
		return 0
	}
	slices.Sort(times)
	return times[int(q*float64(len(times)-1))]
}

// median returns the median of each figure, but the slowest of all.
func median(all []slice) slice {
	var p50, p99, slowest []time.Duration
	var rate, cpu []float64
	for _, s := range all {
		p50, p99, slowest = append(p50, s.p50), append(p99, s.p99), append(slowest, s.slowest)
		rate, cpu = append(rate, s.rate), append(cpu, s.cpu)
	}
	slices.Sort(rate)
	slices.Sort(cpu)
	return slice{quantile(p50, 0.5), quantile(p99, 0.5), slices.Max(slowest), rate[len(rate)/2], cpu[len(cpu)/2]}
}

// findings is what came of one fault.
type findings struct {
	began, ended  time.Duration
	without, with slice // medians
}

// tell prints what came of a fault and holds it, as far as it was measured.
func (s *isolation) tell(f fault, v findings) {
	slowest := quantile(s.arrived.of(v.began, v.ended), 1)
	late, answer := s.pulse.late.of(v.began, v.ended), s.pulse.answer.of(v.began, v.ended)
	var broken []string
	hold := func(ok bool, what string) {
		if !ok {
			broken = append(broken, what)
		}
	}
	more := v.with.p99 - v.without.p99
	p50, p99 := float64(v.with.p50)/float64(v.without.p50), float64(v.with.p99)/float64(v.without.p99)
	hold(p50 <= 1.1, "p50")
	hold(p99 <= 1.5 || more <= 2*time.Millisecond, "p99")
	hold(v.with.rate >= 0.99, "rate")
	hold(slowest <= s.inTime(), "slowest")
	out := s.t.Output()
	fmt.Fprintf(out, "%s at fault: %s; the other sink:\n", s.fault, f.name)
	fmt.Fprintf(out, "  %-14s %9s %9s %9s %8s %6s\n", "medians", "p50", "p99", "slowest", "rate", "cores")
	for _, m := range []struct {
		name string
		slice
	}{{"without fault", v.without}, {"with fault", v.with}} {
		fmt.Fprintf(out, "  %-14s %9v %9v %9v %8.4f %6.2f\n", m.name, short(m.p50), short(m.p99), short(m.slowest), m.rate, m.cpu)
	}
	fmt.Fprintf(out, "  p50 %.2f times, p99 %.2f times (%+.1f ms), slowest, with the times of catching up, %v\n", p50, p99, float64(more)/1e6, short(slowest))
	fmt.Fprintf(out, "  publisher late by p50 %v, p99 %v, %v at most; broker's answer p50 %v, p99 %v, %v at most; load %s\n",
		short(quantile(late, 0.5)), short(quantile(late, 0.99)), short(quantile(late, 1)),
		short(quantile(answer, 0.5)), short(quantile(answer, 0.99)), short(quantile(answer, 1)), loadNow())
	if len(broken) == 0 {
		fmt.Fprintln(out, "  holds")
		return
	}
	fmt.Fprintf(out, "  does not hold: %s\n", strings.Join(broken, ", "))
	if judged() || slowest > patient {
		s.t.Errorf("%s at fault, %s: %s", s.fault, f.name, strings.Join(broken, ", "))
	}
}

// inTime returns how late a reading may be. InfluxDB's batches gather for 250 ms.
func (s *isolation) inTime() time.Duration {
	if s.fault == "hub" {
		return 500 * time.Millisecond
	}
	return 250 * time.Millisecond
}

// judged reports whether times are held: the machine has no other work.
func judged() bool { return os.Getenv("SLUICE_ISOLATION_JUDGE") != "" }

// patient bounds the slowest reading on a machine that has other work.
const patient = 5 * time.Second

// loadNow returns the load average of the last minute and of the last five.
func loadNow() string {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "unknown"
	}
	return strings.Join(strings.Fields(string(text))[:2], " ")
}

func short(d time.Duration) time.Duration { return d.Round(10 * time.Microsecond) }
