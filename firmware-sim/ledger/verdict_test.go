package ledger_test

import (
	"strings"
	"testing"

	"sluice/firmware-sim/ledger"
	"sluice/protocol"
)

// What the gateway says it held back need not arrive. It cannot excuse more than is
// missing, nor the readings of other devices.
func TestSuppressedReadingsNeedNotArrive(t *testing.T) {
	for _, timed := range []bool{true, false} {
		for _, c := range []struct {
			said             int64
			lost, unexpected int64
		}{{0, 3, 0}, {2, 1, 0}, {3, 0, 0}, {5, 0, 2}} {
			l := ledger.New("hub")
			for n := range 10 {
				l.Confirmed(l.Sent("s1", sample(n, timed)))
			}
			l.ByCount("s1")
			for n := range 7 {
				deliver(l, n)
			}
			l.Suppressed("s1", c.said)
			l.Suppressed("s2", 0)
			a := l.Verdict("hub")
			if a.Lost != c.lost || a.Unexpected != c.unexpected || a.Suppressed != c.said || a.Delivered != 7 {
				t.Errorf("timed %v, %d said to be suppressed: %+v", timed, c.said, a)
			}
			if c.unexpected > 0 && !strings.Contains(a.Findings[0].String(), "suppressed 5, but 2 of them were delivered") {
				t.Errorf("found %v", a.Findings)
			}
		}
	}
}

// A message that came twice may have been suppressed once without being missing.
func TestSecondSendingMayBeSuppressed(t *testing.T) {
	l := ledger.New("hub")
	r := l.Sent("s1", sample(0, true))
	l.Resent(r)
	l.Confirmed(r)
	l.Delivered("hub", "s1", start, values(0))
	l.Suppressed("s1", 1)
	if a := l.Verdict("hub"); !a.Clean() {
		t.Errorf("%+v", a)
	}
	l.Delivered("hub", "s2", protocol.Timestamp(1), values(0))
	if a := l.Verdict("hub"); a.Unexpected != 1 {
		t.Errorf("%+v", a)
	}
}
