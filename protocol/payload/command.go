package payload

import (
	"encoding/hex"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"sluice/protocol"
)

// Command says what happens when a device is told something. Of a Modbus device
// it is a coil or holding registers that are written, with a value that means
// what the same settings mean of a metric.
type Command struct {
	Metric
	Value string `yaml:"value"` // what is written; "": what the caller says
	Blind bool   `yaml:"blind"` // the device cannot tell what was written: it is not read back
}

// validateCommands reports what is wrong with the commands of a Modbus device.
func (p *Profile) validateCommands(report func(field, problem string)) {
	for _, name := range slices.Sorted(maps.Keys(p.Commands)) {
		c := p.Commands[name]
		field := "commands." + name
		if !nameable(name) {
			report(field, "is no name for a command: want text without control characters, at most 256 bytes")
		}
		sound := true
		c.validate(func(f, problem string) {
			sound = false
			report(strings.TrimSuffix(field+"."+f, "."), problem)
		})
		if _, err := c.Sent(c.Value); sound && c.Value != "" && err != nil {
			report(field+".value", err.Error())
		}
	}
}

func (c *Command) validate(report func(field, problem string)) {
	switch {
	case !c.IsSet():
		report("", "has no address: want coil or holding")
		return
	case c.Discrete != nil:
		report("discrete", "cannot be written, want coil or holding")
		return
	case c.Input != nil:
		report("input", "cannot be written, want coil or holding")
		return
	case c.Poll != 0:
		report("poll", "is for a metric: a command is sent when somebody asks for it")
	}
	c.validateRegister(report)
}

// Sent returns what is put into the registers when text is the value that is
// meant: the inverse of map, scale and offset. The error reads on after the name
// of what holds text.
func (c *Command) Sent(text string) (protocol.Value, error) {
	for _, sent := range slices.Sorted(maps.Keys(c.Map)) {
		if c.Map[sent] == text {
			return c.bare(sent)
		}
	}
	if !c.isNumber() {
		return c.bare(text)
	}
	n, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
	switch {
	case err != nil || math.IsNaN(n) || math.IsInf(n, 0):
		return protocol.Value{}, fmt.Errorf("is %q, want a number", text)
	case c.Range != nil && (n < c.Range[0] || n > c.Range[1]):
		return protocol.Value{}, fmt.Errorf("is %s, want %v to %v", text, c.Range[0], c.Range[1])
	case c.Scale == nil && c.Offset == nil:
		return c.bare(text)
	}
	return protocol.Float(c.Metric.Sent(n)), nil
}

func (c *Command) isBool() bool { return c.Coil != nil || c.Type == "bool" }

func (c *Command) isNumber() bool { return !c.isBool() && c.Type != "string" && c.Type != "bytes" }

// bare returns text as the registers' type wants it, without a meaning.
func (c *Command) bare(text string) (protocol.Value, error) {
	switch {
	case c.isBool():
		return parseBool(text)
	case c.Type == "string":
		return protocol.String(text), nil
	case c.Type == "bytes":
		p, err := hex.DecodeString(text)
		if err != nil {
			return protocol.Value{}, fmt.Errorf("is %q, want bytes as hexadecimal digits", text)
		}
		return protocol.Bytes(string(p)), nil
	}
	return parseNumber(strings.TrimSpace(text))
}

func parseBool(text string) (protocol.Value, error) {
	switch strings.ToLower(strings.TrimSpace(text)) {
	case "true", "on", "1":
		return protocol.Bool(true), nil
	case "false", "off", "0":
		return protocol.Bool(false), nil
	}
	return protocol.Value{}, fmt.Errorf("is %q, want true or false", text)
}

// parseNumber keeps integers exact.
func parseNumber(text string) (protocol.Value, error) {
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		return protocol.Int(n), nil
	}
	if n, err := strconv.ParseUint(text, 10, 64); err == nil {
		return protocol.Uint(n), nil
	}
	n, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return protocol.Value{}, fmt.Errorf("is %q, want a number", text)
	}
	return protocol.Float(n), nil
}
