package wire

import (
	"fmt"
	"strconv"
	"time"

	"sluice/protocol"
)

// sampleTime is an instant for trials.
const sampleTime protocol.Timestamp = 1763805600_250_000_000

// clock writes a device's time in the format of its profile.
type clock struct {
	format string
	unit   int64  // nanoseconds per unit of a numeric format, 0 for texts
	layout string // of a text
	step   int64  // nanoseconds between times that can be told apart
}

// newClock returns a clock that shows milliseconds where the format allows, or
// whole units.
func newClock(format string, whole bool) (*clock, error) {
	c := &clock{format: format, step: int64(time.Millisecond)}
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
	if text, t := c.stamp(sampleTime, 0); c.layout != "" {
		if back, err := time.Parse(c.layout, text); err != nil || protocol.At(back) != t {
			return nil, fmt.Errorf("time format %q does not read back as it is written", format)
		}
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

// quoted reports whether JSON carries the time as a string.
func (c *clock) quoted() bool { return c.layout != "" }

// stamp returns the text of now and the instant that the text says. A device
// never shows one instant twice: sampling faster than the format can tell, its
// clock runs ahead.
func (c *clock) stamp(now, last protocol.Timestamp) (string, protocol.Timestamp) {
	t := int64(now) - int64(now)%c.step
	if t <= int64(last) {
		t = int64(last) + c.step
	}
	if c.layout != "" {
		return time.Unix(0, t).UTC().Format(c.layout), protocol.Timestamp(t)
	}
	text := strconv.FormatInt(t/c.unit, 10)
	if c.step < c.unit {
		text += fmt.Sprintf(".%03d", t%c.unit/c.step)
	}
	return text, protocol.Timestamp(t)
}
