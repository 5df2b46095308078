package report

import (
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"

	"sluice/protocol"
)

// TestNothingIsLostNorDrifts brings readings at random and follows what goes out as
// a sink would: every reading has one fate, and once min has passed what the sink
// holds differs from what the device said last by no more than the deadband.
func TestNothingIsLostNorDrifts(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		width := rapid.Float64Range(0, 5).Draw(rt, "deadband")
		least := time.Duration(rapid.IntRange(0, 20).Draw(rt, "min")) * time.Second
		most := least + time.Duration(rapid.IntRange(0, 60).Draw(rt, "max"))*time.Second
		b := newBench(t, protocol.Reports{All: &protocol.Report{
			Deadband: deadband(width), Min: &least, Max: &most,
		}})
		var brought, passed, suppressed, handed int
		sink, truth := map[string]float64{}, map[string]float64{}
		take := func(r *protocol.Reading) {
			for _, m := range r.Metrics {
				sink[m.Name] = m.Value.Float()
			}
		}
		after := time.Duration(0)
		for range rapid.IntRange(1, 80).Draw(rt, "readings") {
			after += time.Duration(rapid.IntRange(0, 15).Draw(rt, "pause")) * time.Second
			b.at(after)
			for _, r := range b.due() {
				take(&r)
				handed++
			}
			r := protocol.Reading{Device: b.sensor, ReceivedTime: protocol.At(b.now)}
			for _, name := range []string{"a", "b"} {
				truth[name] += rapid.Float64Range(-3, 3).Draw(rt, name)
				r.Metrics = append(r.Metrics, float(name, truth[name]))
			}
			brought++
			switch b.reading(r) {
			case pass:
				take(&r)
				passed++
			case suppress:
				suppressed++
			}
			if held := brought - passed - suppressed - handed - b.superseded; held != len(b.queue) {
				rt.Fatalf("%d held, %d by the accounts", len(b.queue), held)
			}
		}
		b.at(after + least)
		for _, r := range b.due() {
			take(&r)
		}
		for name, v := range truth {
			if drift := math.Abs(sink[name] - v); drift > width*(1+noise) {
				rt.Fatalf("the sink holds %v for %s, which is %v: deadband %v", sink[name], name, v, width)
			}
		}
	})
}

// noise is what the protocol allows to rounding.
const noise = 1e-6
