package payload

import (
	"bytes"

	"sluice/protocol"
)

// The fields of a SenML record, in the order of their numbers in CBOR, which
// begin with -6.
const (
	senmlBaseSum = iota
	senmlBaseValue
	senmlBaseUnit
	senmlBaseTime
	senmlBaseName
	senmlBaseVersion
	senmlName
	senmlUnit
	senmlValue
	senmlText
	senmlBool
	senmlSum
	senmlTime
	senmlUpdate
	senmlData
	senmlFields
)

// senmlLabels are the names of the fields in JSON.
var senmlLabels = [senmlFields]string{"bs", "bv", "bu", "bt", "bn", "bver", "n", "u", "v", "vs", "vb", "s", "t", "ut", "vd"}

// senmlRecord is where the fields of a record are.
type senmlRecord struct {
	node     int
	fields   [senmlFields]int32 // their nodes, 0 for one that is not there
	onlyBase bool               // it has base fields only, and so no value
}

// at returns the node of a field, 0 when the record has none.
func (r *senmlRecord) at(field int) int { return int(r.fields[field]) }

// collect finds the fields of the record at node n and checks their types. Fields
// that are not known are not looked at, unless they say that one has to.
func (r *senmlRecord) collect(d *document, n int) *protocol.Refusal {
	if d.nodes[n].kind != objectNode {
		return protocol.Refuse("syntax", "want a record, found %s", d.excerpt(n))
	}
	r.node, r.onlyBase = n, true
	for i := d.firstOf(n); i < d.endOf(n); i = d.nextOf(n, i) {
		field := senmlField(d, i-1)
		switch {
		case field < 0 && isDemanding(d, i-1):
			return protocol.Refuse("kind", "the field %s is not known and has to be understood", d.excerpt(i-1))
		case field < 0 || r.fields[field] != 0:
			continue
		case !fieldTakes(field, d.nodes[i].kind):
			return protocol.Refuse("syntax", "%s of a record cannot be %s", senmlLabels[field], d.excerpt(i))
		}
		r.fields[field] = int32(i)
		r.onlyBase = r.onlyBase && field <= senmlBaseVersion
	}
	return nil
}

// isDemanding reports whether the name of a field that is not known says that it
// has to be understood.
func isDemanding(d *document, n int) bool {
	switch at := &d.nodes[n]; {
	case at.kind != textNode:
		return false
	case at.pieces:
		return bytes.HasSuffix(d.appendText(nil, n), []byte("_"))
	}
	return bytes.HasSuffix(d.source(n), []byte("_"))
}

// senmlField returns the field that the member name at node n stands for, -1
// when it is not known.
func senmlField(d *document, n int) int {
	if at := &d.nodes[n]; at.kind == intNode {
		if i := int64(at.bits()) + senmlName; i >= 0 && i < senmlFields {
			return int(i)
		}
		return -1
	}
	for i, label := range senmlLabels {
		if d.named(n, label) {
			return i
		}
	}
	return -1
}

// fieldTakes reports whether a field may hold a value of kind k.
func fieldTakes(field int, k kind) bool {
	switch field {
	case senmlBaseName, senmlBaseUnit, senmlName, senmlUnit, senmlText:
		return k == textNode
	case senmlBool:
		return k == trueNode || k == falseNode
	case senmlData:
		return k == textNode || k == bytesNode
	}
	return k == numberNode || k == intNode || k == uintNode || k == floatNode || k == decimalNode || k == bigNode
}

// resolve sets the name of a record, and refuses one that has characters which
// are not allowed.
func (d *senml) resolve(r *senmlRecord) *protocol.Refusal {
	d.name = append(d.name[:0], d.base.name...)
	d.local = len(d.name)
	if n := r.at(senmlName); n > 0 {
		if len(d.doc.source(n)) > 6*maxName { // an escape takes at most 6 bytes
			return protocol.Refuse("size", "name beyond %d bytes: %s", maxName, d.doc.excerpt(n))
		}
		d.name = d.doc.appendText(d.name, n)
	}
	switch {
	case len(d.name) > maxName:
		return protocol.Refuse("size", "name of %d bytes, want at most %d: %s", len(d.name), maxName, excerpt(d.name))
	case !senmlNameable(d.name):
		return protocol.Refuse("syntax", "want a name of letters, digits and -:./_ that begins with one of the former, found %s", excerpt(d.name))
	}
	return nil
}

func senmlNameable(name []byte) bool {
	for i, c := range name {
		switch {
		case 'a' <= c|0x20 && c|0x20 <= 'z', '0' <= c && c <= '9':
		case i == 0 || bytes.IndexByte([]byte("-:./_"), c) < 0:
			return false
		}
	}
	return len(name) > 0
}

// unit returns the unit of a record followed by suffix, as people write it.
func (d *senml) unit(r *senmlRecord, suffix string) string {
	d.unitOf = append(again(d.unitOf), d.base.unit...)
	if n := r.at(senmlUnit); n > 0 {
		d.unitOf = d.doc.appendText(d.unitOf[:0], n)
	}
	if string(d.unitOf) == "Cel" {
		d.unitOf = append(d.unitOf[:0], "°C"...)
	}
	if len(d.unitOf) == 0 || len(d.unitOf) > maxName {
		return ""
	}
	unit := d.units.Get(append(d.unitOf, suffix...))
	return unit
}

// add appends the metrics that d.name means: those of the rules for it, as it is
// or without the base name, or what no rule mentions.
func (d *senml) add(at protocol.Timestamp, s scalar, unit string) *protocol.Refusal {
	places, ok := d.places[string(d.name)]
	if !ok {
		places, ok = d.places[string(d.name[d.local:])]
	}
	for _, i := range places {
		r := &d.rules[i]
		if d.message.Metric != "" && d.message.Metric != r.name {
			continue
		}
		if err := d.addAs(r, r.name, d.names.Take(r.name), at, s, unit); err != nil {
			return err
		}
	}
	switch {
	case ok || !d.keep:
		return nil
	case string(d.name) == unnamed && d.message.Metric != "":
		name := d.message.Metric
		return d.addAs(&d.free, name, d.names.Take(name), at, s, unit)
	}
	name, fresh := d.names.Use(d.name)
	return d.addAs(&d.free, name, fresh, at, s, unit)
}

// addAs appends a metric to the reading of its time. Its name is fresh when this
// message did not use it before.
func (d *senml) addAs(r *rule, name string, fresh bool, at protocol.Timestamp, s scalar, unit string) *protocol.Refusal {
	to, err := d.readingAt(at, name, fresh)
	if err != nil {
		return err
	}
	if err := r.addAs(name, to, s); err != nil {
		return d.spare(to, err)
	}
	d.count++
	if m := &to.Metrics[len(to.Metrics)-1]; m.Unit == "" {
		m.Unit = unit
	}
	return nil
}

// readingAt returns the reading of a time that has no metric called name yet; it
// cannot have one if the name is fresh.
func (d *senml) readingAt(at protocol.Timestamp, name string, fresh bool) (*protocol.Reading, *protocol.Refusal) {
	if d.count == maxMetrics {
		return nil, protocol.Refuse("size", "more than %d metrics", maxMetrics)
	}
	for i := len(d.batch.Readings) - 1; i >= d.first; i-- {
		if r := &d.batch.Readings[i]; r.SourceTime == at {
			if fresh || !has(r, name) {
				return r, nil
			}
			break
		}
	}
	r := begin(d.batch, d.message)
	r.SourceTime = at
	return r, nil
}

// has reports whether r has a metric called name.
func has(r *protocol.Reading, name string) bool {
	for i := range r.Metrics {
		if r.Metrics[i].Name == name {
			return true
		}
	}
	return false
}
