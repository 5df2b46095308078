package main

import (
	"fmt"
	"slices"
	"strings"

	"sluice/cmd/gateway/config"
	"sluice/drivers/modbus"
	"sluice/drivers/mqtt"
	"sluice/protocol"
	"sluice/protocol/payload"
)

// explanation is what is known of a topic or a device.
type explanation struct {
	file    *config.File
	topic   string // "": a device was named
	driver  string
	row     string   // what of the device list takes it
	others  []string // rows that fit the topic too, and come too late
	device  *protocol.Device
	metric  string // that the topic names
	profile *payload.Profile
	asked   []modbus.Read // of a Modbus device

	result     *result // nil: there is no message
	deliveries []delivered
}

// find looks for a topic or a device.
func (e *explanation) find(what string) error {
	if e.findDevice(what) || e.findTopic(what) {
		return nil
	}
	var known []string
	for _, d := range e.file.Devices {
		if d.Name != "" {
			known = append(known, d.Name)
		}
		if d.Topic != "" {
			known = append(known, d.Topic)
		}
	}
	return fmt.Errorf("nobody takes %q: it is no device, and fits no topic%s", what, config.Suggest(what, known))
}

// findDevice looks at the rows that name a device.
func (e *explanation) findDevice(name string) bool {
	for _, d := range e.file.Drivers {
		for _, m := range d.MQTTDevices {
			if m.Fixed() && m.Name == name {
				e.take(d.Name, "topic "+m.Topic, name, m.Profile, m.Tags, m.Decode)
				return true
			}
		}
		for _, m := range d.SerialDevices {
			if m.Name == name {
				row := "the device on the line"
				if m.Unit != "" {
					row = "unit " + m.Unit
				}
				e.take(d.Name, row, name, m.Profile, m.Tags, m.Decode)
				return true
			}
		}
		for _, m := range d.ModbusDevices {
			if m.Name == name {
				e.take(d.Name, fmt.Sprintf("unit %d", m.Unit), name, m.Profile, m.Tags, m.Decode)
				e.asked, _ = modbus.Reads(*d.Modbus, m.Decode) // the configuration is right
				return true
			}
		}
	}
	return false
}

func (e *explanation) take(driver, row, name, profile string, tags []protocol.Tag, decode *payload.Profile) {
	e.driver, e.row, e.profile = driver, row, decode
	e.device = &protocol.Device{Name: name, Profile: profile, Driver: driver, Tags: tags, Reports: decode.Reports()}
}

// findTopic looks at the topics of all drivers: in each the first row that fits
// takes a message.
func (e *explanation) findTopic(topic string) bool {
	for _, d := range e.file.Drivers {
		if d.MQTT == nil {
			continue
		}
		device, metric, profile, err := mqtt.Explain(d.Name, d.MQTTDevices, topic)
		if err != nil {
			continue
		}
		rows := e.fitting(d, topic)
		if e.device != nil { // a driver before this one has it as well
			e.others = append(e.others, rows...)
			continue
		}
		e.topic, e.driver, e.device, e.metric, e.profile = topic, d.Name, device, metric, profile
		e.row, e.others = strings.TrimSuffix(rows[0], " of "+d.Name), rows[1:]
	}
	return e.device != nil
}

// fitting returns the rows that would take the topic if they were alone, in order.
func (e *explanation) fitting(d config.Driver, topic string) (rows []string) {
	for m := range slices.Chunk(d.MQTTDevices, 1) {
		if _, _, _, err := mqtt.Explain(d.Name, m, topic); err == nil {
			rows = append(rows, "topic "+m[0].Topic+" of "+d.Name)
		}
	}
	return rows
}

// weigh works out what the sinks make of the readings, or where they would go.
func (e *explanation) weigh() error {
	readings := []protocol.Reading{{Device: e.device}}
	if e.result != nil {
		readings = e.result.batch.Readings
	}
	for _, s := range e.file.Sinks {
		for i := range readings {
			o, err := deliveredBy(e.file, s, &readings[i])
			if err != nil {
				return err
			}
			e.deliveries = append(e.deliveries, o)
		}
	}
	return nil
}
