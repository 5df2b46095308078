// Package config turns the operator's file into the components' own Config
// structs. It reports everything that is wrong with the file at once, each
// mistake with its line and column, what was meant and the nearest right word.
package config

import (
	"sluice/drivers/modbus"
	"sluice/drivers/mqtt"
	"sluice/drivers/serial"
	"sluice/pipeline"
	"sluice/protocol"
	"sluice/protocol/payload"
	"sluice/sink/file"
	"sluice/sink/influx"
	sinkmqtt "sluice/sink/mqtt"
	"sluice/sink/nats"
)

// File is a configuration in which every mistake that can be found without the
// real devices and servers has been ruled out. Drivers, devices and sinks stand
// in the order of the file; relative paths have been made relative to it.
type File struct {
	Gateway  string // names this box
	HTTP     HTTP
	Log      Log
	Reload   Reload
	Drivers  []Driver
	Profiles map[string]*payload.Profile
	Devices  []Device
	Pipeline pipeline.Config
	Sinks    []Sink
	Tests    []Case
	Warnings Problems // what works, and is better otherwise
	Files    []string // that it was read from, the main one first
}

// Driver is one instance that talks to devices, with its devices in the form
// that its constructor takes. Exactly one of MQTT, Serial and
// Modbus is set.
type Driver struct {
	Name string

	MQTT        *mqtt.Config
	MQTTDevices []mqtt.Device // at least one

	Serial        *serial.Config
	SerialDevices []serial.Device // at least one

	Modbus        *modbus.Config
	ModbusDevices []modbus.Device // at least one
}

// Device is one row of the device list: one device, or all that a topic
// captures.
type Device struct {
	Driver  string // the row's via
	Profile string
	Topic   string // MQTT only
	Name    string // "" when the topic captures {device}
	Tags    []protocol.Tag
}

// Sink is one place where readings go. Exactly one of NATS, Influx, MQTT and
// File is set.
type Sink struct {
	Name     string
	NATS     *nats.Config
	Influx   *influx.Config
	MQTT     *sinkmqtt.Config
	File     *file.Config
	Delivery pipeline.Delivery
}
