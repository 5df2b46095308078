package binary

import (
	"bytes"
	"fmt"
	"math"

	"sluice/protocol"
	"sluice/protocol/binary"
	"sluice/protocol/checksum"
)

// Decoder reads binary messages. It is owned by one goroutine.
type Decoder struct {
	layout
	texts *binary.Texts

	// Of an SPS30: how a message is read that is not one measurement, the
	// layout of a measurement in integers, a frame without its stuffing.
	unwrap func(d *Decoder, b *protocol.Batch, message []byte) error
	whole  layout
	plain  []byte
}

// layout says what a measurement looks like.
type layout struct {
	length  int  // bytes, 0: any
	least   int  // the least number of bytes
	partial bool // metrics behind the message's end are left out
	header  string
	tail    string
	sum     *sum
	body    int // where the sensor's own bytes begin, which are not all 0; -1: they may be
	metrics []metric
}

// metric is a field and what its number means: value · 10^exp + offset.
type metric struct {
	names  []string // one for each value
	unit   string
	exp    int
	offset int64 // added before the power of ten
	raw    bool  // as the codec gives it
	codec  *binary.Codec
}

// New returns the decoder of c. An error names the first problem that
// c.Validate reports.
func New(c Config) (*Decoder, error) {
	var err error
	c.Validate(func(field, problem string) {
		if err == nil {
			err = fmt.Errorf("compile binary: %s %s", field, problem)
		}
	})
	if err != nil {
		return nil, err
	}
	if c.Preset != "" {
		p, _ := presetOf(c.Preset)
		return p.decoder()
	}
	header, _ := parseHex(c.Header)
	d := &Decoder{texts: binary.NewTexts(), layout: layout{
		length: c.Length, least: c.MinLength, partial: c.MinLength > 0, header: string(header), body: -1,
	}}
	if c.Checksum != nil {
		d.sum = newSum(c.Checksum)
	}
	for _, name := range c.inOrder() {
		f := c.field(name)
		codec, err := binary.Compile(f)
		if err != nil {
			return nil, fmt.Errorf("compile binary: fields.%s: %w", name, err)
		}
		d.metrics = append(d.metrics, metric{names: namesOf(name, f.Count), raw: true, codec: codec})
	}
	return d, nil
}

// Decode appends the reading that message holds to b. On error b is as it was
// before; the error is a *protocol.Refusal.
func (d *Decoder) Decode(b *protocol.Batch, message []byte) error {
	switch {
	case len(message) == 0:
		return protocol.Refuse("empty", "the message is empty")
	case len(message) > maxMessage:
		return protocol.Refuse("size", "%d bytes, want at most %d", len(message), maxMessage)
	case d.unwrap != nil:
		return d.unwrap(d, b, message)
	}
	return d.measurement(b, &d.layout, message)
}

// measurement appends the reading of one frame.
func (d *Decoder) measurement(b *protocol.Batch, l *layout, frame []byte) error {
	frame = l.trim(frame)
	if err := l.check(frame); err != nil {
		return err
	}
	r := b.Add()
	for i := range l.metrics {
		if err := d.add(r, l, &l.metrics[i], frame); err != nil {
			b.Readings = b.Readings[:len(b.Readings)-1]
			return err
		}
	}
	if len(r.Metrics) == 0 {
		b.Readings = b.Readings[:len(b.Readings)-1]
		return protocol.Refuse("missing", "the message holds none of the metrics")
	}
	return nil
}

// trim takes a line end away that follows a message of known length.
func (l *layout) trim(frame []byte) []byte {
	if l.length > 0 && len(frame) > l.length && len(bytes.Trim(frame[l.length:], "\r\n")) == 0 {
		return frame[:l.length]
	}
	return frame
}

// check looks at all that is not a metric.
func (l *layout) check(frame []byte) error {
	switch {
	case l.length > 0 && len(frame) != l.length:
		return protocol.Refuse("syntax", "%d bytes, want %d", len(frame), l.length)
	case len(frame) < l.least:
		return protocol.Refuse("syntax", "%d bytes, want at least %d", len(frame), l.least)
	case len(frame) < len(l.header) || string(frame[:len(l.header)]) != l.header:
		return protocol.Refuse("syntax", "the message begins with % x, want % x", frame[:min(len(l.header), len(frame))], l.header)
	case len(l.tail) > 0 && string(frame[len(frame)-len(l.tail):]) != l.tail:
		return protocol.Refuse("syntax", "the message ends with % x, want % x", frame[len(frame)-len(l.tail):], l.tail)
	}
	if l.sum != nil {
		if err := l.sum.check(frame); err != nil {
			return err
		}
	}
	return l.checkBody(frame)
}

// checkBody refuses a sensor's frame in which nothing is set: one that has not
// measured yet sends it. Each of the sensors has bytes that are not 0 once it
// works, a device number, a version, a temperature, so that clean air does not
// look like this.
func (l *layout) checkBody(frame []byte) error {
	if l.body < 0 {
		return nil
	}
	end := len(frame) - len(l.tail)
	if l.sum != nil {
		end = min(end, l.sum.place(len(frame)))
	}
	for _, b := range frame[l.body:end] {
		if b != 0 {
			return nil
		}
	}
	return protocol.Refuse("missing", "every value is 0: the sensor has not measured yet")
}

// add appends the values of m to r.
func (d *Decoder) add(r *protocol.Reading, l *layout, m *metric, frame []byte) error {
	if l.partial {
		if _, _, ok := m.codec.Span(len(frame)); !ok {
			return nil
		}
	}
	for i, name := range m.names {
		v, err := m.codec.Value(frame, i, d.texts)
		if err != nil {
			return fieldRefusal(err, name)
		}
		if v = m.meaning(v); !v.IsNull() {
			r.Metrics = append(r.Metrics, protocol.Metric{Name: name, Value: v, Unit: m.unit})
		}
	}
	return nil
}

// meaning returns the number that a preset's field stands for.
func (m *metric) meaning(v protocol.Value) protocol.Value {
	if m.raw || v.IsNull() {
		return v
	}
	n := v.Int()
	if v.Kind() == protocol.KindUint {
		if v.Uint() > math.MaxInt64 {
			return v
		}
		n = int64(v.Uint())
	}
	return protocol.Scaled(n+m.offset, m.exp)
}

// fieldRefusal says which metric a refusal is about.
func fieldRefusal(err error, name string) error {
	refusal, ok := err.(*protocol.Refusal)
	if !ok {
		return protocol.Refuse("syntax", "%s: %w", name, err)
	}
	return protocol.Refuse(refusal.Reason, "%s: %w", name, refusal.Err)
}

// sum is a message's checksum, compiled.
type sum struct {
	checksum.Sum
	at, from, to int
	little       bool
}

func newSum(c *Checksum) *sum {
	known, _ := checksum.Lookup(c.Name)
	s := &sum{Sum: known, at: c.At, from: c.From, to: c.To}
	if s.at == 0 {
		s.at = -known.Width()
	}
	o, _ := binary.ParseOrder(c.Order)
	s.little = o == binary.Little
	return s
}

// place returns where the checksum stands in a frame of n bytes.
func (s *sum) place(n int) int {
	if s.at < 0 {
		return n + s.at
	}
	return s.at
}

func (s *sum) check(frame []byte) error {
	at, to := s.place(len(frame)), s.to
	switch {
	case to == 0:
		to = at
	case to < 0:
		to += len(frame)
	}
	if at < 0 || at+s.Width() > len(frame) || s.from > to || to > len(frame) {
		return protocol.Refuse("syntax", "%d bytes have no room for the checksum", len(frame))
	}
	var want uint64
	for i, b := range frame[at : at+s.Width()] {
		if s.little {
			want |= uint64(b) << (8 * i)
		} else {
			want = want<<8 | uint64(b)
		}
	}
	if got := s.Of(frame[s.from:to]); got != want {
		return protocol.Refuse("checksum", "%s is %0*x, the message says %0*x", s.Name(), 2*s.Width(), got, 2*s.Width(), want)
	}
	return nil
}
