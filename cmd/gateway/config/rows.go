package config

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

// placed is a row of the device list, and how messages call it.
type placed struct {
	*yaml.Node
	name string
}

// rows returns the rows of the device list. One that speaks of several devices,
// by a list of names or a table, becomes as many.
func (d *deviceList) rows(list *yaml.Node) []placed {
	var rows []placed
	for i, n := range list.Content {
		name := fmt.Sprintf("device %d", i+1)
		if !d.expect(n, yaml.MappingNode, name) {
			d.astray = true
			continue
		}
		n = d.withDefaults(n)
		names, from := child(n, "device"), child(n, "from")
		switch {
		case from != nil && !d.bad[from]:
			rows = append(rows, d.table(n, from, name)...)
		case names != nil && names.Kind == yaml.SequenceNode:
			for _, one := range names.Content {
				rows = append(rows, placed{d.named(n, one), name})
			}
			if len(names.Content) == 0 {
				d.report(names, "%s device is an empty list, want names", name)
			}
		default:
			rows = append(rows, placed{n, name})
		}
	}
	return rows
}

// named returns a row for one of a list of names, which also stands for {device}
// in the row's topic.
func (d *deviceList) named(n, name *yaml.Node) *yaml.Node {
	row := d.with(n, "device", name)
	if topic := child(n, "topic"); topic != nil && topic.Kind == yaml.ScalarNode && name.Kind == yaml.ScalarNode {
		filled := *topic
		filled.Value = strings.ReplaceAll(topic.Value, "{device}", name.Value)
		d.files[&filled] = d.fileOf(topic)
		row = d.with(row, "topic", &filled)
	}
	return row
}

// rowDefaults notes what a driver says of its rows.
func (p *parser) rowDefaults(driver, path string, n *yaml.Node) {
	if n == nil || !p.expect(n, yaml.MappingNode, path) {
		return
	}
	var r row
	p.fields(n, path+".", reflect.ValueOf(&r).Elem())
	for _, key := range []string{"via", "device", "from"} {
		if c := child(n, key); c != nil {
			p.report(c, "%s.%s is for a row of devices alone", path, key)
			return
		}
	}
	p.defaults[driver] = n
}

// withDefaults returns a row with what its driver says of all its rows.
func (d *deviceList) withDefaults(n *yaml.Node) *yaml.Node {
	via := child(n, "via")
	if via == nil || d.defaults[via.Value] == nil {
		return n
	}
	return d.over(d.defaults[via.Value], n)
}

// with returns a copy of the mapping n in which a key has another value.
func (d *deviceList) with(n *yaml.Node, key string, value *yaml.Node) *yaml.Node {
	c := d.copyOf(n)
	for i := 0; i+1 < len(c.Content); i += 2 {
		if c.Content[i].Value == key {
			c.Content[i+1] = value
		}
	}
	return c
}

// without returns a copy of the mapping n without a key.
func (d *deviceList) without(n *yaml.Node, key string) *yaml.Node {
	c := d.copyOf(n)
	for i := 0; i+1 < len(c.Content); i += 2 {
		if c.Content[i].Value == key {
			c.Content = slices.Delete(c.Content, i, i+2)
			break
		}
	}
	return c
}

// over returns the mapping n on top of that below it: what n does not mention is
// as it is there, and a mapping in both is put together in the same way.
func (p *parser) over(below, n *yaml.Node) *yaml.Node {
	c := p.copyOf(n)
	for i := 0; i+1 < len(below.Content); i += 2 {
		key, value := below.Content[i], below.Content[i+1]
		at := -1
		for j := 0; j+1 < len(c.Content); j += 2 {
			if c.Content[j].Value == key.Value {
				at = j + 1
			}
		}
		switch {
		case at < 0:
			c.Content = append(c.Content, key, value)
		case c.Content[at].Kind == yaml.MappingNode && value.Kind == yaml.MappingNode && key.Value != "decode":
			c.Content[at] = p.over(value, c.Content[at])
		}
	}
	return c
}

// copyOf returns a copy of a mapping at the same place, of the same content.
func (p *parser) copyOf(n *yaml.Node) *yaml.Node {
	c := *n
	c.Content = append([]*yaml.Node(nil), n.Content...)
	if file, further := p.files[n]; further {
		p.files[&c] = file
	}
	if p.bad[n] {
		p.bad[&c] = true
	}
	if near := p.misspelt[n]; near != nil {
		p.misspelt[&c] = near
	}
	return &c
}
