package mbus

import (
	"strconv"
	"time"

	"sluice/protocol"
)

// clock is a date, a time of day or both as a meter tells them: local.
type clock struct {
	year, month, day     int // month 0: there is no date
	hour, minute, second int // hour -1: there is no time of day
	summer               bool
}

// point returns the text of a date or time, low byte first: type G in two bytes,
// J in three, F in four, I in six. It is null when there is none, or when the
// meter says that its clock is not valid.
func (t *telegram) point(r *record, data []byte) protocol.Value {
	var c clock
	invalid := false
	switch len(data) {
	case 2:
		c = clock{hour: -1}
		c.date(data, 0)
	case 3:
		c = clock{second: int(data[0] & 0x3f), minute: int(data[1] & 0x3f), hour: int(data[2] & 0x1f)}
	case 4:
		c = clock{minute: int(data[0] & 0x3f), hour: int(data[1] & 0x1f), summer: data[1]&0x80 != 0}
		c.date(data[2:], int(data[1]>>5&3))
		invalid = data[0]&0x80 != 0
	case 6:
		c = clock{second: int(data[0] & 0x3f), minute: int(data[1] & 0x3f), hour: int(data[2] & 0x1f), summer: data[0]&0x40 != 0}
		c.date(data[3:], 0)
		invalid = data[1]&0x80 != 0
	default:
		invalid = true
	}
	if invalid || !c.valid(len(data) != 3) {
		return protocol.Value{}
	}
	if len(data) >= 4 && t.zone != nil && t.when == 0 && r.name == "time" && r.present() {
		t.when = c.in(t.zone)
	}
	t.buf = c.append(t.buf[:0])
	return protocol.String(t.texts.text(t.buf))
}

// date reads two bytes: the day and the lower bits of the year, the month and
// the upper ones. Years have two digits and are of 1981 to 2080, unless the
// number of centuries after 1900 is told.
func (c *clock) date(p []byte, centuries int) {
	c.day, c.month = int(p[0]&0x1f), int(p[1]&0x0f)
	c.year = int(p[0]>>5) | int(p[1]>>4)<<3
	switch {
	case c.year > 99:
		c.month = 0
	case centuries == 0 && c.year <= 80:
		c.year += 2000
	default:
		c.year += 1900 + 100*centuries
	}
}

func (c *clock) valid(dated bool) bool {
	const lastYear = 2261 // that a timestamp holds whole
	if c.hour > 23 || c.minute > 59 || c.second > 59 || c.year > lastYear {
		return false
	}
	if !dated {
		return true
	}
	at := time.Date(c.year, time.Month(c.month), c.day, 0, 0, 0, 0, time.UTC)
	return c.month >= 1 && c.month <= 12 && at.Day() == c.day
}

// in returns the instant of c in a zone. The meter's flag for summer time tells
// the two hours apart that a clock shows twice. Where the zone has no summer
// time of its own, an hour is taken away when the meter says that it shows one.
func (c *clock) in(zone *time.Location) protocol.Timestamp {
	at := time.Date(c.year, time.Month(c.month), c.day, c.hour, c.minute, c.second, 0, zone)
	later := at.Add(time.Hour)
	switch {
	case c.summer && !at.IsDST():
		at = at.Add(-time.Hour)
	case !c.summer && at.IsDST() && later.Hour() == at.Hour():
		at = later
	}
	return protocol.At(at)
}

// append appends c as in "2012-07-10T15:25:00", "2012-07-10" or "15:25:00".
func (c *clock) append(dst []byte) []byte {
	if c.month != 0 {
		dst = strconv.AppendInt(dst, int64(c.year), 10)
		dst = appendTwo(append(dst, '-'), c.month)
		dst = appendTwo(append(dst, '-'), c.day)
	}
	if c.month != 0 && c.hour >= 0 {
		dst = append(dst, 'T')
	}
	if c.hour >= 0 {
		dst = appendTwo(dst, c.hour)
		dst = appendTwo(append(dst, ':'), c.minute)
		dst = appendTwo(append(dst, ':'), c.second)
	}
	return dst
}

func appendTwo(dst []byte, n int) []byte {
	return append(dst, byte('0'+n/10), byte('0'+n%10))
}
