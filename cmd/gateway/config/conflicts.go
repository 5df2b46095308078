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

// conflicts reports drivers that would take a port or a session from another.
func (p *parser) conflicts(drivers *yaml.Node, f *File) {
	owners := make(map[string]string)
	for _, d := range f.Drivers {
		field, key, problem := claim(f.Gateway, d)
		if key == "" || p.skip && p.anyIn(child(drivers, d.Name), p.isExpanded) {
			continue
		}
		if owner, taken := owners[key]; taken {
			p.finding(drivers, "drivers.", d.Name+"."+field, fmt.Sprintf(problem, owner))
			continue
		}
		owners[key] = d.Name
	}
}

// claim returns what d must have for itself: its field, a key for comparison
// and what to say when another driver has it.
func claim(gateway string, d Driver) (field, key, problem string) {
	switch {
	case d.MQTT != nil && d.MQTT.URL != "":
		id := cmp.Or(d.MQTT.ClientID, "sluice-"+gateway+"-"+d.Name)
		return "mqtt.client_id", "mqtt " + broker(d.MQTT.URL) + " " + id,
			"is the one of driver %s on the same broker, which serves only one of them at a time"
	case d.Serial != nil && d.Serial.Port != "":
		return "serial.port", "serial " + filepath.Clean(d.Serial.Port),
			"is the port of driver %s already"
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

// sharedFiles reports sinks that would write to the file of another.
func (p *parser) sharedFiles(sinks *yaml.Node, f *File) {
	owners := make(map[string]string)
	for _, s := range f.Sinks {
		if s.File == nil || s.File.Path == "" || p.skip && p.anyIn(child(sinks, s.Name), p.isExpanded) {
			continue
		}
		path := filepath.Clean(strings.ReplaceAll(s.File.Path, "{gateway}", f.Gateway))
		if owner, taken := owners[path]; taken {
			p.finding(sinks, "sinks.", s.Name+".file.path", "is the file of sink "+owner+" already")
			continue
		}
		owners[path] = s.Name
	}
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
