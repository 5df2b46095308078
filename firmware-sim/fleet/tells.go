package fleet

import (
	"encoding/binary"
	"encoding/hex"
	"regexp"
	"slices"
	"strconv"

	"sluice/cmd/gateway/config"
)

// unitPlace is where a frame has the unit of its device.
type unitPlace struct {
	re         *regexp.Regexp // its first group, or without one all that it matches; nil: bytes at a place
	at, length int            // at is below 0 from the frame's end
	as         string         // what the bytes are: hex, number or text
}

// lineOf returns what a serial driver talks to whose devices are asked.
func lineOf(d *config.Driver) Line {
	l := Line{Driver: d.Name, Line: d.Serial.Line, Frame: d.Serial.Frame}
	switch u := d.Serial.Unit; {
	case u == nil:
	case u.Regex != "":
		l.unit = &unitPlace{re: regexp.MustCompile(u.Regex)} // the file is right
	default:
		l.unit = &unitPlace{at: u.At, length: max(u.Length, 1), as: u.As}
	}
	return l
}

// find returns where the unit stands in a frame.
func (p *unitPlace) find(frame []byte) (from, to int, ok bool) {
	if p.re != nil {
		found := p.re.FindSubmatchIndex(frame)
		if len(found) > 2 {
			found = found[2:]
		}
		if found == nil || found[0] < 0 {
			return 0, 0, false
		}
		return found[0], found[1], true
	}
	from = p.at
	if from < 0 {
		from += len(frame)
	}
	return from, from + p.length, from >= 0 && from+p.length <= len(frame)
}

// spell returns a unit as frames have it, nil when they cannot.
func (p *unitPlace) spell(unit string) []byte {
	switch p.as {
	case "hex":
		b, _ := hex.DecodeString(unit) // the file is right
		return b
	case "number":
		n, _ := strconv.ParseUint(unit, 10, 32)
		return binary.BigEndian.AppendUint32(nil, uint32(n))[4-min(p.length, 4):]
	}
	return []byte(unit)
}

// put returns the frame with the unit in its place, or as it is where there is
// none.
func (p *unitPlace) put(frame []byte, unit string) []byte {
	from, to, ok := p.find(frame)
	if !ok {
		return frame
	}
	return slices.Concat(frame[:from], p.spell(unit), frame[to:])
}

// has reports whether the frame is of that unit.
func (p *unitPlace) has(frame []byte, unit string) bool {
	from, to, ok := p.find(frame)
	return ok && string(frame[from:to]) == string(p.spell(unit))
}
