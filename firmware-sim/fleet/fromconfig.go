package fleet

import (
	"errors"
	"strings"

	"sluice/cmd/gateway/config"
	"sluice/firmware-sim/bus"
)

// FromConfig returns the devices that an operator's file speaks of. Those that
// cannot be simulated yet are left out, which the model's notes say; that none
// is left is an error.
func FromConfig(f *config.File, o Options) (*Model, error) {
	m := New(o)
	for i := range f.Devices {
		m.taken[f.Devices[i].Name] = true
	}
	for i := range f.Drivers {
		d := &f.Drivers[i]
		var err error
		switch {
		case d.MQTT != nil:
			var rows []Row
			for i, dev := range d.MQTTDevices {
				if dev.Presence != nil {
					m.notes = append(m.notes, "topic "+dev.Topic+" is not played: devices of a rehearsal do not come and go")
					continue
				}
				rows = append(rows, Row{Number: numbers(f, d.Name)[i], Topic: dev.Topic, Name: dev.Name, Profile: dev.Profile, Decode: dev.Decode, Tags: dev.Tags})
			}
			err = m.AddBroker(d.Name, d.MQTT.QoS, rows)
		case d.Serial != nil && (len(d.SerialDevices) > 1 || d.SerialDevices[0].Decode.Ask != nil):
			var stations []Station
			for _, dev := range d.SerialDevices {
				row := Row{Number: numbers(f, d.Name)[0], Name: dev.Name, Profile: dev.Profile, Decode: dev.Decode, Tags: dev.Tags}
				stations = append(stations, Station{row, dev.Unit})
			}
			err = m.AddLine(lineOf(d), stations)
		case d.Serial != nil:
			dev := d.SerialDevices[0]
			err = m.AddPort(d.Name, d.Serial.Line, d.Serial.Frame,
				Row{Number: numbers(f, d.Name)[0], Name: dev.Name, Profile: dev.Profile, Decode: dev.Decode, Tags: dev.Tags})
		case d.Modbus != nil:
			var units []Unit
			for _, dev := range d.ModbusDevices {
				row := Row{Number: numbers(f, d.Name)[0], Name: dev.Name, Profile: dev.Profile, Decode: dev.Decode, Tags: dev.Tags}
				units = append(units, Unit{row, uint8(dev.Unit)})
			}
			err = m.AddBus(busOf(d), units)
		}
		if err != nil {
			return nil, err
		}
	}
	if len(m.devices) == 0 && len(m.notes) > 0 {
		return nil, errors.New("simulate the fleet: " + strings.Join(m.notes, "; "))
	}
	return m, nil
}

// busOf returns what a Modbus driver talks to.
func busOf(d *config.Driver) Bus {
	b := Bus{Driver: d.Name, Line: d.Modbus.Line, Listen: d.Modbus.URL != ""}
	switch {
	case strings.HasPrefix(d.Modbus.URL, "tcp://"):
		b.Mode = bus.TCP
	case !b.Listen && d.Modbus.Mode == "ascii":
		b.Mode = bus.ASCII
	}
	return b
}

// numbers returns where the rows of a driver stand in the device list, from 1.
func numbers(f *config.File, driver string) []int {
	var list []int
	for i := range f.Devices {
		if f.Devices[i].Driver == driver {
			list = append(list, i+1)
		}
	}
	return list
}
