package sml

import (
	"bytes"
	"math"

	"sluice/protocol"
)

// maxTimes is how many different times the entries of a list may have.
const maxTimes = 64

// answer is an SML_GetList.Res that is being read.
type answer struct {
	first  int // the index of its first reading
	device *protocol.Device
	when   protocol.Timestamp // of entries without a time of their own
	short  bool               // its powers are unsigned, whatever they say
}

// list reads an SML_GetList.Res.
func (d *Decoder) list(b *protocol.Batch, r *reader) {
	r.list(7, "SML_GetList.Res")
	r.skip(1) // client
	server := r.octets()
	r.skip(1) // name of the list
	a := answer{first: len(b.Readings), when: r.time(), short: shortSigned(server)}
	entries := r.next()
	if entries.kind != list {
		r.fail("want a list of values before byte %d", r.pos)
	}
	if r.err != nil {
		return
	}
	if d.entries += entries.count; d.entries > maxEntries {
		r.err = protocol.Refuse("size", "%d entries, want at most %d", d.entries, maxEntries)
		return
	}
	a.device = d.texts.device(server)
	for range entries.count {
		d.entry(b, r, &a)
	}
	r.skip(2) // signature and the gateway's time
	d.lists++
}

// entry reads an SML_ListEntry. One without a name or a value gives nothing.
func (d *Decoder) entry(b *protocol.Batch, r *reader, a *answer) {
	r.list(7, "an entry")
	name := r.octets()
	status := r.next()
	r.skip(status.count)
	when := r.time()
	unit, _ := r.unsigned()
	scaler := r.number()
	value := r.next()
	r.skip(value.count)
	r.skip(1) // signature
	if r.err != nil || len(name) == 0 {
		return
	}
	if when == 0 {
		when = a.when
	}
	if scaler < math.MinInt8 || scaler > math.MaxInt8 {
		r.fail("scaler %d of an entry before byte %d", scaler, r.pos)
		return
	}
	if a.short && unit == watt && value.kind == signed && len(value.data) <= 2 {
		value.kind = unsigned
	}
	if v := d.value(value, int(scaler)); !v.IsNull() {
		m := protocol.Metric{Name: d.texts.name(name, false), Value: v, Unit: unitOf(unit)}
		add(b, r, a, when, m)
	}
	if word, ok := status.word(); ok && status.kind == unsigned {
		add(b, r, a, when, protocol.Metric{Name: d.texts.name(name, true), Value: protocol.Uint(word)})
	}
}

// value returns what f holds; null when that is nothing or a list.
func (d *Decoder) value(f field, scaler int) protocol.Value {
	switch f.kind {
	case octets:
		if len(f.data) > 0 {
			return protocol.String(d.texts.octets(f.data))
		}
	case boolean:
		if len(f.data) == 1 {
			return protocol.Bool(f.data[0] != 0)
		}
	case signed:
		if n, ok := f.word(); ok {
			return protocol.Scaled(int64(n), scaler)
		}
	case unsigned:
		if n, ok := f.word(); ok {
			return scaled(n, scaler)
		}
	}
	return protocol.Value{}
}

// scaled returns n · 10^exp.
func scaled(n uint64, exp int) protocol.Value {
	switch {
	case n <= math.MaxInt64:
		return protocol.Scaled(int64(n), exp)
	case exp == 0:
		return protocol.Uint(n)
	case exp > 0:
		return protocol.Float(float64(n) * math.Pow10(exp))
	}
	return protocol.Float(float64(n) / math.Pow10(-exp))
}

// add appends m to the list's reading of that time. Of entries with one name
// and one time the first counts.
func add(b *protocol.Batch, r *reader, a *answer, when protocol.Timestamp, m protocol.Metric) {
	at := at(b, a, when)
	if at == nil {
		r.err = protocol.Refuse("size", "a list with more than %d times", maxTimes)
		return
	}
	for i := range at.Metrics {
		if at.Metrics[i].Name == m.Name {
			return
		}
	}
	at.Metrics = append(at.Metrics, m)
}

// at returns the list's reading of that time, and nil when there are too many.
func at(b *protocol.Batch, a *answer, when protocol.Timestamp) *protocol.Reading {
	for i := a.first; i < len(b.Readings); i++ {
		if b.Readings[i].SourceTime == when {
			return &b.Readings[i]
		}
	}
	if len(b.Readings)-a.first == maxTimes {
		return nil
	}
	reading := b.Add()
	reading.Device, reading.SourceTime = a.device, when
	return reading
}

// shortSigned reports whether a server id is of a DVS74 by DZG, which sends a
// power that takes 16 bits as a signed number of 16 bits. The maker names the
// serial numbers 42000000 to 48999999 and 55000000 to 58999999.
func shortSigned(server []byte) bool {
	if len(server) != 10 || !bytes.HasPrefix(server, []byte("\x0a\x01DZG\x00")) {
		return false
	}
	serial := uint32(server[6])<<24 | uint32(server[7])<<16 | uint32(server[8])<<8 | uint32(server[9])
	return serial >= 42000000 && serial < 49000000 || serial >= 55000000 && serial < 59000000
}
