package main

import (
	"slices"
	"strings"

	"sluice/cmd/gateway/config"
	"sluice/drivers/mqtt"
	"sluice/protocol"
)

// goneDevices returns what says of a device that no row of the file has it. Of what a
// topic captures that is said by driver, profile and tags: which devices are there is
// not known before they are heard.
func goneDevices(f *config.File) func(*protocol.Device) bool {
	rows := map[string]bool{}
	for _, d := range namedDevices(f) {
		rows[identityOf(d)] = true
	}
	for _, d := range f.Drivers {
		for _, row := range d.MQTTDevices {
			if !row.Fixed() {
				rows[rowOf(d.Name, row)] = true
			}
		}
	}
	return func(d *protocol.Device) bool {
		var keys []string
		for _, t := range d.Tags {
			keys = append(keys, t.Key)
		}
		return !rows[identityOf(d)] && !rows[kindOf(d.Driver, d.Profile, keys)] && !rows[kindOf(d.Driver, d.Profile, []string{anyTags})]
	}
}

// anyTags stands for the tags of devices that messages name. No tag is called that.
const anyTags = "\x00"

// rowOf returns what the devices have in common that a row's topic captures.
func rowOf(driver string, row mqtt.Device) string {
	if row.Decode.Decode.NamesDevices() {
		return kindOf(driver, row.Profile, []string{anyTags})
	}
	var keys []string
	for _, t := range row.Tags {
		keys = append(keys, t.Key)
	}
	pattern, _ := mqtt.ParsePattern(row.Topic) // validated
	for _, name := range pattern.Captures() {
		if name != "device" && name != "metric" {
			keys = append(keys, name)
		}
	}
	return kindOf(driver, row.Profile, keys)
}

func kindOf(driver, profile string, keys []string) string {
	slices.Sort(keys)
	return "of\x00" + driver + "\x00" + profile + "\x00" + strings.Join(keys, "\x00")
}

func identityOf(d *protocol.Device) string {
	words := []string{"is", d.Driver, d.Profile, d.Name}
	for _, t := range d.Tags {
		words = append(words, t.Key, t.Value)
	}
	return strings.Join(words, "\x00")
}
