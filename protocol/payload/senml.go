package payload

import (
	"encoding/base64"

	"sluice/protocol"
	"sluice/protocol/payload/plain"
)

// senmlVersion is the newest version of SenML that is understood.
const senmlVersion = 10

// relativeBelow is how many seconds a time may have that is relative to now.
const relativeBelow = 1 << 28

// senml reads a pack of SenML (RFC 8428), in JSON or CBOR. Its records have their
// base fields resolved, and those of one time become one reading.
type senml struct {
	plan
	places map[string][]int // of the rules, by the name that they are for; not changed
	doc    document
	names  plain.Words
	units  plain.Words
	name   []byte // of the record being looked at
	local  int    // where the record's own part of it begins
	text   []byte // the text of the value being looked at
	unitOf []byte // the unit of the record being looked at
	free   rule   // of what is reported as it was sent

	// Of the pack being decoded.
	batch   *protocol.Batch
	message Message
	first   int // its first reading
	count   int // metrics in its readings
	base    senmlBase
}

// senmlBase is what holds for a record and those that follow it.
type senmlBase struct {
	name, unit       []byte
	time             protocol.Timestamp
	value, sum       scalar
	hasValue, hasSum bool
}

func newSenML(p plan) *senml {
	d := &senml{plan: p, places: map[string][]int{}, names: plain.Words{Most: keptNames}}
	for i := range p.rules {
		name := p.rules[i].path.text
		d.places[name] = append(d.places[name], i)
	}
	return d
}

// Decode implements Decoder.
func (d *senml) Decode(b *protocol.Batch, m Message) error {
	if err := oversized(m.Payload); err != nil {
		return err
	}
	d.name, d.text = again(d.name), again(d.text)
	d.names.Next()
	d.units.Next()
	if err := d.doc.parse(m.Payload, senmlForm(m.Payload)); err != nil {
		return err
	}
	d.batch, d.message, d.first, d.count = b, m, len(b.Readings), 0
	d.base = senmlBase{name: again(d.base.name), unit: again(d.base.unit)}
	err := d.pack()
	d.batch, d.message, d.doc.src = nil, Message{}, nil
	return d.settle(b, d.first, err)
}

// senmlForm tells JSON from CBOR: an array of CBOR begins with 0x80 or more, or
// with a tag.
func senmlForm(pack []byte) form {
	if len(pack) > 0 && pack[0] >= 0x80 {
		return formCBOR
	}
	return formJSON
}

func (d *senml) pack() *protocol.Refusal {
	if d.doc.nodes[0].kind != arrayNode {
		return protocol.Refuse("syntax", "want an array of records, found %s", d.doc.excerpt(0))
	}
	for n := d.doc.firstOf(0); n < d.doc.endOf(0); n = d.doc.nextOf(0, n) {
		var r senmlRecord
		if err := r.collect(&d.doc, n); err != nil {
			return err
		}
		if err := d.rebase(&r); err != nil {
			return err
		}
		if err := d.record(&r); err != nil {
			return err
		}
	}
	return nil
}

// rebase takes over the base fields of a record.
func (d *senml) rebase(r *senmlRecord) *protocol.Refusal {
	if n := r.at(senmlBaseVersion); n > 0 {
		version, ok := d.scalar(n).decimal()
		if v, whole := version.uint(); !ok || !whole || v > senmlVersion {
			return protocol.Refuse("kind", "want SenML of a version up to %d, found %s", senmlVersion, d.doc.excerpt(n))
		}
	}
	if n := r.at(senmlBaseName); n > 0 {
		d.base.name = d.doc.appendText(again(d.base.name), n)
	}
	if n := r.at(senmlBaseUnit); n > 0 {
		d.base.unit = d.doc.appendText(again(d.base.unit), n)
	}
	if len(d.base.name) > maxName || len(d.base.unit) > maxName {
		return protocol.Refuse("size", "base name or unit beyond %d bytes: %s", maxName, d.doc.excerpt(r.node))
	}
	if n := r.at(senmlBaseTime); n > 0 {
		var err *protocol.Refusal
		if d.base.time, err = d.seconds(n); err != nil {
			return err
		}
	}
	if n := r.at(senmlBaseValue); n > 0 {
		d.base.value, d.base.hasValue = d.scalar(n), true
	}
	if n := r.at(senmlBaseSum); n > 0 {
		d.base.sum, d.base.hasSum = d.scalar(n), true
	}
	return nil
}

// scalar returns the value at node n, numbers for good and others until the
// next one.
func (d *senml) scalar(n int) scalar { return d.doc.scalar(n, &d.text) }

// seconds reads a time in seconds.
func (d *senml) seconds(n int) (protocol.Timestamp, *protocol.Refusal) {
	s, ok := d.scalar(n).decimal()
	if ok {
		var at protocol.Timestamp
		if at, ok = s.nanoseconds(9); ok {
			return at, nil
		}
	}
	return 0, protocol.Refuse("time", "want a time in the years 1678 to 2262, found %s", d.doc.excerpt(n))
}

// time returns the time of a record, 0 when that is now.
func (d *senml) time(r *senmlRecord) (protocol.Timestamp, *protocol.Refusal) {
	at := d.base.time
	if n := r.at(senmlTime); n > 0 {
		own, err := d.seconds(n)
		if err != nil {
			return 0, err
		}
		sum := at + own
		if (sum > at) != (own > 0) && own != 0 {
			return 0, protocol.Refuse("time", "the time lies outside the years 1678 to 2262: %s", d.doc.excerpt(n))
		}
		at = sum
	}
	if at == 0 || at >= relativeBelow*1e9 {
		return at, nil
	}
	return d.message.Received + at, nil
}

// record appends the metrics of a record: its value and its sum.
func (d *senml) record(r *senmlRecord) *protocol.Refusal {
	value, hasValue, err := d.value(r)
	if err != nil {
		return err
	}
	sum := r.at(senmlSum)
	hasSum := sum > 0 || d.base.hasSum && !r.onlyBase
	if !hasValue && !hasSum {
		return nil
	}
	if err := d.resolve(r); err != nil {
		return err
	}
	at, err := d.time(r)
	if err != nil {
		return err
	}
	unit := d.unit(r, "")
	if hasValue {
		if err := d.add(at, value, unit); err != nil {
			return err
		}
	}
	if !hasSum {
		return nil
	}
	if unit != "" {
		unit = d.unit(r, "·s")
	}
	d.name = append(d.name, "_sum"...)
	return d.add(at, d.plus(d.base.sum, d.base.hasSum, sum), unit)
}

// value returns the one value of a record, and false when it has none.
func (d *senml) value(r *senmlRecord) (s scalar, ok bool, err *protocol.Refusal) {
	for _, field := range [...]int{senmlValue, senmlText, senmlBool, senmlData} {
		n := r.at(field)
		if n == 0 {
			continue
		}
		if ok {
			return s, false, protocol.Refuse("syntax", "want one value in a record, found more: %s", d.doc.excerpt(r.node))
		}
		ok = true
		switch {
		case field == senmlValue:
			s = d.plus(d.base.value, d.base.hasValue, n)
		case field == senmlData && d.doc.nodes[n].kind == textNode:
			if s, err = d.data(n); err != nil {
				return s, false, err
			}
		default:
			s = d.scalar(n)
		}
	}
	if !ok && d.base.hasValue && !r.onlyBase {
		return d.base.value, true, nil
	}
	return s, ok, nil
}

// data reads bytes that stand as base64 with the alphabet for URLs.
func (d *senml) data(n int) (scalar, *protocol.Refusal) {
	text := d.scalar(n).src
	for len(text) > 0 && text[len(text)-1] == '=' {
		text = text[:len(text)-1]
	}
	data, err := base64.RawURLEncoding.AppendDecode(nil, text)
	if err != nil {
		return scalar{}, protocol.Refuse("syntax", "want base64 for URLs, found %s", d.doc.excerpt(n))
	}
	return scalar{kind: bytesNode, src: data}, nil
}

// plus returns the sum of a base, if there is one, and the number at node n, if
// that is not 0.
func (d *senml) plus(base scalar, hasBase bool, n int) scalar {
	switch {
	case n == 0:
		return base
	case !hasBase:
		return d.scalar(n)
	}
	return sumOf(base, d.scalar(n))
}

// sumOf adds two numbers: in decimal digits as long as they fit, otherwise as
// floats.
func sumOf(s, t scalar) scalar {
	a, okA := s.decimal()
	b, okB := t.decimal()
	if okA && okB && !a.cut && !b.cut && a.digits <= mostExact && b.digits <= mostExact {
		digits, exp, ok := add(a.signed(), a.exp, term{b.signed(), b.exp})
		if ok && exp == int(int8(exp)) {
			return scalar{kind: decimalNode, num: uint64(digits), exp: int8(exp)}
		}
	}
	return floatScalar(s.near() + t.near())
}
