package config

import (
	"fmt"
	"reflect"

	"go.yaml.in/yaml/v4"

	"sluice/pipeline"
	"sluice/protocol/payload"
)

// top is the file's outermost mapping. Sections whose keys the operator chooses
// are decoded key by key.
type top struct {
	Gateway  string          `yaml:"gateway"` // names this box in client ids, subjects and tags
	HTTP     HTTP            `yaml:"http"`
	Log      Log             `yaml:"log"`
	Reload   Reload          `yaml:"reload"`
	Drivers  *yaml.Node      `yaml:"drivers"`  // what talks to devices; the kind is the key
	Profiles *yaml.Node      `yaml:"profiles"` // what a device model reports
	Devices  *yaml.Node      `yaml:"devices"`  // which device is where
	Pipeline pipeline.Config `yaml:"pipeline"`
	Include  *yaml.Node      `yaml:"include"` // further files, or patterns such as devices/*.yaml, with more of drivers, profiles, devices and sinks
	Sinks    *yaml.Node      `yaml:"sinks"`   // where readings go, each with a cursor of its own
	Tests    []Case          `yaml:"tests"`   // messages and what has to come of them: gateway test tries them, the gateway itself does not
}

// file decodes the root mapping. The result is whole only when no problem has
// been reported.
func (p *parser) file(root *yaml.Node) *File {
	t := top{HTTP: DefaultHTTP(), Log: DefaultLog(), Pipeline: pipeline.DefaultConfig()}
	p.fields(root, "", reflect.ValueOf(&t).Elem())
	p.rebase(&t.Pipeline.Dir)
	p.gateway(root, t.Gateway)
	p.section(root, "http", &t.HTTP)
	p.section(root, "log", &t.Log)

	f := &File{Gateway: t.Gateway, HTTP: t.HTTP, Log: t.Log, Reload: t.Reload, Pipeline: t.Pipeline, Tests: t.Tests}
	p.cases(root, f.Tests)
	for _, e := range p.named(root, t.Drivers, "drivers", "is required: what talks to the devices") {
		f.Drivers = append(f.Drivers, p.driver(e))
	}
	f.Profiles = make(map[string]*payload.Profile)
	for _, e := range p.named(root, t.Profiles, "profiles", "") {
		f.Profiles[e.key.Value] = p.profile(e)
	}
	whole := p.devices(root, t.Devices, f)
	owners := p.conflicts(t.Drivers, f)
	p.section(root, "pipeline", &t.Pipeline)
	for _, e := range p.named(root, t.Sinks, "sinks", "is required: where the readings go") {
		f.Sinks = append(f.Sinks, p.sink(e))
	}
	p.sessions(t.Sinks, f, owners)
	p.heirs(t.Sinks, f)
	p.fallbacks(t.Sinks, f)
	p.sharedFiles(t.Drivers, t.Sinks, f)
	if whole {
		p.templates(t.Sinks, f)
	}
	return f
}

// section validates a section of the root that need not be in the file.
func (p *parser) section(root *yaml.Node, name string, c validator) {
	c.Validate(func(field, problem string) {
		p.finding(root, "", name+"."+field, problem)
	})
}

func (p *parser) gateway(root *yaml.Node, name string) {
	switch {
	case name == "":
		p.finding(root, "", "gateway", "is required: a name for this box")
	case !isName(name):
		p.finding(root, "", "gateway", fmt.Sprintf("is %s, want %s", quote(name), nameRule))
	}
}

func (p *parser) profile(e entry) *payload.Profile {
	profile := new(payload.Profile)
	path := "profiles." + e.key.Value
	p.decode(e.value, path, reflect.ValueOf(profile).Elem())
	p.validate(e.value, path+".", profile)
	p.unusualUnits(e.value, path, profile)
	p.checkReads(e.value, path+".", profile)
	return profile
}

// named returns the entries of a section whose keys are the operator's names.
// Without a word why it is required it need not be there.
func (p *parser) named(root, n *yaml.Node, section, required string) []entry {
	if n == nil {
		if required != "" {
			p.finding(root, "", section, required)
		}
		return nil
	}
	if !p.expect(n, yaml.MappingNode, section) {
		return nil
	}
	list := p.entries(n, section+".")
	if len(n.Content) == 0 {
		p.finding(root, "", section, "is empty, want at least one")
	}
	for _, e := range list {
		if !isName(e.key.Value) {
			p.report(e.key, "%s has the name %s, want %s", section, quote(e.key.Value), nameRule)
		}
	}
	return list
}

const nameRule = "letters, digits, - and _, a letter or digit first"

// isName reports whether s can stand in client ids, file names and subjects.
func isName(s string) bool {
	for i := range len(s) {
		switch c := s[i]; {
		case 'a' <= c|0x20 && c|0x20 <= 'z' || '0' <= c && c <= '9':
		case i > 0 && (c == '-' || c == '_'):
		default:
			return false
		}
	}
	return s != ""
}

// expect reports whether n is a container of that kind, and a problem if not.
func (p *parser) expect(n *yaml.Node, kind yaml.Kind, path string) bool {
	want := "a mapping"
	if kind == yaml.SequenceNode {
		want = "a list"
	}
	switch {
	case p.bad[n]:
		return false
	case isNull(n):
		p.report(n, "%s has no value, want %s", path, want)
		return false
	case n.Kind != kind:
		p.report(n, "%s is %s, want %s", path, found(n), want)
		return false
	}
	return true
}
