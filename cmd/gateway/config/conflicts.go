package config

import (
	"cmp"
	"fmt"
	"maps"
	"net/url"
	"path/filepath"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"sluice/drivers/mqtt"
	"sluice/sink"
	"sluice/sink/lineproto"
	"sluice/sink/nats"
)

// reserved are the names that templates know without a tag. They never change.
var reserved = []string{"gateway", "device", "profile", "driver"}

// conflicts reports drivers that would take a port or a session from another. It
// returns who owns what.
func (p *parser) conflicts(drivers *yaml.Node, f *File) (owners map[string]string) {
	owners = make(map[string]string)
	for _, d := range f.Drivers {
		field, key, problem := claim(f.Gateway, d)
		if key == "" || p.skip && p.anyIn(child(drivers, d.Name), p.isExpanded) {
			continue
		}
		if owner, taken := owners[key]; taken {
			p.finding(drivers, "drivers.", d.Name+"."+field, fmt.Sprintf(problem, owner))
			continue
		}
		owners[key] = "driver " + d.Name
	}
	return owners
}

// sessions reports sinks that would take a session from a driver or from another
// sink.
func (p *parser) sessions(sinks *yaml.Node, f *File, owners map[string]string) {
	for _, s := range f.Sinks {
		if s.MQTT == nil || s.MQTT.URL == "" || p.skip && p.anyIn(child(sinks, s.Name), p.isExpanded) {
			continue
		}
		key := session(f.Gateway, s.Name, s.MQTT.URL, s.MQTT.ClientID)
		if owner, taken := owners[key]; taken {
			p.finding(sinks, "sinks.", s.Name+".mqtt.client_id", fmt.Sprintf(sessionTaken, owner))
			continue
		}
		owners[key] = "sink " + s.Name
	}
}

const sessionTaken = "is the one of %s on the same broker, which serves only one of them at a time"

// session is the key of a connection to a broker, for comparison.
func session(gateway, name, url, id string) string {
	return "mqtt " + broker(url) + " " + cmp.Or(id, "sluice-"+gateway+"-"+name)
}

// claim returns what d must have for itself: its field, a key for comparison
// and what to say when another driver has it.
func claim(gateway string, d Driver) (field, key, problem string) {
	switch {
	case d.MQTT != nil && d.MQTT.URL != "":
		return "mqtt.client_id", session(gateway, d.Name, d.MQTT.URL, d.MQTT.ClientID), sessionTaken
	case d.Serial != nil && d.Serial.Port != "":
		return "serial.port", "serial " + filepath.Clean(d.Serial.Port),
			"is the port of %s already"
	case d.Modbus != nil && d.Modbus.Port != "":
		return "modbus.port", "serial " + filepath.Clean(d.Modbus.Port),
			"is the port of %s already"
	}
	return "", "", ""
}

// broker returns the host and port of a URL in a form that compares.
func broker(text string) string {
	u, err := url.Parse(text)
	if err != nil {
		return text
	}
	port := u.Port()
	if port == "" {
		ports := map[string]string{"ws": "80", "wss": "443", "mqtts": "8883", "ssl": "8883", "tls": "8883"}
		port = cmp.Or(ports[strings.ToLower(u.Scheme)], "1883")
	}
	return strings.ToLower(u.Hostname()) + ":" + port
}

// heirs reports sinks that would take over a place which is not theirs to take.
func (p *parser) heirs(sinks *yaml.Node, f *File) {
	heir := make(map[string]string)
	for _, s := range f.Sinks {
		was := s.Delivery.Was
		problem := ""
		switch other, taken := heir[was]; {
		case was == "":
			continue
		case !isName(was):
			problem = fmt.Sprintf("is %s, want %s", quote(was), nameRule)
		case slices.ContainsFunc(f.Sinks, func(o Sink) bool { return o.Name == was }):
			problem = fmt.Sprintf("is %s, a sink of this file: want the name that %s had before", quote(was), s.Name)
		case taken:
			problem = fmt.Sprintf("is %s, whose place sink %s takes over already", quote(was), other)
		}
		if problem != "" {
			p.finding(sinks, "sinks.", s.Name+".was", problem)
		}
		heir[was] = s.Name
	}
}

// fallbacks reports sinks that fall back to what is no fallback, and fallbacks that
// are more than that, or nobody's.
func (p *parser) fallbacks(sinks *yaml.Node, f *File) {
	only, used := make(map[string]bool), make(map[string]bool)
	for _, s := range f.Sinks {
		only[s.Name] = s.Delivery.Only == "fallback"
		used[s.Delivery.Fallback] = true
	}
	for _, s := range f.Sinks {
		to := s.Delivery.Fallback
		problem, field := "", ".fallback"
		switch isOnly, known := only[to]; {
		case only[s.Name] && to != "":
			problem = "stands on a sink that is a fallback itself"
		case only[s.Name] && !used[s.Name]:
			problem, field = "is fallback, but no sink names it as its fallback", ".only"
		case to == "":
		case !known:
			problem = fmt.Sprintf("is %s, but there is no such sink%s", quote(to), hint(to, sortedKeys(only)))
		case !isOnly:
			problem = fmt.Sprintf("is %s, a sink with readings of its own: give it 'only: fallback'", quote(to))
		}
		if problem != "" {
			p.finding(sinks, "sinks.", s.Name+field, problem)
		}
	}
}

// hint names what is near, to be added to a problem.
func hint(name string, known []string) string {
	if near := nearest(name, known); len(near) > 0 {
		return "; " + didYouMean(near)
	}
	return ""
}

// sharedFiles reports sinks and traces that would write to the file of another.
func (p *parser) sharedFiles(drivers, sinks *yaml.Node, f *File) {
	owners := make(map[string]string)
	for _, d := range f.Drivers {
		p.traced(drivers, d, owners)
	}
	for _, s := range f.Sinks {
		if s.File == nil || s.File.Path == "" || p.skip && p.anyIn(child(sinks, s.Name), p.isExpanded) {
			continue
		}
		path := filepath.Clean(strings.ReplaceAll(s.File.Path, "{gateway}", f.Gateway))
		if owner, taken := owners[path]; taken {
			p.finding(sinks, "sinks.", s.Name+".file.path", "is the file of "+owner+" already")
			continue
		}
		owners[path] = "sink " + s.Name
	}
}

// traced reports a driver that would record its traffic in the file of another.
func (p *parser) traced(drivers *yaml.Node, d Driver, owners map[string]string) {
	kind, trace := "", ""
	switch {
	case d.Serial != nil:
		kind, trace = "serial", d.Serial.Trace
	case d.Modbus != nil:
		kind, trace = "modbus", d.Modbus.Trace
	}
	if trace == "" || p.skip && p.anyIn(child(drivers, d.Name), p.isExpanded) {
		return
	}
	if owner, taken := owners[trace]; taken {
		p.finding(drivers, "drivers.", d.Name+"."+kind+".trace", "is the file of "+owner+" already")
		return
	}
	owners[trace] = "driver " + d.Name
}

// templates reports names in the sinks' templates that no device can fill.
func (p *parser) templates(sinks *yaml.Node, f *File) {
	names := slices.Concat(reserved, tagNames(f.Devices))
	check := func(field, text string) {
		t, err := sink.ParseTemplate(text)
		if err != nil {
			return // the sink's own Validate has reported it
		}
		for _, name := range t.Names() {
			if !slices.Contains(names, name) {
				p.finding(sinks, "sinks.", field, unfilled(name, names))
			}
		}
	}
	for _, s := range f.Sinks {
		switch {
		case s.NATS != nil:
			natsTemplates(s.Name+".nats.", s.NATS, check)
		case s.Influx != nil:
			lineTemplates(s.Name+".influx.", &s.Influx.Format, check)
		case s.MQTT != nil:
			check(s.Name+".mqtt.topic", s.MQTT.Topic)
		case s.File != nil:
			lineTemplates(s.Name+".file.line.", &s.File.Line, check)
		}
	}
}

func natsTemplates(prefix string, c *nats.Config, check func(field, text string)) {
	check(prefix+"subject", c.Subject)
}

func lineTemplates(prefix string, f *lineproto.Format, check func(field, text string)) {
	check(prefix+"measurement", f.Measurement)
	for _, key := range sortedKeys(f.Tags) {
		check(prefix+"tags."+key, f.Tags[key])
	}
}

// tagNames returns the names of all tags that rows set or topics capture. A
// captured {device} or {metric} is no tag.
func tagNames(devices []Device) []string {
	names := make(map[string]bool)
	for _, d := range devices {
		for _, t := range d.Tags {
			names[t.Key] = true
		}
		if pattern, err := mqtt.ParsePattern(d.Topic); err == nil {
			for _, c := range pattern.Captures() {
				names[c] = true
			}
		}
	}
	delete(names, "device")
	delete(names, "metric")
	return sortedKeys(names)
}

func unfilled(name string, known []string) string {
	problem := fmt.Sprintf("uses {%s}, but no topic captures and no tag has that name", name)
	if near := nearest(name, known); len(near) > 0 {
		return problem + "; " + didYouMean(near)
	}
	return problem + ", want " + oneOf(known)
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
