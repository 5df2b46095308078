package modbus

import (
	"fmt"
	"path/filepath"
	"runtime"
	"time"

	"sluice/drivers/serial/port"
	"sluice/protocol/modbus"
)

// Config is one bus: a serial line, or a server that is reached by TCP.
type Config struct {
	Port         string        `yaml:"port"`          // of a serial line, its stable name: /dev/serial/by-id/…
	Line         string        `yaml:"line"`          // of a serial line, "19200 8E1": baud, data bits, parity N, E or O, stop bits
	Mode         string        `yaml:"mode"`          // of a serial line: rtu (default) or ascii
	URL          string        `yaml:"url"`           // tcp://HOST[:502], or rtu+tcp://HOST:PORT for a serial line behind a converter
	Timeout      time.Duration `yaml:"timeout"`       // for an answer to come, beside the time that bytes take; default 1s by TCP, 300ms on a line
	Retries      int           `yaml:"retries"`       // how often a request is sent again that was not answered, default 1
	Turnaround   time.Duration `yaml:"turnaround"`    // that units take to begin an answer, for reckoning the load; default 5ms, by TCP 1ms
	Gap          time.Duration `yaml:"gap"`           // of silence before a request; default 3.5 characters, at least 1.75ms above 19200 baud
	Demote       Demote        `yaml:"demote"`        //
	MaxRegisters int           `yaml:"max_registers"` // in one request, default 125
	MaxGap       int           `yaml:"max_gap"`       // registers that are read needlessly to spare a request, default 8

	port.Options // of a serial line
}

// Demote says when a silent unit is left alone, so that it does not hold up the
// others.
type Demote struct {
	After int           `yaml:"after"` // polls in a row without an answer, default 2
	Probe time.Duration `yaml:"probe"` // how often it is asked once from then on, default 30s
}

// The values of Config.Mode.
const (
	modeRTU   = "rtu"
	modeASCII = "ascii"
)

// DefaultConfig returns the values that hold where the file is silent. Zero
// times stand for a default that depends on the kind of bus.
func DefaultConfig() Config {
	return Config{
		Mode:         modeRTU,
		Retries:      1,
		Demote:       Demote{After: 2, Probe: 30 * time.Second},
		MaxRegisters: modbus.MaxReadRegisters,
		MaxGap:       8,
		Options:      port.DefaultOptions(),
	}
}

// Validate reports what is wrong with c: the field's path in the file and the
// problem.
func (c *Config) Validate(report func(field, problem string)) {
	switch {
	case c.Port != "" && c.URL != "":
		report("url", "and port are both given, want one: a serial line, or a server by TCP")
	case c.URL != "":
		c.validateURL(report)
	default:
		c.validatePort(report)
	}
	c.validateTimes(report)
	if c.Retries < 0 || c.Retries > 10 {
		report("retries", fmt.Sprintf("is %d, want 0 to 10", c.Retries))
	}
	if c.Demote.After < 1 || c.Demote.After > 100 {
		report("demote.after", fmt.Sprintf("is %d, want 1 to 100 polls", c.Demote.After))
	}
	if c.MaxRegisters < 1 || c.MaxRegisters > modbus.MaxReadRegisters {
		report("max_registers", fmt.Sprintf("is %d, want 1 to %d", c.MaxRegisters, modbus.MaxReadRegisters))
	}
	if c.MaxGap < 0 || c.MaxGap >= modbus.MaxReadRegisters {
		report("max_gap", fmt.Sprintf("is %d, want 0 to %d registers", c.MaxGap, modbus.MaxReadRegisters-1))
	}
}

func (c *Config) validatePort(report func(field, problem string)) {
	switch {
	case c.Port == "":
		report("port", "is required: the port's stable name, such as /dev/serial/by-id/usb-…, or url for a server by TCP")
		return
	case runtime.GOOS != "windows" && !filepath.IsAbs(c.Port):
		report("port", fmt.Sprintf("is %q, want the whole path, such as /dev/serial/by-id/usb-…", c.Port))
	}
	c.Options.Validate(report)
	if c.Mode != modeRTU && c.Mode != modeASCII {
		report("mode", fmt.Sprintf("is %q, want rtu or ascii", c.Mode))
	}
	if c.Line == "" {
		report("line", "is required: the bus's line settings, such as 19200 8E1")
		return
	}
	switch line, err := port.ParseLine(c.Line); {
	case err != nil:
		report("line", err.Error())
	case line.Data != 8 && c.Mode == modeRTU:
		report("line", fmt.Sprintf("is %q, but rtu needs 8 data bits", c.Line))
	case line.Data < 7:
		report("line", fmt.Sprintf("is %q, but ascii needs 7 or 8 data bits", c.Line))
	}
}

func (c *Config) validateURL(report func(field, problem string)) {
	if _, err := parseAddress(c.URL); err != nil {
		report("url", err.Error())
	}
	none := port.DefaultOptions()
	for _, of := range []struct {
		field string
		set   bool
	}{
		{"line", c.Line != ""}, {"mode", c.Mode != modeRTU}, {"echo", c.Echo}, {"rs485", c.RS485 != none.RS485},
		{"dtr", c.DTR != none.DTR}, {"rts", c.RTS != none.RTS}, {"low_latency", !c.LowLatency}, {"trace", c.Trace != ""},
	} {
		if of.set {
			report(of.field, "is for a serial line, want it without url")
		}
	}
}

func (c *Config) validateTimes(report func(field, problem string)) {
	for _, of := range []struct {
		field       string
		value       time.Duration
		least, most time.Duration
		optional    bool
	}{
		{"timeout", c.Timeout, 10 * time.Millisecond, time.Minute, true},
		{"turnaround", c.Turnaround, 0, time.Minute, true},
		{"gap", c.Gap, 0, 10 * time.Second, true},
		{"demote.probe", c.Demote.Probe, time.Second, 24 * time.Hour, false},
	} {
		if of.optional && of.value == 0 {
			continue
		}
		if of.value < of.least || of.value > of.most {
			report(of.field, fmt.Sprintf("is %v, want %v to %v", of.value, of.least, of.most))
		}
	}
}
