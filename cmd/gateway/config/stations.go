package config

import (
	"fmt"
	"reflect"
	"strings"

	"sluice/drivers/serial"
	"sluice/protocol"
	"sluice/protocol/frame"
	"sluice/protocol/payload"
)

// stations gives a serial line the devices of a row: one, or one for each unit.
func (d *deviceList) stations(r row, driver *Driver, decode *payload.Profile, tags []protocol.Tag, report func(field, problem string)) {
	if r.Topic != "" {
		report("topic", "is not for a serial driver, want device and no topic")
	}
	if r.Device == "" {
		report("device", "is required: the name of the device on the serial port")
	}
	if decode != nil && decode.Decode.NamesDevices() {
		report("profile", fmt.Sprintf("is %s, which needs topics: want a device row via an mqtt driver", quote(r.Profile)))
	}
	units := []string{""}
	if r.Unit != "" {
		var err error
		if units, err = serial.ParseUnits(r.Unit); err != nil {
			report("unit", err.Error())
			return
		}
	}
	if len(units) > 1 && r.Device != "" && !strings.Contains(r.Device, captureUnit) {
		report("device", fmt.Sprintf("is %q, but there are %d units: want %s in it", r.Device, len(units), captureUnit))
		return
	}
	d.frames(driver, decode, report)
	told := map[string]bool{} // what is wrong with one unit is mostly wrong with all
	for _, unit := range units {
		d.station(driver, serial.Device{
			Name: strings.ReplaceAll(r.Device, captureUnit, unit), Unit: unit, Profile: r.Profile, Decode: decode, Tags: tags,
		}, func(field, problem string) {
			if !told[field] {
				told[field] = true
				report(field, problem)
			}
		})
	}
}

// station adds a device to a line unless there is something wrong with it.
func (d *deviceList) station(driver *Driver, dev serial.Device, report func(field, problem string)) {
	sound := true
	find := func(field, problem string) {
		sound = false
		report(field, problem)
	}
	dev.Validate(driver.Serial, find)
	for i := range driver.SerialDevices {
		dev.Beside(&driver.SerialDevices[i], driver.Serial, find)
	}
	if sound {
		driver.SerialDevices = append(driver.SerialDevices, dev)
	}
}

// frames gives a line without frame the frames of its devices' decoder, of which
// there can be only one.
func (d *deviceList) frames(driver *Driver, decode *payload.Profile, report func(field, problem string)) {
	if decode == nil {
		return
	}
	own := framing(decode.Decode)
	switch set, known := d.framed[driver.Name]; {
	case !known && driver.Serial.Frame == (frame.Config{}):
		driver.Serial.Frame = own
		d.framed[driver.Name] = decode
	case known && decode.Decode.Kind() != set.Decode.Kind() && !reflect.DeepEqual(own, driver.Serial.Frame):
		report("via", fmt.Sprintf("is %q, on which another device sends frames as %s does: want frame in the driver, which says how all are told apart", driver.Name, set.Decode.Kind()))
	}
}
