package config

import (
	"fmt"
	"maps"
	"slices"

	"go.yaml.in/yaml/v4"

	"sluice/drivers/mqtt"
	"sluice/protocol"
	"sluice/protocol/payload"
)

// checkReads reports commands that read a metric which the profile's devices never
// report, as far as the profile lists what they do.
func (p *parser) checkReads(n *yaml.Node, prefix string, profile *payload.Profile) {
	metrics := sortedKeys(profile.Metrics)
	starred := slices.ContainsFunc(metrics, func(name string) bool { return slices.Contains([]byte(name), '*') })
	if len(metrics) == 0 || profile.Others == "keep" || starred {
		return
	}
	for _, name := range sortedKeys(profile.Commands) {
		if reads := profile.Commands[name].Reads; reads != "" && !slices.Contains(metrics, reads) {
			p.finding(n, prefix, "commands."+name+".reads", unknownName(reads, "metric", metrics))
		}
	}
}

// checkCommands reports what the commands of a row's profile need that the row
// does not have: another kind of driver, or a name that stands for something.
func (d *deviceList) checkCommands(r row, driver *Driver, profile *payload.Profile, tags []protocol.Tag, report func(field, problem string)) {
	if profile == nil {
		return
	}
	way := payload.WayTopic
	switch {
	case driver.Serial != nil:
		way = payload.WayRequest
	case driver.Modbus != nil:
		way = payload.WayRegister
	}
	names := commandNames(r, way, tags)
	for _, name := range slices.Sorted(maps.Keys(profile.Commands)) {
		c := profile.Commands[name]
		switch c.Way() {
		case payload.WayNone: // that was said
		case way:
			d.checkNames(r.Profile, name, &c, names, report)
		default:
			report("profile", fmt.Sprintf("is %s, whose command %s wants %s driver", quote(r.Profile), name, driverOfWay[c.Way()]))
		}
	}
}

// driverOfWay is the kind of driver that sends a command.
var driverOfWay = [...]string{payload.WayTopic: "an mqtt", payload.WayRequest: "a serial", payload.WayRegister: "a modbus"}

// commandNames returns what may stand in braces in the commands of a row's
// devices.
func commandNames(r row, way payload.Way, tags []protocol.Tag) []string {
	if way == payload.WayRequest {
		return []string{payload.ValueName, payload.UnitName}
	}
	names := []string{payload.ValueName, payload.DeviceName}
	for _, t := range tags {
		names = append(names, t.Key)
	}
	pattern, err := mqtt.ParsePattern(r.Topic)
	if err != nil {
		return names // that was said
	}
	for _, captured := range pattern.Captures() {
		if captured != payload.DeviceName && captured != "metric" {
			names = append(names, captured)
		}
	}
	return names
}

// checkNames reports what stands in braces in a command and for nothing.
func (d *deviceList) checkNames(profile, command string, c *payload.Command, known []string, report func(field, problem string)) {
	for _, of := range []struct{ field, text string }{{"topic", c.Topic}, {"payload", c.Payload}, {"request", c.Request}, {"expect", c.Expect}} {
		for _, name := range payload.ParseTemplate(of.text).Names() {
			if slices.Contains(known, name) {
				continue
			}
			hint := ", want " + oneOf(braced(known))
			if near := nearest(name, known); len(near) > 0 {
				hint = "; " + didYouMean(braced(near))
			}
			report("profile", fmt.Sprintf("is %s, whose command %s has {%s} in its %s, which stands for nothing here%s",
				quote(profile), command, name, of.field, hint))
		}
	}
}

func braced(names []string) []string {
	var list []string
	for _, name := range names {
		list = append(list, "{"+name+"}")
	}
	return list
}
