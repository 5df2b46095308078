package fleet

import "sluice/cmd/gateway/config"

// FromConfig returns the devices that an operator's file speaks of.
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
			for _, dev := range d.MQTTDevices {
				rows = append(rows, Row{Topic: dev.Topic, Name: dev.Name, Profile: dev.Profile, Decode: dev.Decode, Tags: dev.Tags})
			}
			err = m.AddBroker(d.Name, d.MQTT.QoS, rows)
		case d.Serial != nil:
			dev := d.SerialDevice
			err = m.AddPort(d.Name, d.Serial.Line, d.Serial.Frame,
				Row{Name: dev.Name, Profile: dev.Profile, Decode: dev.Decode, Tags: dev.Tags})
		}
		if err != nil {
			return nil, err
		}
	}
	return m, nil
}
