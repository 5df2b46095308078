package ledger

import (
	"testing"

	"sluice/protocol"
)

func TestWhatFaultsStrikeDoesNotCount(t *testing.T) {
	l := New("sink")
	reading := func(n int64) []protocol.Metric {
		return []protocol.Metric{{Name: "n", Value: protocol.Int(n)}}
	}
	send := func(n int64) Ref {
		ref := l.Sent("meter", Sample{At: protocol.Timestamp(n), Metrics: reading(n)})
		l.Confirmed(ref)
		return ref
	}
	send(10)
	send(20) // it leaves just before the fault is noticed
	l.Excuse("meter", 15)
	l.Excuse("meter", 25) // another fault changes nothing
	send(30)
	send(40)
	if n := l.Outstanding("sink"); n != 1 {
		t.Errorf("%d readings are waited for, want the first one", n)
	}
	l.Delivered("sink", "meter", 11, reading(10))
	l.Delivered("sink", "meter", 31, reading(30))
	l.Delivered("sink", "meter", 32, reading(30)) // it was heard twice
	l.Delivered("sink", "meter", 41, reading(99)) // a part of a reading
	l.Judge("meter", 50)
	waived := send(50)
	l.Waive(waived)
	send(60)
	l.Delivered("sink", "meter", 61, reading(60))
	if v := l.Verdict("sink"); !v.Clean() || v.Delivered != 3 {
		t.Errorf("got %+v", v)
	}
	if n := l.Excused(); n != 4 {
		t.Errorf("%d readings do not count, want 4", n)
	}
	if sent, open := l.Totals(); sent != 6 || open != 4 {
		t.Errorf("%d were sent, %d of them unconfirmed, want 6 and 4", sent, open)
	}
	send(70)
	l.Delivered("sink", "meter", 71, reading(98))
	if v := l.Verdict("sink"); v.Lost != 1 || v.Unexpected != 1 {
		t.Errorf("after the fault nothing counts: %+v", v)
	}
}
