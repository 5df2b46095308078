package serial

import (
	"sluice/protocol"
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
