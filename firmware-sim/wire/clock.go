package wire

import (
	"fmt"
	"strconv"
	"time"

	"sluice/protocol"
	"sluice/protocol/payload"
)

// sampleTime is an instant for trials.
const sampleTime protocol.Timestamp = 1763805600_250_000_000

// clock writes a device's time in the format of its profile.
type clock struct {
	format string
	unit   int64  // nanoseconds per unit of a numeric format, 0 for texts
	layout string // of a text
	step   int64  // nanoseconds between times that can be told apart
	zone   *time.Location
	skew   time.Duration // how far it may be ahead; 0: any distance
	asText bool          // a tree carries it as a text, though it is a number
	untold bool          // what it shows is not enough to tell the instant
}

// newClock returns a clock that shows milliseconds where the format allows, or
// whole units.
func newClock(t *payload.Time, whole bool) (*clock, error) {
	format := t.Format
	c := &clock{format: format, step: int64(time.Millisecond), skew: t.MaxSkew}
	var err error
	if c.zone, err = time.LoadLocation(t.Zone); err != nil {
		return nil, fmt.Errorf("time zone %q is not known: %w", t.Zone, err)
	}
	switch format {
	case "unix":
		c.unit = int64(time.Second)
		if whole {
			c.step = c.unit
		}
	case "unix_ms":
		c.unit = int64(time.Millisecond)
	case "unix_us":
		c.unit, c.step = int64(time.Microsecond), int64(time.Microsecond)
	case "unix_ns":
		c.unit, c.step = 1, 1
	case "rfc3339":
		c.layout = "2006-01-02T15:04:05.000Z07:00"
		if whole {
			c.layout, c.step = time.RFC3339, int64(time.Second)
		}
	default:
		c.layout = format
		c.step = resolution(format)
	}
	if _, t := c.stamp(sampleTime, 0); t != c.next(sampleTime, 0) {
		return nil, fmt.Errorf("time format %q does not read back as it is written", format)
	}
	return c, nil
}

// resolution returns the smallest step of time, of those that people use, that
// a layout shows.
func resolution(layout string) int64 {
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for _, step := range []time.Duration{time.Millisecond, time.Second, time.Minute, time.Hour} {
		if at.Format(layout) != at.Add(step).Format(layout) {
			return int64(step)
		}
	}
	return int64(24 * time.Hour)
}

// quoted reports whether a tree carries the time as a text.
func (c *clock) quoted() bool { return c.layout != "" || c.asText }

// stamp returns the text of now and the instant that the text says. A device
// never shows one instant twice: sampling faster than the format can tell, its
// clock runs ahead.
func (c *clock) stamp(now, last protocol.Timestamp) (string, protocol.Timestamp) {
	t := int64(c.next(now, last))
	if c.layout != "" {
		text := time.Unix(0, t).In(c.zone).Format(c.layout)
		if at, err := time.ParseInLocation(c.layout, text, c.zone); err == nil {
			t = at.UnixNano() // in autumn an hour of the local time comes twice
		}
		return text, protocol.Timestamp(t)
	}
	text := strconv.FormatInt(t/c.unit, 10)
	if c.step < c.unit {
		text += fmt.Sprintf(".%03d", t%c.unit/c.step)
	}
	return text, protocol.Timestamp(t)
}

// next returns the instant that is shown at now, after last.
func (c *clock) next(now, last protocol.Timestamp) protocol.Timestamp {
	t := int64(now) - int64(now)%c.step
	if t <= int64(last) {
		t = int64(last) + c.step
	}
	return protocol.Timestamp(t)
}

// Due reports whether a device may send at now whose message before bore the
// time last: one whose clock shows no more than seconds has to wait when it
// would run ahead further than its profile takes for right.
func (f *Form) Due(now, last protocol.Timestamp) bool {
	if !f.Timed() || f.clock.skew == 0 || last == 0 {
		return true
	}
	return f.clock.next(now, last).Time().Sub(now.Time()) <= f.clock.skew/2
}
