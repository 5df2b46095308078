package pipeline

import (
	"fmt"

	"sluice/pipeline/journal"
	"sluice/protocol"
)

// decoder takes the records of one cursor apart, reading by reading. The same
// device keeps its pointer over segments, so that sinks can cache by it.
type decoder struct {
	segment    uint64 // of the dictionary
	generation uint64

	devices  []*protocol.Device // nil: declared in a record that was damaged
	metrics  []metricKey
	declared []bool // of metrics
	interned map[string]*protocol.Device
	texts    map[string]string // short values, which mostly come again

	r    reader
	rec  journal.Record
	base protocol.Timestamp
	at   uint64 // sequence of the next reading
}

const (
	// maxInterned bounds the devices remembered beyond one segment.
	maxInterned = 64 << 10

	// maxTexts and maxText bound the values remembered, in number and bytes.
	maxTexts, maxText = 1024, 64
)

func newDecoder() *decoder {
	return &decoder{interned: map[string]*protocol.Device{}, texts: map[string]string{}}
}

// begin takes up a record: its dictionary is learnt, its readings come from
// next. The record's payload must stay as it is until then.
func (d *decoder) begin(rec journal.Record) error {
	d.rec, d.at = rec, rec.Seq
	d.r = reader{b: rec.Payload}
	if v := d.r.byte(); v != payloadVersion {
		return fmt.Errorf("journal record has payload version %d, this gateway knows %d", v, payloadVersion)
	}
	if g := d.r.uvarint(); g != d.generation || rec.Segment != d.segment {
		d.devices, d.metrics, d.declared = d.devices[:0], d.metrics[:0], d.declared[:0]
		d.segment, d.generation = rec.Segment, g
	}
	d.learnDevices()
	d.learnMetrics()
	skipNotes(&d.r)
	d.base = protocol.Timestamp(d.r.fixed64())
	if d.r.bad {
		return errPayload
	}
	return nil
}

// next decodes the record's next reading into m and returns how many bytes it
// took. ok is false behind the last one. err says that this reading cannot be
// told from the damage before it; the next may be whole.
func (d *decoder) next(m *protocol.Reading) (size int, ok bool, err error) {
	if d.at >= d.rec.Seq+uint64(d.rec.Count) {
		return 0, false, nil
	}
	before := len(d.r.b)
	m.ID = protocol.ID{Epoch: d.rec.Epoch, Seq: d.at}
	d.at++
	device := d.r.uvarint()
	flags := d.r.byte()
	m.ReceivedTime = d.base + protocol.Timestamp(d.r.varint())
	if flags&readingHasSource != 0 {
		m.SourceTime = m.ReceivedTime + protocol.Timestamp(d.r.varint())
	}
	m.ClockUnset = flags&readingClockUnset != 0
	m.Skewed, m.Historical = flags&readingSkewed != 0, flags&readingHistorical != 0
	missing := false
	for range d.r.count() {
		id := d.r.uvarint()
		value, quality := d.r.value(d.text)
		if id >= uint64(len(d.metrics)) || !d.declared[id] {
			missing = true
			continue
		}
		k := d.metrics[id]
		m.Metrics = append(m.Metrics, protocol.Metric{Name: k.name, Unit: k.unit, Value: value, Quality: quality})
	}
	if d.r.bad || missing || device >= uint64(len(d.devices)) || d.devices[device] == nil {
		return 0, true, errPayload
	}
	m.Device = d.devices[device]
	return before - len(d.r.b), true, nil
}

// text returns b as a string that is made once for a value that comes again.
func (d *decoder) text(b []byte) string {
	if len(b) > maxText {
		return string(b)
	}
	if have, ok := d.texts[string(b)]; ok {
		return have
	}
	if len(d.texts) >= maxTexts {
		clear(d.texts)
	}
	s := string(b)
	d.texts[s] = s
	return s
}

func (d *decoder) learnDevices() {
	known := d.r.known(len(d.devices))
	for n := d.r.count(); n > 0 && !d.r.bad; n-- {
		d.devices = grow(d.devices, known)
		before := d.r.b
		device := d.device()
		d.devices = append(d.devices, d.intern(before[:len(before)-len(d.r.b)], device))
		known++
	}
}

func (d *decoder) device() protocol.Device {
	device := protocol.Device{Name: d.r.text(), Profile: d.r.text(), Driver: d.r.text()}
	if n := d.r.count(); n > 0 {
		device.Tags = make([]protocol.Tag, n)
		for i := range device.Tags {
			device.Tags[i] = protocol.Tag{Key: d.r.text(), Value: d.r.text()}
		}
	}
	return device
}

// intern returns the one pointer for the device that raw declares.
func (d *decoder) intern(raw []byte, device protocol.Device) *protocol.Device {
	if have, ok := d.interned[string(raw)]; ok {
		return have
	}
	if len(d.interned) >= maxInterned {
		clear(d.interned)
	}
	d.interned[string(raw)] = &device
	return &device
}

func (d *decoder) learnMetrics() {
	known := d.r.known(len(d.metrics))
	for n := d.r.count(); n > 0 && !d.r.bad; n-- {
		d.metrics, d.declared = grow(d.metrics, known), grow(d.declared, known)
		d.metrics = append(d.metrics, metricKey{name: d.r.text(), unit: d.r.text()})
		d.declared = append(d.declared, true)
		known++
	}
}

// maxDictionary bounds what a malformed record can make us reserve. A declaration
// takes some bytes, so no segment of the usual size holds more.
const maxDictionary = 256 << 10

// known reads how many entries were declared before, of which have are here.
func (r *reader) known(have int) uint64 {
	n := r.uvarint()
	if n > uint64(max(have, maxDictionary)) {
		r.fail()
		return 0
	}
	return n
}

// grow leaves room for entries whose declaration was damaged, or cuts back to n.
func grow[T any](s []T, n uint64) []T {
	if have := uint64(len(s)); have < n {
		s = append(s, make([]T, n-have)...)
	}
	return s[:n]
}

// skipNotes steps over a payload's notes.
func skipNotes(r *reader) {
	for n := r.count(); n > 0 && !r.bad; n-- {
		r.bytes(r.uvarint()) // driver
		r.byte()
		for range 2 { // acknowledged, kept
			r.bytes(originSize * uint64(r.count()))
		}
	}
}

// readNotes calls each for every note of a payload.
func readNotes(r *reader, each func(note)) {
	for n := r.count(); n > 0 && !r.bad; n-- {
		driver := r.text()
		lost := r.byte() != 0
		each(note{driver: driver, lost: lost, acked: r.origins(driver), kept: r.origins(driver)})
	}
}

func (r *reader) origins(driver string) []protocol.Origin {
	n := r.count()
	if n == 0 {
		return nil
	}
	list := make([]protocol.Origin, 0, min(n, len(r.b)/originSize))
	for ; n > 0 && !r.bad; n-- {
		list = append(list, protocol.Origin{Driver: driver, PacketID: r.fixed16(), Hash: r.fixed64()})
	}
	return list
}
