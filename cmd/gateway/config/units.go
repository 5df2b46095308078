package config

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"sluice/drivers/modbus"
	"sluice/protocol"
	"sluice/protocol/payload"
)

// captureUnit stands for the unit in the name of a device on a bus.
const captureUnit = "{unit}"

// units gives a bus the devices of a row, one for each unit.
func (d *deviceList) units(r row, driver *Driver, decode *payload.Profile, tags []protocol.Tag, report func(field, problem string)) {
	if r.Topic != "" {
		report("topic", "is not for a modbus driver, want device and unit")
	}
	if r.Unit == "" {
		report("unit", "is required: its address on the bus, such as 7, or 1-10 for several")
		return
	}
	units, err := modbus.ParseUnits(r.Unit)
	switch {
	case err != nil:
		report("unit", err.Error())
		return
	case r.Device == "":
		report("device", "is required: its name, with "+captureUnit+" in it for several units")
		return
	case len(units) > 1 && !strings.Contains(r.Device, captureUnit):
		report("device", fmt.Sprintf("is %q, but there are %d units: want %s in it", r.Device, len(units), captureUnit))
		return
	}
	told := map[string]bool{} // what is wrong with one unit is mostly wrong with all
	once := func(field, problem string) {
		if !told[field] {
			told[field] = true
			report(field, problem)
		}
	}
	for _, unit := range units {
		d.unit(r, unit, driver, decode, tags, once)
	}
}

func (d *deviceList) unit(r row, unit int, driver *Driver, decode *payload.Profile, tags []protocol.Tag, report func(field, problem string)) {
	name := strings.ReplaceAll(r.Device, captureUnit, strconv.Itoa(unit))
	dev := modbus.Device{Name: name, Unit: unit, Profile: r.Profile, Decode: decode, Tags: tags}
	dev.Validate(driver.Modbus, report)
	for _, other := range driver.ModbusDevices {
		switch {
		case other.Unit == unit:
			report("unit", fmt.Sprintf("is %s, but %s has unit %d already", r.Unit, other.Name, unit))
		case other.Name == name:
			report("device", fmt.Sprintf("is %q, which unit %d has already", name, other.Unit))
		}
	}
	if !slices.ContainsFunc(driver.ModbusDevices, func(o modbus.Device) bool { return o.Unit == unit || o.Name == name }) {
		driver.ModbusDevices = append(driver.ModbusDevices, dev)
	}
}

// checkKind refuses what belongs to another kind of driver.
func checkKind(r row, driver *Driver, decode *payload.Profile, report func(field, problem string)) {
	if r.Unit != "" && driver.MQTT != nil {
		report("unit", "is for a modbus or serial driver")
	}
	switch {
	case decode == nil || driver.Modbus != nil:
	case decode.HasRegisters():
		report("profile", fmt.Sprintf("is %q, whose metrics are registers: want a modbus driver", r.Profile))
	case decode.Ask != nil && driver.Serial == nil:
		report("profile", fmt.Sprintf("is %q, whose devices are asked: want a serial driver", r.Profile))
	}
}
