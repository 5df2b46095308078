package serial

import (
	"fmt"
	"maps"
	"slices"

	"sluice/protocol"
	"sluice/protocol/payload"
)

// Device is a device on the line. It is asked when its profile says how, and
// otherwise talks by itself.
type Device struct {
	Name    string
	Unit    string // its address on the line; "": it has none
	Profile string
	Decode  *payload.Profile
	Tags    []protocol.Tag
}

// talks reports whether the device talks by itself.
func (d *Device) talks() bool { return d.Decode != nil && d.Decode.Ask == nil }

// Validate reports what is wrong with d on the line of c, which is valid: the
// field of its row and the problem.
func (d *Device) Validate(c *Config, report func(field, problem string)) {
	if d.Decode == nil || d.Decode.HasRegisters() {
		return // that was said
	}
	uses := d.texts()
	where := usesUnit(uses)
	switch {
	case d.Unit == "" && c.Unit != nil:
		report("unit", "is required: what a frame of it has where the driver's unit is found")
		return
	case d.Unit == "" && where != "":
		report("unit", fmt.Sprintf("is required: %s of profile %s has {unit}", where, d.Profile))
		return
	case d.Unit != "" && c.Unit == nil && where == "":
		report("unit", "is of no use: the driver has no unit that says where frames have it, and the profile sends no {unit}")
		return
	}
	if c.Unit != nil {
		if _, err := c.Unit.normal(d.Unit); err != nil {
			report("unit", err.Error())
			return
		}
	}
	for _, u := range uses {
		if _, err := payload.Spoken(u.text, d.Unit, protocol.String("00")); err != nil {
			report("unit", fmt.Sprintf("is %q, with which %s of profile %s is no hexadecimal", d.Unit, u.what, d.Profile))
			return
		}
	}
}

// Beside reports what is wrong with d on the line of c beside another device.
func (d *Device) Beside(o *Device, c *Config, report func(field, problem string)) {
	switch {
	case d.Name == o.Name:
		report("device", fmt.Sprintf("is %q, want a name of its own: another device on the line has that one", d.Name))
	case d.Unit != "" && c.normal(d.Unit) == c.normal(o.Unit):
		report("unit", fmt.Sprintf("is %s, but %s has unit %s already", d.Unit, o.Name, o.Unit))
	case c.Unit != nil || d.Decode == nil || o.Decode == nil:
	case d.talks() && o.talks():
		report("via", fmt.Sprintf("has two devices that talk by themselves, %s and %s: want unit in the driver, which says where frames tell them apart, or a driver for each", o.Name, d.Name))
	case d.talks() && o.Decode.Ask.Expect == "":
		report("via", fmt.Sprintf("has %s, whose answers look like what %s says by itself: want expect in ask of profile %s, or unit in the driver", o.Name, d.Name, o.Profile))
	case o.talks() && d.Decode.Ask.Expect == "":
		report("via", fmt.Sprintf("has %s, which talks by itself, and answers of %s look like it: want expect in ask of profile %s, or unit in the driver", o.Name, d.Name, d.Profile))
	}
}

// normal returns a unit as frames have it, or as it is when frames have none.
func (c *Config) normal(unit string) string {
	if c.Unit != nil {
		if n, err := c.Unit.normal(unit); err == nil {
			return n
		}
	}
	return unit
}

// use is a text of a profile that goes over the line.
type use struct{ what, text string }

// texts returns the texts of d's profile that go over the line.
func (d *Device) texts() []use {
	var all []use
	if a := d.Decode.Ask; a != nil {
		all = append(all, use{"ask.request", a.Request}, use{"ask.expect", a.Expect})
		for _, p := range a.Before {
			all = append(all, use{"ask.before", p.Send})
		}
	}
	for _, name := range slices.Sorted(maps.Keys(d.Decode.Commands)) {
		command := d.Decode.Commands[name]
		all = append(all, use{"commands." + name + ".request", command.Request}, use{"commands." + name + ".expect", command.Expect})
	}
	return all
}

// usesUnit returns which of the texts depends on the unit, "" when none does.
func usesUnit(texts []use) string {
	for _, t := range texts {
		if payload.ParseTemplate(t.text).Has(payload.UnitName) {
			return t.what
		}
	}
	return ""
}
