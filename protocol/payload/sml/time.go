package sml

import (
	"math"
	"time"

	"sluice/protocol"
)

// Timestamps before 2000 are those of a clock that was never set, and those
// after 2262 do not fit.
const (
	firstSecond = 946684800
	lastSecond  = math.MaxInt64 / int64(time.Second)
)

// time reads an SML_Time: 0 when there is none, or when it counts the seconds
// since the meter was switched on. All forms count in UTC; the local one adds
// how far the meter's own clock is ahead, which we do not need. Holley's meters
// leave the choice out and send the seconds alone.
func (r *reader) time() protocol.Timestamp {
	at := r.pos
	f := r.next()
	if f.absent() || f.kind == unsigned {
		return 0
	}
	if f.kind != list || f.count != 2 {
		r.fail("want a time at byte %d", at)
		return 0
	}
	choice, _ := r.unsigned()
	second := r.second()
	if choice != 2 && choice != 3 || second < firstSecond || second > uint64(lastSecond) {
		return 0
	}
	return protocol.Timestamp(second) * protocol.Timestamp(time.Second)
}

// second reads what follows the choice of a time.
func (r *reader) second() uint64 {
	at := r.pos
	f := r.next()
	if f.kind == list && f.count == 3 {
		n, _ := r.unsigned()
		r.skip(2)
		return n
	}
	n, ok := f.word()
	if !ok || f.kind != unsigned {
		r.fail("want seconds at byte %d", at)
	}
	return n
}
