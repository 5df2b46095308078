package serial

import (
	"fmt"
	"path/filepath"
	"runtime"

	"sluice/drivers/serial/port"
	"sluice/protocol"
	"sluice/protocol/frame"
	"sluice/protocol/payload"
)

// Config is one serial port with a line-oriented device.
type Config struct {
	Port    string `yaml:"port"`     // stable name: /dev/serial/by-id/…
	Line    string `yaml:"line"`     // "9600 8N1": baud, data bits, parity N, E or O, stop bits
	EOL     string `yaml:"eol"`      // auto (default: LF, CRLF or CR), lf, crlf or cr
	MaxLine int    `yaml:"max_line"` // bytes, default 4096; longer lines are skipped and counted
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
func DefaultConfig() Config { return Config{EOL: "auto", MaxLine: 4096} }

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
	if _, err := frame.ParseEOL(c.EOL); err != nil {
		report("eol", fmt.Sprintf("is %q, want auto, lf, crlf or cr", c.EOL))
	}
	if c.MaxLine < 16 || c.MaxLine > 1<<20 {
		report("max_line", fmt.Sprintf("is %d, want 16 to 1048576 bytes", c.MaxLine))
	}
}
