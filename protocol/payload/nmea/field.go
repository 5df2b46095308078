package nmea

import (
	"bytes"
	"strings"
	"unicode/utf8"

	"sluice/protocol"
	"sluice/protocol/payload/plain"
)

// reader reads the fields of one sentence into a reading.
type reader struct {
	*Decoder
	r      *protocol.Reading
	at     int  // the field to read
	void   bool // the sentence has no valid measurements
	moment moment
}

// read sets r to what the sentence says.
func (d *Decoder) read(r *protocol.Reading, l *layout) *protocol.Refusal {
	d.words.Next()
	s := reader{Decoder: d, r: r, at: 1, moment: moment{ofDay: noTime}}
	s.void = s.isVoid(l)
	for i := range l.fields {
		f := &l.fields[i]
		if s.at >= len(d.fields) {
			break
		}
		if refusal := s.field(f); refusal != nil {
			return refusal
		}
		s.at += f.width()
	}
	r.SourceTime, r.Device = d.tag.at, d.tag.source
	if !s.void {
		if t := d.calendar.at(s.moment); t != 0 {
			r.SourceTime = t
		}
	}
	if len(r.Metrics) == 0 {
		return protocol.Refuse("missing", "the fields of %s are empty", excerpt(d.fields[0]))
	}
	return nil
}

// isVoid tells whether one of the sentence's letters says that its measurements
// are not valid.
func (s *reader) isVoid(l *layout) bool {
	at := 1
	for i := range l.fields {
		f := &l.fields[i]
		switch text := s.text(at); {
		case len(text) == 0:
		case f.kind == status, f.kind == validity:
			if text[0] == 'V' {
				return true
			}
		case f.kind == quality:
			if text[0] == f.arg[0] {
				return true
			}
		case f.kind == mode:
			if len(bytes.Trim(text, "N")) == 0 {
				return true
			}
		}
		at += f.width()
	}
	return false
}

// text returns a field of the sentence without blanks around it, empty when
// there is none.
func (s *reader) text(at int) []byte {
	if at >= len(s.fields) {
		return nil
	}
	return bytes.Trim(s.fields[at], " ")
}

// field reads what f describes.
func (s *reader) field(f *field) *protocol.Refusal {
	text := s.text(s.at)
	if s.void && f.kind.measured() {
		return nil
	}
	switch f.kind {
	case satellites:
		return s.satellites()
	case sensors:
		return s.sensors()
	case stations:
		return s.stations(f)
	case list:
		return s.joined(f, s.at+f.number())
	case rest:
		return s.joined(f, len(s.fields))
	case dayParts:
		return s.dayParts()
	}
	if len(text) == 0 {
		return nil
	}
	return s.single(f, text)
}

// single reads a kind whose first field is text.
func (s *reader) single(f *field, text []byte) *protocol.Refusal {
	switch f.kind {
	case number, checked, signed, length, rate:
		return s.number(f, text)
	case whole, hexed:
		return s.whole(f, text)
	case word:
		return s.word(f.name, text)
	case letter, status, validity, quality, mode:
		return s.letter(f, text)
	case latitude:
		return s.degrees(f, text, 90, "NS")
	case longitude:
		return s.degrees(f, text, 180, "EW")
	case clock:
		var ok bool
		if s.moment.ofDay, ok = ofDay(text); !ok {
			return protocol.Refuse("time", "want hhmmss, found %q", excerpt(text))
		}
	case day:
		var ok bool
		if s.moment.date, ok = date(text); !ok {
			return protocol.Refuse("time", "want ddmmyy, found %q", excerpt(text))
		}
	}
	return nil
}

// add appends a metric.
func (s *reader) add(name string, value protocol.Value, unit string) {
	s.r.Metrics = append(s.r.Metrics, protocol.Metric{Name: name, Value: value, Unit: unit})
}

// number reads a measurement and what its next field says about it.
func (s *reader) number(f *field, text []byte) *protocol.Refusal {
	value, ok := plain.Float(text)
	if !ok {
		return protocol.Refuse("syntax", "%s is %q, want a number", f.name, excerpt(text))
	}
	unit, next := f.arg, s.text(s.at+1)
	switch f.kind {
	case checked:
		if !bytes.Equal(next, []byte{'A'}) {
			return nil
		}
	case signed:
		if len(next) == 0 || strings.IndexByte("NESW", next[0]) < 0 {
			return nil // some receivers leave the direction out
		}
		if (next[0] == 'S' || next[0] == 'W') && value != 0 {
			value = -value
		}
	case length:
		unit = unitOf(s.text(s.at+f.number()), "nmi", "km", "mi", "m")
	case rate:
		unit = unitOf(s.text(s.at+f.number()), "kn", "km/h", "mph", "m/s")
	}
	s.add(f.name, protocol.Float(value), unit)
	return nil
}

// unitOf returns the unit that a letter stands for.
func unitOf(letter []byte, n, k, s, m string) string {
	if len(letter) != 1 {
		return ""
	}
	switch letter[0] {
	case 'N':
		return n
	case 'K':
		return k
	case 'S':
		return s
	case 'M':
		return m
	}
	return ""
}

// whole reads a count or a number that names something.
func (s *reader) whole(f *field, text []byte) *protocol.Refusal {
	read := plain.Int
	if f.kind == hexed {
		read = plain.Hex
	}
	value, ok := read(text)
	if !ok {
		return protocol.Refuse("syntax", "%s is %q, want a whole number", f.name, excerpt(text))
	}
	s.add(f.name, protocol.Int(value), "")
	return nil
}

// word reads a text.
func (s *reader) word(name string, text []byte) *protocol.Refusal {
	if !utf8.Valid(text) {
		return protocol.Refuse("utf8", "%s is %q", name, excerpt(text))
	}
	s.add(name, protocol.String(s.words.Get(text)), "")
	return nil
}

// letter reads a field that has to hold one of a few letters, or a digit.
func (s *reader) letter(f *field, text []byte) *protocol.Refusal {
	allowed := f.arg
	switch f.kind {
	case status:
		allowed = "AV"
	case mode:
		if len(bytes.Trim(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ")) == 0 {
			return s.word(f.name, text)
		}
	}
	at := strings.IndexByte(allowed, text[0])
	switch {
	case len(text) != 1 || at < 0:
		return protocol.Refuse("syntax", "%s is %q, want one of %s", nameOr(f.name, "a field"), excerpt(text), nameOr(allowed, "A-Z"))
	case f.name == "":
	case f.kind == quality:
		s.add(f.name, protocol.Int(int64(text[0]-'0')), "")
	default:
		s.add(f.name, protocol.String(allowed[at:at+1]), "")
	}
	return nil
}

func nameOr(name, otherwise string) string {
	if name == "" {
		return otherwise
	}
	return name
}

// degrees reads a latitude or a longitude.
func (s *reader) degrees(f *field, text []byte, most int64, letters string) *protocol.Refusal {
	value, ok := degrees(text, s.text(s.at+1), most, letters)
	if !ok {
		return protocol.Refuse("syntax", "%s is %q %q, want degrees, minutes and %c or %c", f.name, excerpt(text), excerpt(s.text(s.at+1)), letters[0], letters[1])
	}
	s.add(f.name, protocol.Float(value), "°")
	return nil
}

// dayParts reads day, month and year.
func (s *reader) dayParts() *protocol.Refusal {
	var parts [3]int
	for i := range parts {
		text := s.text(s.at + i)
		if len(text) == 0 {
			return nil
		}
		var ok bool
		if parts[i], ok = plain.Natural(text); !ok {
			return protocol.Refuse("time", "want day, month and year, found %q", excerpt(text))
		}
	}
	if s.moment.date = midnight(parts[2], parts[1], parts[0]); s.moment.date == 0 {
		return nil
	}
	for i, name := range [...]string{"day", "month", "year"} {
		s.add(name, protocol.Int(int64(parts[i])), "")
	}
	return nil
}
