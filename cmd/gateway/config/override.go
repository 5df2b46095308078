package config

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"sluice/protocol/payload"
)

// override is what a row says in the place of its profile.
type override payload.Profile

// overridable are the keys of a profile, which a row may have too.
var overridable = keysOfType(reflect.TypeFor[override]())

// overridden returns the profile of a row that says a part of it itself: that of
// its name, with what the row says on top. Rows that say the same share one.
func (d *deviceList) overridden(n *yaml.Node, r row, prefix string) *payload.Profile {
	own := d.profileKeys(n)
	profile := d.namedProfile(r.Profile)
	if len(own.Content) == 0 || profile == nil {
		return profile
	}
	var key strings.Builder
	key.WriteString(r.Profile)
	spell(&key, own)
	if known, ok := d.variants[key.String()]; ok {
		return known
	}
	if d.anyIn(own, d.isBad) {
		return profile
	}
	before := len(d.problems)
	merged := d.over(d.profileNode(r.Profile), own)
	variant := new(payload.Profile)
	d.decode(merged, strings.TrimSpace(prefix), reflect.ValueOf(variant).Elem())
	d.validate(merged, prefix, variant)
	if len(d.problems) > before {
		variant = profile
	}
	d.variants[key.String()] = variant
	return variant
}

// profileKeys returns the part of a row that its profile has too.
func (p *parser) profileKeys(n *yaml.Node) *yaml.Node {
	own := p.copyOf(n)
	own.Content = nil
	for i := 0; i+1 < len(n.Content); i += 2 {
		if slices.Contains(overridable, n.Content[i].Value) {
			own.Content = append(own.Content, n.Content[i], n.Content[i+1])
		}
	}
	return own
}

// profileNode returns the mapping that a profile was decoded from.
func (d *deviceList) profileNode(name string) *yaml.Node {
	if n := child(d.profiles, name); n != nil {
		return n
	}
	b, _ := builtin(name)
	return newParser(name, Options{}).document([]byte(b.Text))
}

// spell writes what a node says, so that equal ones are equal.
func spell(to *strings.Builder, n *yaml.Node) {
	fmt.Fprintf(to, "%d%q", n.Kind, n.Value)
	for _, c := range n.Content {
		spell(to, c)
	}
	to.WriteByte(';')
}
