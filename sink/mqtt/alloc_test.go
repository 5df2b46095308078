package mqtt_test

import (
	"context"
	"testing"
)

// A Write of any length costs the same few allocations, those of its context's
// guard and of the sink's own goroutines' timers.
func TestWriteAllocatesNothingPerReading(t *testing.T) {
	out := opened(t, configFor(startBroker(t).URL()))
	count := func(n int) float64 {
		batch := readings("s1", 0, n)
		return testing.AllocsPerRun(20, func() {
			if err := out.Write(context.Background(), batch); err != nil {
				t.Fatal(err)
			}
		})
	}
	count(2000) // the buffers grow
	if few, many := count(10), count(2000); many > few+20 {
		t.Errorf("10 readings cost %v allocations and 2000 cost %v", few, many)
	}
}
