package pipeline

import (
	"encoding/binary"

	"sluice/protocol"
)

// encoder turns batches into the payloads of journal records. It remembers what
// the dictionary of the present segment holds.
type encoder struct {
	devices    map[*protocol.Device]uint64
	metrics    map[metricKey]uint64
	keys       []metricKey // of metrics, by number
	follows    []uint64    // number of the metric that last stood behind number n-1, at 0 of that which began a reading
	generation uint64      // of the dictionary

	newDevices, newMetrics, body []byte // parts of one payload, reused
	addedDevices, addedMetrics   uint64
}

type metricKey struct{ name, unit string }

func newEncoder() *encoder {
	return &encoder{devices: map[*protocol.Device]uint64{}, metrics: map[metricKey]uint64{}, follows: []uint64{0}}
}

// forget begins another dictionary, because a payload was not kept or a segment
// begins. Every payload names its dictionary's generation, so that a reader which
// missed the first one of a generation does not take numbers for what they were
// before.
func (e *encoder) forget() {
	clear(e.devices)
	clear(e.metrics)
	e.keys, e.follows = e.keys[:0], append(e.follows[:0], 0)
	e.generation++
}

// encode appends the payload of the entries' readings and the notes to dst.
func (e *encoder) encode(dst []byte, entries []entry, notes []note) []byte {
	e.newDevices, e.newMetrics, e.body = e.newDevices[:0], e.newMetrics[:0], e.body[:0]
	e.addedDevices, e.addedMetrics = 0, 0
	knownDevices, knownMetrics := uint64(len(e.devices)), uint64(len(e.metrics))
	base := e.readings(entries)

	dst = append(dst, payloadVersion)
	dst = binary.AppendUvarint(dst, e.generation)
	dst = binary.AppendUvarint(dst, knownDevices)
	dst = binary.AppendUvarint(dst, e.addedDevices)
	dst = append(dst, e.newDevices...)
	dst = binary.AppendUvarint(dst, knownMetrics)
	dst = binary.AppendUvarint(dst, e.addedMetrics)
	dst = append(dst, e.newMetrics...)
	dst = appendNotes(dst, notes)
	dst = binary.LittleEndian.AppendUint64(dst, uint64(base))
	return append(dst, e.body...)
}

// readings encodes all readings to body and returns the time that theirs are
// relative to.
func (e *encoder) readings(entries []entry) (base protocol.Timestamp) {
	for i := range entries {
		if entries[i].duplicate {
			continue
		}
		readings := entries[i].batch.Readings
		for k := range readings {
			if len(e.body) == 0 {
				base = readings[k].ReceivedTime
			}
			e.reading(&readings[k], base)
		}
	}
	return base
}

func (e *encoder) reading(r *protocol.Reading, base protocol.Timestamp) {
	b := binary.AppendUvarint(e.body, e.device(r.Device))
	flags := byte(0)
	if r.SourceTime != 0 {
		flags |= readingHasSource
	}
	if r.ClockUnset {
		flags |= readingClockUnset
	}
	if r.Skewed {
		flags |= readingSkewed
	}
	if r.Historical {
		flags |= readingHistorical
	}
	b = binary.AppendVarint(append(b, flags), int64(r.ReceivedTime-base))
	if r.SourceTime != 0 {
		b = binary.AppendVarint(b, int64(r.SourceTime-r.ReceivedTime))
	}
	b = binary.AppendUvarint(b, uint64(len(r.Metrics)))
	before := uint64(0)
	for i := range r.Metrics {
		m := &r.Metrics[i]
		id := e.metric(before, m)
		b, before = binary.AppendUvarint(b, id), id+1
		b = appendValue(b, m.Value, m.Quality)
	}
	e.body = b
}

// device returns the number of d in the dictionary, adding it if need be.
func (e *encoder) device(d *protocol.Device) uint64 {
	id, known := e.devices[d]
	if known {
		return id
	}
	id = uint64(len(e.devices))
	e.devices[d] = id
	e.addedDevices++
	b := appendText(e.newDevices, d.Name)
	b = appendText(b, d.Profile)
	b = appendText(b, d.Driver)
	b = binary.AppendUvarint(b, uint64(len(d.Tags)))
	for _, t := range d.Tags {
		b = appendText(appendText(b, t.Key), t.Value)
	}
	e.newDevices = b
	return id
}

// metric returns the number of m in the dictionary, adding it if need be. Mostly
// the metric behind another is the same as last time, and comparing is cheaper
// than looking up.
func (e *encoder) metric(before uint64, m *protocol.Metric) uint64 {
	if guess := e.follows[before]; guess < uint64(len(e.keys)) {
		if k := &e.keys[guess]; k.name == m.Name && k.unit == m.Unit {
			return guess
		}
	}
	id := e.lookUp(metricKey{m.Name, m.Unit})
	e.follows[before] = id
	return id
}

func (e *encoder) lookUp(k metricKey) uint64 {
	id, known := e.metrics[k]
	if known {
		return id
	}
	id = uint64(len(e.metrics))
	e.metrics[k] = id
	e.keys, e.follows = append(e.keys, k), append(e.follows, 0)
	e.addedMetrics++
	e.newMetrics = appendText(appendText(e.newMetrics, k.name), k.unit)
	return id
}

func appendNotes(dst []byte, notes []note) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(notes)))
	for _, n := range notes {
		dst = appendText(dst, n.driver)
		lost := byte(0)
		if n.lost {
			lost = 1
		}
		dst = append(dst, lost)
		dst = appendOrigins(dst, n.acked)
		dst = appendOrigins(dst, n.kept)
	}
	return dst
}

func appendOrigins(dst []byte, origins []protocol.Origin) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(origins)))
	for _, o := range origins {
		dst = binary.LittleEndian.AppendUint16(dst, o.PacketID)
		dst = binary.LittleEndian.AppendUint64(dst, o.Hash)
	}
	return dst
}
