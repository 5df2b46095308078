package wire

import (
	"fmt"
	"regexp"
	"strings"

	"sluice/protocol"
	"sluice/protocol/payload"
)

// senmlName matches what RFC 8428 allows for a name.
var senmlName = regexp.MustCompile(`^[A-Za-z0-9][-A-Za-z0-9:./_]*$`)

// senml gives f the slots and the layout of a pack of SenML in JSON whose records
// have one time.
func (f *Form) senml(name string, p *payload.Profile, only string) error {
	if err := f.ownClock(p, "unix", false); err != nil {
		return err
	}
	if err := f.records(name, p, only); err != nil {
		return err
	}
	l := &senmlLayout{slots: f.slots}
	if !(readers{profile: p}).keeps() {
		l.base = "urn:dev:1:" // it would become part of names that the profile does not have
	}
	for i := range f.slots {
		s := &f.slots[i]
		if !senmlName.MatchString(s.Name) {
			return fmt.Errorf("no record of SenML can be called %q", s.Name)
		}
		unit := senmlUnit(s)
		l.units = append(l.units, unit)
		for n := range s.targets {
			if t := &s.targets[n]; t.unit == "" {
				t.unit = strings.Replace(unit, "Cel", "°C", 1)
			}
		}
	}
	f.layout = l
	return nil
}

// senmlUnit returns the unit that a device sends with a number, "" for none.
func senmlUnit(s *Slot) string {
	if s.Kind != Number {
		return ""
	}
	unit, name := s.targets[0].unit, strings.ToLower(s.Name)
	switch {
	case unit == "°C" || unit == "" && strings.Contains(name, "temp"):
		return "Cel"
	case unit == "" && strings.Contains(name, "hum"):
		return "%RH"
	case unit == "" && strings.Contains(name, "volt"):
		return "V"
	case unit == "V" || unit == "A" || unit == "W" || unit == "%" || unit == "Hz" || unit == "lx" || unit == "kg":
		return unit
	}
	return ""
}

// senmlLayout writes base name and base time, and a record for each slot.
type senmlLayout struct {
	slots []Slot
	base  string
	units []string // by slot
}

func (l *senmlLayout) compose(dst []byte, m *message) ([]byte, bool) {
	dst = append(dst, `[{`...)
	if l.base != "" {
		dst = append(protocol.AppendJSONString(append(dst, `"bn":`...), l.base), ',')
	}
	dst = append(append(append(dst, `"bt":`...), m.time...), ',')
	for i := range l.slots {
		if i > 0 {
			dst = append(dst, `,{`...)
		}
		dst = protocol.AppendJSONString(append(dst, `"n":`...), l.slots[i].Name)
		if l.units[i] != "" {
			dst = protocol.AppendJSONString(append(dst, `,"u":`...), l.units[i])
		}
		dst = append(l.value(dst, &l.slots[i], m.texts[i]), '}')
	}
	return append(dst, ']'), true
}

func (l *senmlLayout) value(dst []byte, s *Slot, text string) []byte {
	switch s.shown {
	case Word:
		return protocol.AppendJSONString(append(dst, `,"vs":`...), text)
	case Switch:
		return append(append(dst, `,"vb":`...), text...)
	}
	return append(append(dst, `,"v":`...), text...)
}
