package modbus

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"sluice/protocol/payload"
)

// describe writes a plan as lines such as "1s: read holding registers 0+10".
func describe(p *plan) []string {
	var lines []string
	for _, g := range p.groups {
		for _, r := range g.reads {
			lines = append(lines, fmt.Sprintf("%v: %v %d+%d", g.every, r.request.Function, r.request.Address, r.request.Quantity))
		}
	}
	return lines
}

func TestPlan(t *testing.T) {
	wide := payload.Metric{Type: "string", Register: payload.Register{Holding: ptr(5), Length: 20}}
	slow := holding(3, "float32")
	slow.Poll = time.Minute
	coil := func(at int) payload.Metric { return payload.Metric{Register: payload.Register{Coil: &at}} }
	for name, test := range map[string]struct {
		metrics map[string]payload.Metric
		reads   payload.Reads
		want    []string
	}{
		"neighbours":      {map[string]payload.Metric{"a": holding(0, "int16"), "b": holding(1, "float64")}, payload.Reads{}, []string{"1s: read holding registers 0+5"}},
		"allowed gap":     {map[string]payload.Metric{"a": holding(0, "int16"), "b": holding(9, "int16")}, payload.Reads{}, []string{"1s: read holding registers 0+10"}},
		"gap too wide":    {map[string]payload.Metric{"a": holding(0, "int16"), "b": holding(10, "int16")}, payload.Reads{}, []string{"1s: read holding registers 0+1", "1s: read holding registers 10+1"}},
		"own gap":         {map[string]payload.Metric{"a": holding(0, "int16"), "b": holding(2, "int16")}, payload.Reads{MaxGap: ptr(0)}, []string{"1s: read holding registers 0+1", "1s: read holding registers 2+1"}},
		"forbidden":       {map[string]payload.Metric{"a": holding(0, "int16"), "b": holding(3, "int16")}, payload.Reads{Forbidden: payload.Forbidden{Holding: []string{"2"}, Input: []string{"0-65535"}}}, []string{"1s: read holding registers 0+1", "1s: read holding registers 3+1"}},
		"own limit":       {map[string]payload.Metric{"a": holding(0, "int16"), "b": holding(1, "int32"), "c": holding(3, "int16")}, payload.Reads{MaxRegisters: 3}, []string{"1s: read holding registers 0+3", "1s: read holding registers 3+1"}},
		"overlapping":     {map[string]payload.Metric{"a": wide, "b": holding(7, "int16"), "c": holding(14, "int32")}, payload.Reads{}, []string{"1s: read holding registers 5+11"}},
		"two periods":     {map[string]payload.Metric{"a": holding(2, "int16"), "b": slow}, payload.Reads{}, []string{"1s: read holding registers 2+1", "1m0s: read holding registers 3+2"}},
		"coils, far away": {map[string]payload.Metric{"a": coil(0), "b": coil(128), "c": coil(300)}, payload.Reads{}, []string{"1s: read coils 0+129", "1s: read coils 300+1"}},
		"last register":   {map[string]payload.Metric{"a": holding(65535, "int16")}, payload.Reads{}, []string{"1s: read holding registers 65535+1"}},
	} {
		t.Run(name, func(t *testing.T) {
			c := DefaultConfig()
			p, err := newPlan(&payload.Profile{Poll: time.Second, Metrics: test.metrics, Reads: test.reads}, c.limits())
			if err != nil {
				t.Fatal(err)
			}
			if got := describe(p); !slices.Equal(got, test.want) {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestPlanRefuses(t *testing.T) {
	long := payload.Metric{Type: "string", Register: payload.Register{Holding: ptr(0), Length: 200}}
	for want, p := range map[string]payload.Profile{
		"metric m has 100 registers, but one request may read 60": {Metrics: map[string]payload.Metric{"m": long}, Poll: time.Second},
		"metric m stands where reads.forbidden lets nobody read":  {Metrics: map[string]payload.Metric{"m": holding(7, "int32")}, Poll: time.Second, Reads: payload.Reads{Forbidden: payload.Forbidden{Holding: []string{"8-9"}}}},
		"metric m has no poll":                                           {Metrics: map[string]payload.Metric{"m": holding(7, "int32")}},
		"metric m: compile field: 4 bytes from register 65535":           {Metrics: map[string]payload.Metric{"m": holding(65535, "int32")}, Poll: time.Second},
		"metric m: no address from 0 to 65535":                           {Metrics: map[string]payload.Metric{"m": {Type: "int16"}}, Poll: time.Second},
		`reads.forbidden is "9-8", want 8-9`:                             {Poll: time.Second, Reads: payload.Reads{Forbidden: payload.Forbidden{Coil: []string{"9-8"}}}},
		`reads.forbidden is "x", want an address such as 100 or a range`: {Poll: time.Second, Reads: payload.Reads{Forbidden: payload.Forbidden{Coil: []string{"x"}}}},
	} {
		if _, err := newPlan(&p, limits{registers: 60}); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

// TestPlanProperties: every metric is read once, whole, within the limits,
// nothing forbidden is touched, and no fewer requests would do.
func TestPlanProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := limits{registers: rapid.IntRange(4, 12).Draw(t, "registers"), gap: rapid.IntRange(0, 4).Draw(t, "gap")}
		for range rapid.IntRange(0, 2).Draw(t, "forbidden") {
			at := rapid.IntRange(0, 40).Draw(t, "at")
			l.forbidden[holdings] = append(l.forbidden[holdings], span{at, at + rapid.IntRange(1, 3).Draw(t, "n")})
		}
		var metrics []metric
		for range rapid.IntRange(1, 7).Draw(t, "metrics") {
			at := rapid.IntRange(0, 40).Draw(t, "from")
			m := metric{space: holdings, span: span{at, at + rapid.IntRange(1, 4).Draw(t, "length")}}
			if !l.forbids(m.space, m.span) {
				metrics = append(metrics, m)
			}
		}
		reads := coalesce(metrics, &l)
		seen := make([]int, len(metrics))
		for _, r := range reads {
			of := span{int(r.request.Address), int(r.request.Address) + int(r.request.Quantity)}
			if of.to-of.from > l.registers || l.forbids(holdings, of) {
				t.Fatalf("request %v is beyond the limits", of)
			}
			for _, n := range r.metrics {
				seen[n]++
				if m := metrics[n]; m.from < of.from || m.to > of.to {
					t.Fatalf("metric %v is not in the request %v", m.span, of)
				}
			}
		}
		for n, times := range seen {
			if times != 1 {
				t.Fatalf("metric %v is read %d times", metrics[n].span, times)
			}
		}
		if fewest := fewest(metrics, &l, 0, map[int]int{}); len(reads) > fewest {
			t.Fatalf("%d requests for %v, %d would do", len(reads), metrics, fewest)
		}
	})
}

// fewest tries all ways to share metrics out among requests; done are those that
// are, a bit each.
func fewest(metrics []metric, l *limits, done int, known map[int]int) int {
	if done == 1<<len(metrics)-1 {
		return 0
	}
	if n, ok := known[done]; ok {
		return n
	}
	best := math.MaxInt
	for with := 1; with < 1<<len(metrics); with++ {
		if with&done == 0 && within(metrics, with, l) {
			best = min(best, 1+fewest(metrics, l, done|with, known))
		}
	}
	known[done] = best
	return best
}

// within reports whether one request may read the metrics whose bits are set.
// Registers of any metric are not read needlessly.
func within(metrics []metric, with int, l *limits) bool {
	of := span{math.MaxInt, 0}
	for n, m := range metrics {
		if with>>n&1 == 1 {
			of.from, of.to = min(of.from, m.from), max(of.to, m.to)
		}
	}
	if of.to-of.from > l.registers || l.forbids(holdings, of) {
		return false
	}
	gap := 0
	for at := of.from; at < of.to; at++ {
		gap++
		if slices.ContainsFunc(metrics, func(m metric) bool { return m.from <= at && at < m.to }) {
			gap = 0
		}
		if gap > l.gap {
			return false
		}
	}
	return true
}
