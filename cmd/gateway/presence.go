package main

import (
	"sluice/cmd/gateway/config"
	"sluice/pipeline"
	"sluice/protocol"
)

// reportRules returns what the profiles say of when readings are reported.
func reportRules(f *config.File) map[string]pipeline.Rules {
	rules := map[string]pipeline.Rules{}
	for name, p := range f.Profiles {
		if p.Report != nil || p.StaleAfter > 0 {
			rules[name] = pipeline.Rules{Report: p.Report, Metrics: p.Reports(), StaleAfter: p.StaleAfter}
		}
	}
	return rules
}

// namedDevices returns the devices that the file names one by one, as their drivers
// call them. Which others there are is known when they are heard.
func namedDevices(f *config.File) []*protocol.Device {
	var all []*protocol.Device
	for _, d := range f.Drivers {
		add := func(name, profile string, tags []protocol.Tag) {
			all = append(all, &protocol.Device{Name: name, Profile: profile, Driver: d.Name, Tags: tags})
		}
		for _, m := range d.MQTTDevices {
			if m.Fixed() {
				add(m.Name, m.Profile, m.Tags)
			}
		}
		if d.SerialDevice != nil {
			add(d.SerialDevice.Name, d.SerialDevice.Profile, d.SerialDevice.Tags)
		}
		for _, m := range d.ModbusDevices {
			add(m.Name, m.Profile, m.Tags)
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
	Missed  []listedDevice `json:"missed,omitempty"` // of the silent ones, those first that fell silent last
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
