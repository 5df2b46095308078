package payload

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// Command says what happens when a device is told something. What tells it
// apart is where it goes: coil or holding of a Modbus device are written, a topic
// is published to, a request goes out on a serial line. The value means what the
// same settings mean of a metric.
type Command struct {
	Metric
	Value string `yaml:"value"` // what the device is told; "": what the caller says
	Blind bool   `yaml:"blind"` // a Modbus device cannot tell what was written: it is not read back

	Topic   string `yaml:"topic"`   // of an MQTT device: where the message goes; {device}, {TAG} and what its topic captures stand for their text
	Payload string `yaml:"payload"` // of that message: text with {value} and the names of topic; "": it is empty
	QoS     *int   `yaml:"qos"`     // of that message: 0 or 1, default 1
	Retain  bool   `yaml:"retain"`  // the broker keeps that message
	Reads   string `yaml:"reads"`   // the metric that has to show the value; "": none does

	Request string        `yaml:"request"` // to a device on a serial line: text, or hex:…; {value}, {device} and {unit} stand for theirs
	Expect  string        `yaml:"expect"`  // how its answer begins, as the request; "": it does not answer
	Timeout time.Duration `yaml:"timeout"` // for the answer; default: that of the device's own request
}

// The names that a Template of a command may hold beside those of tags.
const (
	ValueName  = "value"  // what the device is told
	DeviceName = "device" // its name
	UnitName   = "unit"   // its address on the line
)

// Way is how a command reaches its device.
type Way uint8

// The ways of a command.
const (
	WayNone Way = iota
	WayRegister
	WayTopic
	WayRequest
)

// Way returns how the command reaches its device, WayNone when it says nothing or
// several.
func (c *Command) Way() Way {
	ways := c.ways()
	if len(ways) != 1 {
		return WayNone
	}
	return ways[0]
}

func (c *Command) ways() (ways []Way) {
	if c.IsSet() {
		ways = append(ways, WayRegister)
	}
	if c.Topic != "" {
		ways = append(ways, WayTopic)
	}
	if c.Request != "" {
		ways = append(ways, WayRequest)
	}
	return ways
}

// wayNames is what the ways are called in a file.
var wayNames = [...]string{"", "coil or holding", "topic", "request"}

// validateCommands reports what is wrong with the commands of the profile's
// devices, which all go one way where its metrics are registers.
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
		}, p)
		if !sound || c.Value == "" {
			continue
		}
		if _, err := c.Told(c.Value); err != nil {
			report(field+".value", err.Error())
		}
	}
}

// validate reports what is wrong with a command of p; the field is "" where the
// command as a whole is meant.
func (c *Command) validate(report func(field, problem string), p *Profile) {
	ways := c.ways()
	refuse(report, "is for a metric", setting{"report", c.Report != nil})
	switch {
	case len(ways) > 1:
		report("", "has both "+wayNames[ways[0]]+" and "+wayNames[ways[1]]+", want one")
	case p.HasRegisters() && c.Way() != WayRegister:
		report("", "has no address: want coil or holding")
	case len(ways) == 0:
		report("", "goes nowhere: want topic (MQTT), request (serial), or coil or holding (Modbus)")
	case ways[0] == WayRegister:
		c.refuseMessage(report)
		c.validateWrite(report)
	default:
		c.refuseRegister(report)
		c.validateSent(report, p)
	}
}

// validateWrite is for a command that writes coil or registers.
func (c *Command) validateWrite(report func(field, problem string)) {
	switch {
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

// setting is a field of a command that may be set.
type setting struct {
	field string
	set   bool
}

// refuse reports those that are set.
func refuse(report func(field, problem string), problem string, settings ...setting) {
	for _, s := range settings {
		if s.set {
			report(s.field, problem)
		}
	}
}

// refuseMessage reports what is of use only where a message is sent.
func (c *Command) refuseMessage(report func(field, problem string)) {
	refuse(report, "is not for a command that writes a coil or registers",
		setting{"payload", c.Payload != ""}, setting{"qos", c.QoS != nil}, setting{"retain", c.Retain}, setting{"reads", c.Reads != ""},
		setting{"expect", c.Expect != ""}, setting{"timeout", c.Timeout != 0})
}

// refuseRegister reports what is of use only where registers are written.
func (c *Command) refuseRegister(report func(field, problem string)) {
	r := c.Register
	refuse(report, "is for a command that writes a coil or registers",
		setting{"order", r.Order != ""}, setting{"bits", r.Bits != ""}, setting{"length", r.Length != 0},
		setting{"missing", len(r.Missing) > 0}, setting{"blind", c.Blind})
	refuse(report, "is for a metric", setting{"path", c.Path != ""}, setting{"poll", r.Poll != 0})
}

// validateSent is for a command that sends a message.
func (c *Command) validateSent(report func(field, problem string), p *Profile) {
	if c.Way() == WayTopic {
		refuse(report, "is for a request on a serial line", setting{"expect", c.Expect != ""}, setting{"timeout", c.Timeout != 0})
		c.validateTopic(report, p)
	} else {
		refuse(report, "is for a topic",
			setting{"payload", c.Payload != ""}, setting{"qos", c.QoS != nil}, setting{"retain", c.Retain}, setting{"reads", c.Reads != ""})
		c.validateRequest(report)
	}
	if _, ok := kindOf(c.Type); !ok {
		report("type", fmt.Sprintf("is %q, want float, int, uint, bool or string", c.Type))
		return
	}
	c.validateMetric(report)
	c.validateUse(report)
}

// validateTopic is for a message that is published.
func (c *Command) validateTopic(report func(field, problem string), p *Profile) {
	topic, text := ParseTemplate(c.Topic), ParseTemplate(c.Payload)
	switch {
	case topic.Has(ValueName):
		report("topic", "holds {value}, which has its place in payload")
	case strings.ContainsAny(c.Topic, "+#\x00"):
		report("topic", fmt.Sprintf("is %q, want one topic without wildcards", c.Topic))
	}
	if c.QoS != nil && *c.QoS != 0 && *c.QoS != 1 {
		report("qos", fmt.Sprintf("is %d, want 0 or 1: a command is never sent twice", *c.QoS))
	}
	if p.Decode.JSON != nil && text.IsAlmostJSON() {
		report("payload", "begins like JSON and is none, not even when names in braces stand for numbers and texts")
	}
	if c.Reads != "" && !text.Has(ValueName) && c.Value == "" {
		report("reads", "needs to know what "+c.Reads+" becomes: want value")
	}
}

// validateRequest is for a request on a serial line.
func (c *Command) validateRequest(report func(field, problem string)) {
	const least, most = 10 * time.Millisecond, 5 * time.Minute
	switch {
	case c.Timeout != 0 && c.Expect == "":
		report("timeout", "is for an answer: want expect too")
	case c.Timeout != 0 && (c.Timeout < least || c.Timeout > most):
		report("timeout", fmt.Sprintf("is %v, want %v to %v", c.Timeout, least, most))
	}
}

// validateUse reports settings of a value that is not sent.
func (c *Command) validateUse(report func(field, problem string)) {
	field, text := "payload", c.Payload
	if c.Way() == WayRequest {
		field, text = "request", c.Request
	}
	if ParseTemplate(text).Has(ValueName) {
		return
	}
	refuse(report, "is of no use: "+field+" has no {value}",
		setting{"type", c.Type != ""}, setting{"map", len(c.Map) > 0}, setting{"scale", c.Scale != nil},
		setting{"offset", c.Offset != nil}, setting{"range", c.Range != nil})
	if c.Reads == "" {
		refuse(report, "is of no use: "+field+" has no {value}", setting{"value", c.Value != ""}, setting{"unit", c.Unit != ""})
	}
}
