package main

import (
	"sluice/cmd/gateway/config"
	"sluice/pipeline"
	"sluice/protocol"
	"sluice/protocol/payload"
)

// namedDevices returns the devices that the file names one by one, as their drivers
// call them. Which others there are is known when they are heard.
func namedDevices(f *config.File) []*protocol.Device {
	var all []*protocol.Device
	for _, d := range f.Drivers {
		add := func(name, profile string, tags []protocol.Tag, decode *payload.Profile) {
			all = append(all, &protocol.Device{Name: name, Profile: profile, Driver: d.Name, Tags: tags, Reports: decode.Reports()})
		}
		for _, m := range d.MQTTDevices {
			if m.Fixed() {
				add(m.Name, m.Profile, m.Tags, m.Decode)
			}
		}
		for _, m := range d.SerialDevices {
			add(m.Name, m.Profile, m.Tags, m.Decode)
		}
		for _, m := range d.ModbusDevices {
			add(m.Name, m.Profile, m.Tags, m.Decode)
		}
	}
	return all
}

// goneDevices reports which devices are not there any more when the file after takes
// the place of the one before: those of drivers that are gone, and those that it
// named one by one.
func goneDevices(before, after *config.File) func(*protocol.Device) bool {
	type identity struct{ driver, name, profile string }
	of := func(d *protocol.Device) identity { return identity{d.Driver, d.Name, d.Profile} }
	drivers, was, is := map[string]bool{}, map[identity]bool{}, map[identity]bool{}
	for _, d := range after.Drivers {
		drivers[d.Name] = true
	}
	for _, d := range namedDevices(before) {
		was[of(d)] = true
	}
	for _, d := range namedDevices(after) {
		is[of(d)] = true
	}
	return func(d *protocol.Device) bool { return !drivers[d.Driver] || was[of(d)] && !is[of(d)] }
}

// deviceHealth is the devices in short. A device that is silent is no fault of the
// gateway's, which stays ready.
type deviceHealth struct {
	Known   int            `json:"known"`
	Silent  int            `json:"silent"`
	Offline int            `json:"offline"`
	Missed  []listedDevice `json:"missed,omitempty"` // some of the silent ones
}

// maxMissed bounds the devices that the health names.
const maxMissed = 20

func healthOfDevices(p *pipeline.Pipeline) deviceHealth {
	s := p.Presence(maxMissed)
	h := deviceHealth{Silent: s.Of("", pipeline.DeviceSilent), Offline: s.Of("", pipeline.DeviceOffline)}
	for _, state := range pipeline.PresenceStates() {
		h.Known += s.Of("", state)
	}
	for _, d := range s.Silent {
		h.Missed = append(h.Missed, newListedDevice(d))
	}
	return h
}
