package bus

import "time"

// transmission is what a device sends: bytes one after the other from a time on.
type transmission struct {
	to      *conn
	start   time.Time
	char    time.Duration
	bytes   []byte
	sent    int // handed over to the master
	unit    uint8
	faults  Faults
	local   bool          // an echo: it is heard by the master, and not on the line
	unasked bool          // a device talks by itself
	answer  bool          // it ends an answer
	cut     bool          // the master did not take all of it
	rest    *transmission // what comes after a pause
	answers []Answer      // for the ledger, once it is handed over
}

// at returns when n bytes have arrived.
func (t *transmission) at(n int) time.Time { return t.start.Add(time.Duration(n) * t.char) }

func (t *transmission) end() time.Time { return t.at(len(t.bytes)) }

// arrived returns how many bytes have arrived by now.
func (t *transmission) arrived(now time.Time) int {
	switch {
	case now.Before(t.start):
		return 0
	case !now.Before(t.end()):
		return len(t.bytes)
	}
	return int(now.Sub(t.start) / t.char)
}

// due returns when the next lump is to be handed over.
func (t *transmission) due(lump time.Duration) time.Time {
	if t.char == 0 {
		return t.start
	}
	n := t.sent + max(1, int((lump+t.char-1)/t.char))
	return t.at(min(n, len(t.bytes)))
}

// overlaps reports whether t is on the line at some time from start to end.
func (t *transmission) overlaps(start, end time.Time) bool {
	return !t.local && t.start.Before(end) && start.Before(t.end())
}

// garble spoils the bytes that are on the line from start to end and have not
// been handed over yet.
func (t *transmission) garble(start, end time.Time) {
	t.faults.add(Collision)
	for n := t.sent; n < len(t.bytes); n++ {
		if t.at(n).Before(end) && start.Before(t.at(n+1)) {
			t.bytes[n] ^= 0xa5
		}
	}
}

func (t *transmission) interval() Interval {
	return Interval{Start: t.start, End: t.end(), Unit: t.unit, Bytes: t.bytes, Faults: t.faults, Unasked: t.unasked}
}
