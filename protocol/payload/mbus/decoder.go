package mbus

import (
	"slices"
	"time"

	"sluice/protocol"
)

// The kinds of telegram, CI, that hold values; all others hold none. Those with
// the high byte first have bit 2 set.
const (
	errorCI       = 0x70
	longCI        = 0x72
	longCIHigh    = 0x76
	fixedCI       = 0x73
	fixedCIHigh   = 0x77
	headerlessCI  = 0x78
	shortHeaderCI = 0x7a
)

// Decoder reads the telegrams of M-Bus meters. It is owned by one goroutine.
type Decoder struct {
	config   Config
	telegram telegram
}

// telegram is what is being read, and room that is used again.
type telegram struct {
	texts     *texts
	zone      *time.Location
	bigEndian bool
	when      protocol.Timestamp
	more      bool

	identity [longHeader]byte
	turned   []byte // bytes in the other order
	buf      []byte // a text
	label    []byte
	name     []byte
}

// New returns a Decoder. An error says what is wrong with the zone.
func New(c Config) (*Decoder, error) {
	zone, err := c.zone()
	if err != nil {
		return nil, err
	}
	return &Decoder{config: c, telegram: telegram{texts: newTexts(), zone: zone}}, nil
}

// Decode appends the reading that the frame in message holds to b; on error b is
// as it was before. The error is a *protocol.Refusal: "kind" for a frame without
// values, such as an acknowledgement or an application error, and for one that
// is encrypted.
func (d *Decoder) Decode(b *protocol.Batch, message []byte) error {
	before := len(b.Readings)
	t := &d.telegram
	t.more, t.when = false, 0
	data, err := unframe(message)
	if err == nil {
		t.texts.next()
		err = d.read(b, data[0], data[1:])
	}
	if err == nil && len(b.Readings[before].Metrics) == 0 {
		err = protocol.Refuse("missing", "the telegram holds no value")
	}
	if err != nil {
		b.Readings = b.Readings[:before]
		return err
	}
	return nil
}

// More reports whether the last telegram that Decode has read said that the
// meter has more records, which it sends when it is asked again.
func (d *Decoder) More() bool { return d.telegram.more }

// read reads a telegram by its kind.
func (d *Decoder) read(b *protocol.Batch, ci byte, data []byte) *protocol.Refusal {
	t := &d.telegram
	t.bigEndian = ci == longCIHigh || ci == fixedCIHigh
	header := 0
	switch ci {
	case longCI, longCIHigh:
		header = longHeader
	case shortHeaderCI:
		header = shortHeader
	case headerlessCI:
	case fixedCI, fixedCIHigh:
		return t.fixed(b, data)
	case errorCI:
		return applicationError(data)
	default:
		return protocol.Refuse("kind", "a telegram of CI %02x", ci)
	}
	h, records, err := t.readHeader(data, header)
	if err != nil {
		return err
	}
	r := b.Add()
	if r.Device = t.texts.device(h.identity); header > 0 {
		t.addStatus(r, h.status)
	}
	err = d.records(r, records, qualityOf(h.status))
	r.SourceTime = t.when
	return err
}

// addStatus adds the status byte under its name.
func (t *telegram) addStatus(r *protocol.Reading, status byte) {
	t.name = append(t.name[:0], "status"...)
	name := t.texts.name(t.name)
	r.Metrics = append(r.Metrics, protocol.Metric{Name: name, Value: protocol.Uint(uint64(status))})
}

// records reads all records into r.
func (d *Decoder) records(r *protocol.Reading, data []byte, quality protocol.Quality) *protocol.Refusal {
	t := &d.telegram
	s := scanner{src: data}
	for s.pos < len(s.src) && s.err == nil {
		switch dif := s.byte(); {
		case dif == filler:
		case dif == manufacturerTail, dif == moreFollows:
			t.more = dif == moreFollows
			d.addTail(r, s.take(len(s.src)-s.pos), quality)
		case dif&0x0f == 0x0f:
			return protocol.Refuse("syntax", "DIF %02x at byte %d is reserved", dif, s.pos-1)
		default:
			t.addRecord(r, &s, dif, quality)
		}
	}
	return s.err
}

// addTail adds what follows the records, when that is wanted.
func (d *Decoder) addTail(r *protocol.Reading, tail []byte, quality protocol.Quality) {
	if !d.config.ManufacturerData {
		return
	}
	t := &d.telegram
	v := t.octets(tail)
	t.name = append(t.name[:0], "manufacturer_data"...)
	t.add(r, v, "", quality)
}

// addRecord adds the record that dif begins, unless it is without a value.
func (t *telegram) addRecord(r *protocol.Reading, s *scanner, dif byte, quality protocol.Quality) {
	var rec record
	rec, t.name = t.readRecord(s, dif, t.name[:0])
	v := t.readValue(s, &rec)
	if s.err != nil {
		return
	}
	if rec.failed {
		v = protocol.Value{}
	}
	unit := rec.unit
	if rec.per != "" && unit != "" {
		t.buf = append(append(t.buf[:0], unit...), rec.per...)
		unit = t.texts.text(t.buf)
	}
	t.add(r, v, unit, quality)
}

// add adds a value under the name that was put together. A value that is none
// takes its name too, so that the numbers of others stay what they are.
func (t *telegram) add(r *protocol.Reading, v protocol.Value, unit string, quality protocol.Quality) {
	name := t.texts.name(t.name)
	if v.IsNull() {
		return
	}
	if v.Kind() == protocol.KindString {
		unit = ""
	}
	r.Metrics = append(r.Metrics, protocol.Metric{Name: name, Value: v, Unit: unit, Quality: quality})
}

// low returns p with the low byte first, whatever the telegram's order is. It is
// valid until the next call.
func (t *telegram) low(p []byte) []byte {
	if !t.bigEndian {
		return p
	}
	return t.turn(p)
}

// high returns p with the high byte first, or a text forwards. It is valid until
// the next call.
func (t *telegram) high(p []byte) []byte {
	if t.bigEndian {
		return p
	}
	return t.turn(p)
}

func (t *telegram) turn(p []byte) []byte {
	t.turned = append(t.turned[:0], p...)
	slices.Reverse(t.turned)
	return t.turned
}
