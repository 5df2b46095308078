package nmea

import (
	"bytes"
	"strconv"
	"unicode/utf8"

	"sluice/protocol"
	"sluice/protocol/payload/plain"
)

// joined keeps the fields up to end as one text, without those at the end that
// are empty.
func (s *reader) joined(f *field, end int) *protocol.Refusal {
	text := s.scratch[:0]
	for i := s.at; i < min(end, len(s.fields)); i++ {
		text = append(append(text, s.fields[i]...), ',')
	}
	s.scratch = text
	if text = bytes.TrimRight(text, ", "); len(text) == 0 {
		return nil
	}
	return s.word(f.name, text)
}

// satellites reads number, elevation, azimuth and signal strength of each
// satellite in view. Their metrics are named after the talker and the number,
// such as gp03_elevation; where the sentence says which signal it is about, the
// strength is too: gp03_snr_1.
func (s *reader) satellites() *protocol.Refusal {
	left := len(s.fields) - s.at
	signal := s.fields[len(s.fields):]
	if left%4 == 1 {
		signal = s.fields[len(s.fields)-1:]
	}
	for ; left >= 4; left -= 4 {
		if refusal := s.satellite(signal); refusal != nil {
			return refusal
		}
		s.at += 4
	}
	if len(signal) == 0 || len(signal[0]) == 0 {
		return nil
	}
	return s.whole(&signalID, signal[0])
}

// signalID is what stands behind the satellites.
var signalID = field{kind: hexed, name: "signal"}

func (s *reader) satellite(signal [][]byte) *protocol.Refusal {
	id := s.text(s.at)
	if len(id) == 0 {
		return nil
	}
	if n, ok := plain.Natural(id); !ok || n > 999 {
		return protocol.Refuse("syntax", "satellite %q, want a number", excerpt(id))
	}
	for i, kind := range [...]string{"_elevation", "_azimuth", "_snr"} {
		text := s.text(s.at + 1 + i)
		if len(text) == 0 {
			continue
		}
		value, ok := plain.Float(text)
		if !ok {
			return protocol.Refuse("syntax", "satellite %s has %q for its%s, want a number", id, excerpt(text), kind)
		}
		talker := s.fields[0]
		name := append(append(append(s.scratch[:0], talker[0]|0x20, talker[1]|0x20), id...), kind...)
		if i == 2 && len(signal) > 0 && len(signal[0]) > 0 {
			name = append(append(name, '_'), signal[0]...)
		}
		s.scratch = name
		if name, fresh := s.words.Use(name); fresh {
			s.add(name, protocol.Float(value), [...]string{"°", "°", "dB"}[i])
		}
	}
	return nil
}

// sensors reads type, value, unit and name of each transducer. The name is the
// metric's; where it is empty, the type gives one, and a name that stands again
// gets a number.
func (s *reader) sensors() *protocol.Refusal {
	for ; s.at+1 < len(s.fields); s.at += 4 {
		kind, text, unit := s.text(s.at), s.text(s.at+1), s.text(s.at+2)
		if len(text) == 0 {
			continue
		}
		value, ok := plain.Float(text)
		if !ok {
			return protocol.Refuse("syntax", "transducer %q has the value %q, want a number", excerpt(s.text(s.at+3)), excerpt(text))
		}
		name, refusal := s.sensorName(kind, s.text(s.at+3))
		if refusal != nil {
			return refusal
		}
		unitName, refusal := s.sensorUnit(kind, unit)
		if refusal != nil {
			return refusal
		}
		s.add(name, protocol.Float(value), unitName)
	}
	return nil
}

func (s *reader) sensorName(kind, name []byte) (string, *protocol.Refusal) {
	if len(name) == 0 {
		name = append(s.scratch[:0], sensorWord(kind)...)
	}
	if !utf8.Valid(name) {
		return "", protocol.Refuse("utf8", "a transducer is named %q", excerpt(name))
	}
	s.scratch = append(s.scratch[:0], name...)
	for n := int64(2); ; n++ {
		if word, fresh := s.words.Use(s.scratch); fresh {
			return word, nil
		}
		s.scratch = strconv.AppendInt(append(s.scratch[:len(name)], '_'), n, 10)
	}
}

// sensorWord returns what a transducer of a type measures.
func sensorWord(kind []byte) string {
	switch string(kind) {
	case "A":
		return "angle"
	case "C":
		return "temperature"
	case "D":
		return "distance"
	case "F":
		return "frequency"
	case "H":
		return "humidity"
	case "I":
		return "current"
	case "L":
		return "salinity"
	case "N":
		return "force"
	case "P":
		return "pressure"
	case "R":
		return "flow"
	case "S":
		return "switch"
	case "T":
		return "speed_of_rotation"
	case "U":
		return "voltage"
	case "V":
		return "volume"
	}
	return "transducer"
}

// sensorUnit returns the unit that a letter stands for with a type of
// transducer, otherwise the letter.
func (s *reader) sensorUnit(kind, unit []byte) (string, *protocol.Refusal) {
	if len(kind) == 1 && len(unit) == 1 {
		switch [2]byte{kind[0], unit[0]} {
		case [2]byte{'A', 'D'}:
			return "°", nil
		case [2]byte{'C', 'C'}:
			return "°C", nil
		case [2]byte{'D', 'M'}:
			return "m", nil
		case [2]byte{'F', 'H'}:
			return "Hz", nil
		case [2]byte{'H', 'P'}:
			return "%", nil
		case [2]byte{'L', 'S'}:
			return "‰", nil
		case [2]byte{'P', 'B'}:
			return "bar", nil
		case [2]byte{'P', 'P'}:
			return "Pa", nil
		case [2]byte{'R', 'l'}:
			return "l/s", nil
		case [2]byte{'T', 'R'}:
			return "1/min", nil
		case [2]byte{'V', 'M'}:
			return "m³", nil
		}
	}
	if !utf8.Valid(unit) {
		return "", protocol.Refuse("utf8", "a transducer has the unit %q", excerpt(unit))
	}
	return s.words.Get(unit), nil
}

// stations reads the residual of each satellite that was used.
func (s *reader) stations(f *field) *protocol.Refusal {
	for i := 0; i < f.number() && s.at+i < len(s.fields); i++ {
		text := s.text(s.at + i)
		if len(text) == 0 {
			continue
		}
		value, ok := plain.Float(text)
		if !ok {
			return protocol.Refuse("syntax", "%s %d is %q, want a number", f.name, i+1, excerpt(text))
		}
		s.scratch = strconv.AppendInt(append(append(s.scratch[:0], f.name...), '_'), int64(i+1), 10)
		s.add(s.words.Get(s.scratch), protocol.Float(value), "m")
	}
	return nil
}
