package journal

import (
	"encoding/binary"
	"path/filepath"
	"time"
)

// clock counts how long the journal has been in use, over restarts. Ages are
// measured by it and never by the wall clock, which on a box without a battery
// begins in 1970 and jumps: nothing expires because somebody set the time. Time
// during which the box was off does not count; time during which only the
// gateway was away does.
type clock struct {
	path   string
	slots  slots
	base   time.Duration // at opened
	opened time.Time     // read for its monotonic part alone
}

// saveClockEvery bounds what a crash takes from the clock when the box boots anew.
const saveClockEvery = time.Minute

// newClock goes on counting from what dir keeps; without anything intact there
// the count is that of the last segment.
func newClock(fs FS, dir string, last time.Duration) *clock {
	c := &clock{path: filepath.Join(dir, "clock"), opened: time.Now()}
	body, err := c.slots.load(fs, c.path)
	if err != nil {
		c.base = last
		return c
	}
	c.base = max(last, time.Duration(binary.LittleEndian.Uint64(body)))
	boot, up, ok := uptime()
	if ok && boot == binary.LittleEndian.Uint64(body[8:]) {
		c.base += max(0, up-time.Duration(binary.LittleEndian.Uint64(body[16:])))
	}
	return c
}

// age returns how long the journal has been in use.
func (c *clock) age() time.Duration { return c.base + time.Since(c.opened) }

// save writes the clock down.
func (c *clock) save(fs FS) error {
	boot, up, _ := uptime()
	b := binary.LittleEndian.AppendUint64(nil, uint64(c.age()))
	b = binary.LittleEndian.AppendUint64(b, boot)
	b = binary.LittleEndian.AppendUint64(b, uint64(up))
	return c.slots.save(fs, c.path, b, false)
}
