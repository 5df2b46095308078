package report

import (
	"testing"
	"time"

	"sluice/protocol"
)

func TestAllocatesNothing(t *testing.T) {
	for name, rules := range map[string]protocol.Reports{
		"without rules": {},
		"stale":         {StaleAfter: time.Minute},
		"deadband":      {All: &protocol.Report{Deadband: deadband(0.5)}},
		"held":          {All: &protocol.Report{Min: span(time.Hour)}},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLoad(rules)
			decide := func() { l.decide(100, func(i int) float64 { return float64(i % 3) }) }
			for range 100 {
				decide()
			}
			if n := testing.AllocsPerRun(100, decide); n != 0 {
				t.Errorf("%v allocations per batch", n)
			}
		})
	}
}
