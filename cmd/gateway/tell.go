package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"sluice/cmd/gateway/config"
	"sluice/drivers"
	"sluice/protocol"
	"sluice/protocol/payload"
)

// The bounds of how long a command may take.
const (
	leastTimeout = 10 * time.Millisecond
	mostTimeout  = 10 * time.Minute
)

// tellOrder has the gateway tell a device something.
type tellOrder struct {
	Device  string        `json:"device"`
	Command string        `json:"command"`
	Value   string        `json:"value,omitempty"`  // "": none
	Driver  string        `json:"driver,omitempty"` // "": the one that has the device
	Timeout time.Duration `json:"timeout_ns"`
}

// toldDevice is what a command to a device tells.
type toldDevice struct {
	Driver  string  `json:"driver"`
	Device  string  `json:"device"`
	Command string  `json:"command"`
	Value   string  `json:"value,omitempty"` // that it was told
	Outcome string  `json:"outcome"`         // confirmed, or only published, written or sent
	Shows   any     `json:"shows,omitempty"` // what the device says it has
	Unit    string  `json:"unit,omitempty"`
	Seconds float64 `json:"seconds"`
}

// tell tells a device something and says what it answers.
func (g *gateway) tell(ctx context.Context, o *tellOrder, out *answer) error {
	if o.Timeout < leastTimeout || o.Timeout > mostTimeout {
		return usageError{fmt.Errorf("--timeout is %v, want %v to %v", o.Timeout, leastTimeout, mostTimeout)}
	}
	to, err := g.recipient(o)
	if err != nil {
		return err
	}
	if err := to.check(o); err != nil {
		return usageError{err}
	}
	commander, ok := to.driver.driver.(drivers.Commander)
	if !ok {
		return fmt.Errorf("driver %s sends no commands", to.driver.name)
	}
	within, cancel := context.WithTimeoutCause(ctx, o.Timeout, fmt.Errorf("no answer within %v", o.Timeout))
	defer cancel()
	got, err := commander.Command(within, o.Device, drivers.Command{Name: o.Command, Value: o.Value})
	to.driver.note(o, err, within.Err() != nil)
	switch {
	case errors.Is(err, drivers.ErrUnknown), errors.Is(err, drivers.ErrValue):
		return usageError{err}
	case err != nil && !errors.Is(err, drivers.ErrUnsent) && !errors.Is(err, drivers.ErrRefused) && got.Value.IsNull():
		return fmt.Errorf("%w; the device may have done it", err)
	case err != nil:
		return err
	}
	if got.Note != "" {
		out.note("%s%s", got.Note, config.Suggest(o.Device, to.driver.others(o.Device)))
	}
	return out.say(toldDevice{
		Driver: to.driver.name, Device: o.Device, Command: o.Command, Value: o.Value, Outcome: outcomeText(&to.commands[0], got.Value),
		Shows: plainValue(got.Value), Unit: unitOf(&to.commands[0], got.Value), Seconds: got.Took.Seconds(),
	})
}

// note counts and logs a command that was given to the driver.
func (d *driver) note(o *tellOrder, err error, late bool) {
	outcome := outcomeOfCommand(err, late)
	d.told.count(outcome)
	attributes := []any{"device", o.Device, "command", o.Command, "value", o.Value, "outcome", outcome}
	if err != nil {
		attributes = append(attributes, "err", err)
	}
	d.log.Info("device is told", attributes...)
}

// others returns the names of the driver's devices but one.
func (d *driver) others(device string) (names []string) {
	for _, r := range d.known() {
		if r.device != device {
			names = append(names, r.device)
		}
	}
	return names
}

// outcomeText says how far it is certain that a command was carried out.
func outcomeText(c *payload.Command, shows protocol.Value) string {
	switch {
	case !shows.IsNull():
		return "confirmed"
	case c.Way() == payload.WayTopic:
		return "published"
	case c.Way() == payload.WayRegister:
		return "written"
	}
	return "sent"
}

// unitOf returns the unit of what a device shows.
func unitOf(c *payload.Command, shows protocol.Value) string {
	if _, isNumber := shows.Number(); isNumber {
		return c.Unit
	}
	return ""
}

// plainValue returns v as JSON writes it.
func plainValue(v protocol.Value) any {
	switch v.Kind() {
	case protocol.KindNull:
		return nil
	case protocol.KindFloat:
		if f := v.Float(); !math.IsNaN(f) && !math.IsInf(f, 0) {
			return f
		}
	case protocol.KindInt:
		return v.Int()
	case protocol.KindUint:
		return v.Uint()
	case protocol.KindBool:
		return v.Bool()
	}
	return v.String()
}

// commandsOrder asks what devices can be told.
type commandsOrder struct {
	Device string `json:"device,omitempty"` // "": all
	Driver string `json:"driver,omitempty"` // "": all
}

// listedCommand is one thing that a device, or each one that a topic captures,
// can be told.
type listedCommand struct {
	Driver  string `json:"driver"`
	Device  string `json:"device,omitempty"`
	Topic   string `json:"topic,omitempty"` // that captures the devices
	Command string `json:"command"`
	Value   string `json:"value,omitempty"` // that it takes, for people; none: it takes none
	Unit    string `json:"unit,omitempty"`
}

// listCommands says what devices can be told, one command per line.
func (g *gateway) listCommands(o *commandsOrder, out *answer) error {
	among, err := g.among(o.Driver)
	if err != nil {
		return usageError{err}
	}
	var names []string
	listed := 0
	for _, d := range among {
		rows := d.known()
		for _, r := range d.rows {
			if r.device == "" {
				rows = append(rows, r)
			}
		}
		for _, r := range rows {
			if r.device != "" {
				names = append(names, r.device)
			}
			if o.Device != "" && r.device != o.Device {
				continue
			}
			listed++
			if err := r.list(d.name, out); err != nil {
				return err
			}
		}
	}
	switch {
	case o.Device != "" && listed == 0:
		return usageError{fmt.Errorf("no device is called %q%s", o.Device, suggest(o.Device, names))}
	case listed == 0:
		out.note("no profile has commands: no device can be told anything")
	}
	return nil
}
