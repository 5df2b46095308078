package dsmr

import (
	"bytes"
	"strconv"
	"time"
	"unicode/utf8"

	"sluice/protocol"
	"sluice/protocol/payload/plain"
)

// maxCode is the longest OBIS code in bytes.
const maxCode = 32

// read appends the readings that the objects in body give.
func (d *Decoder) read(b *protocol.Batch, body []byte, signed bool) *protocol.Refusal {
	d.words.Next()
	d.dated = d.dated[:0]
	r := b.Add()
	for body = next(body); len(body) > 0; body = next(body) {
		var code []byte
		var refusal *protocol.Refusal
		if code, body, refusal = d.object(body); refusal != nil {
			return refusal
		}
		if !signed && statesVersion(code) {
			return protocol.Refuse("checksum", "the telegram has none")
		}
		if refusal = d.add(r, code); refusal != nil {
			return refusal
		}
	}
	if len(r.Metrics) == 0 {
		b.Readings = b.Readings[:len(b.Readings)-1]
		if len(d.dated) == 0 {
			return protocol.Refuse("missing", "the telegram holds no value")
		}
	}
	for _, at := range d.dated {
		r := b.Add()
		r.SourceTime = at.at
		r.Metrics = append(r.Metrics, at.metric)
	}
	return nil
}

// next returns body from its next object on.
func next(body []byte) []byte { return bytes.TrimLeft(body, " \t\r\n") }

// statesVersion tells the objects that only telegrams with a CRC have: the
// version of DSMR 4 and later, and of the Belgian e-MUCS.
func statesVersion(code []byte) bool {
	return string(code) == "1-3:0.2.8" || string(code) == "0-0:96.1.4"
}

// object reads a code and sets groups to what stands in the brackets behind it,
// some of which may be on the next line.
func (d *Decoder) object(body []byte) (code, rest []byte, refusal *protocol.Refusal) {
	open := max(0, bytes.IndexByte(body, '('))
	code, rest = bytes.TrimSuffix(body[:open], []byte("*255")), body[open:]
	if !isCode(code) {
		return nil, nil, protocol.Refuse("syntax", "want an OBIS code and a value in brackets, found %q", excerpt(body))
	}
	d.groups, d.scratch = d.groups[:0], d.scratch[:0]
	for len(rest) > 0 && rest[0] == '(' {
		end := bytes.IndexAny(rest, ")\r\n")
		if end < 0 || rest[end] != ')' {
			return nil, nil, protocol.Refuse("syntax", "%s: the bracket does not close", code)
		}
		d.groups = append(d.groups, rest[1:end])
		rest = next(rest[end+1:])
	}
	return code, rest, nil
}

func isCode(text []byte) bool {
	for _, c := range text {
		switch {
		case c >= '0' && c <= '9', c >= 'A' && c <= 'Z', c >= 'a' && c <= 'z':
		case c == '-', c == ':', c == '.', c == '*', c == '&', c == '#':
		default:
			return false
		}
	}
	return len(text) > 0 && len(text) <= maxCode
}

// add adds what an object says.
func (d *Decoder) add(r *protocol.Reading, code []byte) *protocol.Refusal {
	_, number, _ := bytes.Cut(code, []byte{':'})
	switch n := len(d.groups); {
	case string(code) == "0-0:1.0.0":
		r.SourceTime, _ = d.time(d.groups[0])
		return nil
	case string(number) == "24.3.0":
		return d.hourly(r, code)
	case isLog(number):
		if _, ok := plain.Natural(d.groups[0]); !ok {
			return nil // Hungarian meters begin it with a time
		}
		return d.value(r, code, number, d.groups[0])
	case n == 2 && isTime(d.groups[0]):
		return d.later(code, number)
	}
	for i, text := range d.groups {
		name := code
		if i > 0 {
			d.scratch = strconv.AppendInt(append(append(d.scratch[:0], code...), '_'), int64(i+1), 10)
			name = d.scratch
		}
		if refusal := d.value(r, name, number, text); refusal != nil {
			return refusal
		}
	}
	return nil
}

// hourly reads a meter behind the meter as versions before 4 have it:
// (time)(00)(60)(1)(code)(unit) and, on the next line, (value).
func (d *Decoder) hourly(r *protocol.Reading, code []byte) *protocol.Refusal {
	n := len(d.groups)
	if n < 7 || len(d.groups[n-1]) == 0 {
		return nil
	}
	d.scratch = append(append(append(d.scratch[:0], d.groups[n-1]...), '*'), d.groups[5]...)
	return d.value(r, code, nil, d.scratch)
}

// later keeps a value with its own time. It uses no room of the batch yet, for
// the telegram's reading is not finished.
func (d *Decoder) later(code, number []byte) *protocol.Refusal {
	at, ok := d.time(d.groups[0])
	m, refusal := d.metric(code, number, d.groups[1])
	if refusal == nil && ok && m.Name != "" {
		d.dated = append(d.dated, dated{at, m})
	}
	return refusal
}

func (d *Decoder) value(r *protocol.Reading, name, number, text []byte) *protocol.Refusal {
	m, refusal := d.metric(name, number, text)
	if refusal == nil && m.Name != "" {
		r.Metrics = append(r.Metrics, m)
	}
	return refusal
}

// metric returns the metric that text is, without a name where there is no
// value or the name has been used before.
func (d *Decoder) metric(name, number, text []byte) (m protocol.Metric, refusal *protocol.Refusal) {
	text = bytes.Trim(text, " ")
	digits, unit, hasUnit := bytes.Cut(text, []byte{'*'})
	switch {
	case len(digits) == 0:
		return m, nil
	case !utf8.Valid(text):
		return m, protocol.Refuse("utf8", "%s is %q", name, excerpt(text))
	case hasUnit:
		f, ok := plain.Float(digits)
		if !ok {
			return m, protocol.Refuse("syntax", "%s is %q, want a number and a unit", name, excerpt(text))
		}
		m.Value, m.Unit = protocol.Float(f), d.unit(unit)
	default:
		m.Value = d.bare(number, digits)
	}
	if word, fresh := d.words.Use(name); fresh {
		m.Name = word
	}
	return m, nil
}

// bare returns a value that has no unit: a count, a number if it has a point,
// such as a power factor, otherwise a text.
func (d *Decoder) bare(number, text []byte) protocol.Value {
	if isCount(number) {
		if n, ok := plain.Int(text); ok {
			return protocol.Int(n)
		}
	}
	if bytes.IndexByte(text, '.') >= 0 {
		if f, ok := plain.Float(text); ok {
			return protocol.Float(f)
		}
	}
	if isOctets(number) {
		text = d.octets(text)
	}
	return protocol.String(d.words.Get(text))
}

// unit returns a unit as people write it.
func (d *Decoder) unit(text []byte) string {
	switch string(text) {
	case "m3":
		return "m³"
	case "dm3":
		return "dm³"
	}
	return d.words.Get(text)
}

// octets decodes a text in hexadecimal digits, as long as all of it is
// printable: some meters send their number as it is.
func (d *Decoder) octets(digits []byte) []byte {
	if len(digits)%2 != 0 {
		return digits
	}
	first := len(d.scratch)
	for i := 0; i < len(digits); i += 2 {
		high, ok1 := plain.HexDigit(digits[i])
		low, ok2 := plain.HexDigit(digits[i+1])
		c := high<<4 | low
		if !ok1 || !ok2 || c < ' ' || c > '~' {
			d.scratch = d.scratch[:first]
			return digits
		}
		d.scratch = append(d.scratch, c)
	}
	return d.scratch[first:]
}

// isTime tells YYMMDDhhmmss followed by S for summer or W for winter time.
func isTime(text []byte) bool {
	return len(text) == 13 && (text[12] == 'S' || text[12] == 'W')
}

// time reads an instant. It is false for times that do not exist, and for those
// of a clock that was never set, which stands in 1970.
func (d *Decoder) time(text []byte) (protocol.Timestamp, bool) {
	if !isTime(text) {
		return 0, false
	}
	var parts [6]int
	for i := range parts {
		var ok bool
		if parts[i], ok = plain.Natural(text[2*i : 2*i+2]); !ok {
			return 0, false
		}
	}
	offset := d.winter
	if text[12] == 'S' {
		offset += time.Hour
	}
	year, month, day := 2000+parts[0], time.Month(parts[1]), parts[2]
	t := time.Date(year, month, day, parts[3], parts[4], parts[5], 0, time.UTC)
	if year >= 2070 || t.Month() != month || t.Day() != day || t.Hour() != parts[3] || t.Minute() != parts[4] || t.Second() != parts[5] {
		return 0, false
	}
	return protocol.At(t.Add(-offset)), true
}
