package sparkplug

import (
	"bytes"
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protowire"

	"sluice/protocol"
)

// units are the properties by which makers state the unit, whatever their case.
var units = [...]string{"engUnit", "engUnits", "Engineering Unit", "Engineering Units", "unit", "units"}

// describe reads a set of properties: the unit, which m keeps from then on, and
// the quality, which is good where it is not stated.
func (v *stamped) describe(m *metric, src []byte) *protocol.Refusal {
	keys, values := fields{left: src}, fields{left: src}
	for keys.member(1) {
		if !values.member(2) {
			break
		}
		value, ok := property(values.text)
		switch {
		case !ok:
			return protocol.Refuse("syntax", "metric %s: a property is not well-formed", m.name)
		case value.part == stringPart && isUnit(keys.text):
			if !utf8.Valid(value.text) {
				return protocol.Refuse("utf8", "metric %s: its unit is not UTF-8", m.name)
			}
			if string(value.text) != m.unit && len(value.text) <= maxName {
				m.unit = string(value.text)
			}
			v.unit = m.unit
		case value.part <= longPart && value.part != noPart && bytes.EqualFold(keys.text, []byte("Quality")):
			v.quality = max(v.quality, quality(value.num))
		}
	}
	if keys.bad || values.bad {
		return protocol.Refuse("syntax", "metric %s: its properties are not well-formed", m.name)
	}
	return nil
}

// property reads the value of a property, which is nothing when it is null.
func property(src []byte) (raw, bool) {
	var r raw
	null := false
	f := fields{left: src}
	for f.next() {
		if f.num == 2 && f.typ == protowire.VarintType {
			null = f.val != 0
		}
		r.take(&f, 3, 8)
	}
	if null {
		r = raw{}
	}
	return r, !f.bad
}

func isUnit(key []byte) bool {
	for _, name := range units {
		if bytes.EqualFold(key, []byte(name)) {
			return true
		}
	}
	return false
}

// quality returns what the codes of the specification and of OPC say.
func quality(code uint64) protocol.Quality {
	const good, stale, bad = 192, 500, 0
	switch code {
	case good:
		return protocol.Good
	case stale, bad:
		return protocol.Bad
	}
	return protocol.Uncertain
}
