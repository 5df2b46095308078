package serial

import (
	"fmt"
	"path/filepath"
	"runtime"
	"strings"

	"sluice/drivers/serial/port"
	"sluice/protocol"
	"sluice/protocol/frame"
	"sluice/protocol/payload"
)

// Config is one serial port with a device that speaks unasked.
type Config struct {
	Port  string       `yaml:"port"`  // stable name: /dev/serial/by-id/…
	Line  string       `yaml:"line"`  // "9600 8N1": baud, data bits, parity N, E or O, stop bits
	Frame frame.Config `yaml:"frame"` // how messages are told apart; default: lines

	port.Options
}

// Device is the device at the other end of the port.
type Device struct {
	Name    string
	Profile string
	Decode  *payload.Profile
	Tags    []protocol.Tag
}

// DefaultConfig returns the values that hold where the file is silent. Port and
// line have none: only the operator knows them.
func DefaultConfig() Config {
	return Config{Frame: frame.DefaultConfig(), Options: port.DefaultOptions()}
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
}
