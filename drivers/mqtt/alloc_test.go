//go:build !race

package mqtt

import (
	"testing"

	"sluice/protocol"
)

// TestReceiveAllocates is not for the race detector, under which a sync.Pool
// forgets on purpose.
func TestReceiveAllocates(t *testing.T) {
	c, ms := newReceiver(t)
	var packets []byte
	var origins []protocol.Origin
	round := func() {
		for _, m := range ms {
			c.receive(nil, m)
		}
		packets, origins = c.owed.take(packets[:0], origins[:0])
	}
	round()
	if perMessage := testing.AllocsPerRun(20, round) / float64(len(ms)); perMessage > 0.1 {
		t.Errorf("receiving a message allocates %.2f times, want 0", perMessage)
	}
}
