package nmea

import (
	"time"

	"sluice/protocol"
	"sluice/protocol/payload/plain"
)

const (
	oneDay = protocol.Timestamp(24 * time.Hour)
	noTime = protocol.Timestamp(-1) // of day
)

// firstYear and lastYear are those that a date may have: satellite time begins
// in 1980, a Timestamp ends in 2262.
const (
	firstYear = 1980
	lastYear  = 2261
)

// moment is what one sentence says about its time.
type moment struct {
	ofDay protocol.Timestamp // since midnight UTC, noTime when it says none
	date  protocol.Timestamp // the midnight, 0 when it says none
}

// calendar turns times of day into instants. It remembers the last instant and
// takes a time of day for the one nearest to it, so that midnight may pass
// between two sentences in either order.
type calendar struct {
	last protocol.Timestamp // 0: no date is known
}

// at returns the instant of m, 0 when it cannot be told.
func (c *calendar) at(m moment) protocol.Timestamp {
	switch {
	case m.ofDay == noTime:
		return 0
	case m.date != 0:
		c.last = m.date + m.ofDay
	case c.last != 0:
		t := c.last - c.last%oneDay + m.ofDay
		if t < c.last-oneDay/2 {
			t += oneDay
		} else if t > c.last+oneDay/2 {
			t -= oneDay
		}
		c.last = t
	}
	return c.last
}

// ofDay reads hhmmss with any number of decimals, of which nine count. The
// second may be 60, a leap second.
func ofDay(text []byte) (protocol.Timestamp, bool) {
	if len(text) < 6 || len(text) > 6 && text[6] != '.' {
		return 0, false
	}
	hms, ok := plain.Natural(text[:6])
	h, m, s := hms/10000, hms/100%100, hms%100
	t := protocol.Timestamp((h*60+m)*60+s) * protocol.Timestamp(time.Second)
	unit := protocol.Timestamp(time.Second)
	for _, c := range text[min(7, len(text)):] {
		ok = ok && c >= '0' && c <= '9'
		unit /= 10
		t += unit * protocol.Timestamp(c-'0')
	}
	return t, ok && h < 24 && m < 60 && s <= 60
}

// midnight returns the beginning of a day, 0 when there is no such day.
func midnight(year, month, day int) protocol.Timestamp {
	if year < firstYear || year > lastYear {
		return 0
	}
	t := time.Date(year, time.Month(month), day, 0, 0, 0, 0, time.UTC)
	if t.Day() != day || int(t.Month()) != month {
		return 0
	}
	return protocol.At(t)
}

// date reads ddmmyy. A date that does not exist, such as the 000000 of a
// receiver that has no time yet, is 0.
func date(text []byte) (protocol.Timestamp, bool) {
	dmy, ok := plain.Natural(text)
	year := dmy % 100
	if year < firstYear%100 {
		year += 100
	}
	return midnight(1900+year, dmy/100%100, dmy/10000), ok && len(text) == 6
}
