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
