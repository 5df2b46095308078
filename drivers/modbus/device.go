package modbus

import (
	"fmt"

	"sluice/protocol"
	"sluice/protocol/payload"
)

// Device is one unit on the bus.
type Device struct {
	Name    string
	Unit    int // its address: 1 to 247 on a serial line, 0 to 255 by TCP
	Profile string
	Decode  *payload.Profile // its metrics are registers
	Tags    []protocol.Tag
}

// Validate reports what is wrong with d on the bus of c, which is valid: its
// unit, and what of its profile cannot be read there.
func (d *Device) Validate(c *Config, report func(field, problem string)) {
	least, most := firstUnit, lastUnit
	if c.framed() == framedTCP {
		least, most = 0, maxUnit
	}
	switch {
	case d.Unit == 0 && least > 0:
		report("unit", "is 0, which is every unit of a line at once: want 1 to 247")
	case d.Unit < least || d.Unit > most:
		report("unit", fmt.Sprintf("is %d, want %d to %d", d.Unit, least, most))
	}
	if d.Decode == nil {
		return // the profile is missing, and that was said
	}
	if !d.Decode.HasRegisters() {
		report("profile", fmt.Sprintf("is %q, which has no registers: its metrics want coil, discrete, input or holding", d.Profile))
		return
	}
	if _, err := newPlan(d.Decode, c.limits()); err != nil {
		report("profile", fmt.Sprintf("is %q: %v", d.Profile, err))
	}
}
