package serial

import (
	"fmt"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"sluice/drivers/serial/port"
	"sluice/protocol/frame"
)

// Config is one serial line with a device or several, which talk by themselves or
// are asked.
type Config struct {
	Port   string        `yaml:"port"`   // stable name: /dev/serial/by-id/…
	Line   string        `yaml:"line"`   // "9600 8N1": baud, data bits, parity N, E or O, stop bits
	Frame  frame.Config  `yaml:"frame"`  // how messages are told apart; default: lines
	Unit   *Unit         `yaml:"unit"`   // which part of a frame tells of which device it is; nil: none does
	Gap    time.Duration `yaml:"gap"`    // of silence before a request, default 20ms, or 3.5 characters or the frame's gap where that is longer
	Demote Demote        `yaml:"demote"` // devices that are asked and do not answer

	port.Options
}

// Demote says when a silent device is left alone, so that it does not hold up the
// others.
type Demote struct {
	After int           `yaml:"after"` // polls in a row without an answer, default 3
	Probe time.Duration `yaml:"probe"` // how often it is asked once from then on, default 30s
}

// DefaultConfig returns the values that hold where the file is silent. Port and
// line have none: only the operator knows them.
func DefaultConfig() Config {
	return Config{
		Frame:   frame.DefaultConfig(),
		Demote:  Demote{After: 3, Probe: 30 * time.Second},
		Options: port.DefaultOptions(),
	}
}

// leastGap is the silence before a request where the file asks for none: USB
// adapters collect bytes for up to 16 ms, so that a shorter one may lie in the
// middle of a frame. Who is asked every few seconds does not miss it.
const leastGap = 20 * time.Millisecond

// gap returns the silence before a request on the line of c, which is valid.
func (c *Config) gap(line port.Line) time.Duration {
	if c.Gap != 0 {
		return c.Gap
	}
	return max(leastGap, line.Span(7)/2, c.Frame.Gap())
}

// Validate reports what is wrong with c: the field's path in the file and the
// problem.
func (c *Config) Validate(report func(field, problem string)) {
	switch {
	case c.Port == "":
		report("port", "is required: the port's stable name, such as /dev/serial/by-id/usb-…")
	case runtime.GOOS != "windows" && !filepath.IsAbs(c.Port):
		report("port", fmt.Sprintf("is %q, want the whole path, such as /dev/serial/by-id/usb-…", c.Port))
	}
	if c.Line == "" {
		report("line", "is required: the device's line settings, such as 9600 8N1")
	} else if _, err := port.ParseLine(c.Line); err != nil {
		report("line", err.Error())
	}
	c.Options.Validate(report)
	c.Frame.Validate(func(field, problem string) {
		report(strings.TrimSuffix("frame."+field, "."), problem)
	})
	if c.Unit != nil {
		c.Unit.validate(func(field, problem string) { report("unit."+field, problem) })
	}
	if c.Gap != 0 && (c.Gap < time.Millisecond || c.Gap > 10*time.Second) {
		report("gap", fmt.Sprintf("is %v, want 1ms to 10s", c.Gap))
	}
	if c.Demote.After < 1 || c.Demote.After > 100 {
		report("demote.after", fmt.Sprintf("is %d, want 1 to 100 polls", c.Demote.After))
	}
	if c.Demote.Probe < time.Second || c.Demote.Probe > 24*time.Hour {
		report("demote.probe", fmt.Sprintf("is %v, want 1s to 24h", c.Demote.Probe))
	}
}
