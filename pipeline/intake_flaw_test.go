package pipeline

import (
	"fmt"
	"slices"
	"testing"

	"sluice/protocol"
)

// TestFlawsAreCounted: a reading without one of its metrics is kept, and what it
// lacks is counted by device and reason, boundedly.
func TestFlawsAreCounted(t *testing.T) {
	i := newIntake("floor", 1<<12, make(chan struct{}, 1))
	emit := func(device string, reasons ...string) {
		b := &protocol.Batch{}
		d := &protocol.Device{Name: device}
		b.Add().Device = d
		for _, r := range reasons {
			b.Flaws = append(b.Flaws, protocol.Flaw{Device: d, Refusal: protocol.Refuse(r, "metric t")})
		}
		if !i.Emit(b) {
			t.Fatal("refused")
		}
	}
	emit("a", "type", "type")
	emit("a", "utf8")
	emit("b")
	stats, rejected, flawed := i.snapshot()
	if stats.Received != 3 || stats.Rejected != 0 || len(rejected) != 0 {
		t.Errorf("%+v, %v", stats, rejected)
	}
	slices.SortFunc(flawed, func(a, b Rejection) int { return int(b.Count) - int(a.Count) })
	if want := []Rejection{{"floor", "a", "type", 2}, {"floor", "a", "utf8", 1}}; !slices.Equal(flawed, want) {
		t.Errorf("%v, want %v", flawed, want)
	}
	for n := range 2 * maxRejections {
		emit(fmt.Sprint("d", n), "type")
	}
	_, _, flawed = i.snapshot()
	total := uint64(0)
	for _, f := range flawed {
		total += f.Count
	}
	if len(flawed) > maxRejections+1 || total != 3+2*maxRejections {
		t.Errorf("%d counters, %d in all", len(flawed), total)
	}
}
