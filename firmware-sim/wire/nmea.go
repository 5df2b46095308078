package wire

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"time"

	"sluice/protocol/payload"
	"sluice/protocol/payload/nmea"
)

// sentence is a type of sentence of a satellite receiver: its fields in their
// order. "" stays empty, a letter stands as it is, and of the words of the
// clock's text "time" and "date" take one.
type sentence struct {
	kind   string
	layout []string
	fields []field
}

// Angles are written as minutes and mean degrees; what they look like in a
// sentence is the layout's business.
var (
	latitude  = field{name: "latitude", unit: "°", low: 47.3, high: 47.5, step: 0.0002, decimals: 4, part: 60}
	longitude = field{name: "longitude", unit: "°", low: 8.4, high: 8.6, step: 0.0002, decimals: 4, part: 60}
)

// sentences are what a receiver sends by turns. The first one tells the date,
// which the others lack.
var sentences = []sentence{
	{"RMC", []string{"time", "status", "latitude", "longitude", "speed", "course", "date", "", "", "mode"}, []field{
		{name: "status", word: "A"}, latitude, longitude,
		{name: "speed", unit: "kn", high: 40, step: 0.5, decimals: 3}, {name: "course", unit: "°", high: 359.9, step: 3, decimals: 2}, {name: "mode", word: "A"},
	}},
	{"GGA", []string{"time", "latitude", "longitude", "fix", "satellites", "hdop", "altitude", "M", "geoid_separation", "M", "", ""}, []field{
		latitude, longitude, {name: "fix", low: 1, high: 1, whole: true}, {name: "satellites", low: 4, high: 12, step: 1, whole: true},
		{name: "hdop", low: 0.6, high: 3, step: 0.1, decimals: 1}, {name: "altitude", unit: "m", low: 400, high: 460, step: 0.3, decimals: 1},
		{name: "geoid_separation", unit: "m", low: 48, high: 48.2, step: 0.1, decimals: 1},
	}},
}

// newSentences returns the forms of the sentences that hold something of what
// the profile wants.
func newSentences(name string, p *payload.Profile) ([]*Form, error) {
	var forms []*Form
	for i := range sentences {
		if !sentences[i].wanted(p) {
			continue
		}
		f, err := newForm(name, p, func(f *Form) error { return f.nmea(p, sentences[i]) })
		if err != nil {
			return nil, err
		}
		if i > 0 && len(forms) == 0 {
			f.clock.untold = true
		}
		forms = append(forms, f)
	}
	if len(forms) == 0 {
		return nil, fmt.Errorf("simulate profile %q: %w", name, &Unknown{"any sentence but RMC and GGA"})
	}
	return forms, nil
}

// wanted reports whether some metric reads a field of the sentence.
func (s *sentence) wanted(p *payload.Profile) bool {
	by := readers{profile: p}
	return slices.ContainsFunc(s.fields, func(at field) bool {
		targets, err := by.of(at.name)
		return err != nil || len(targets) > 0
	})
}

// nmea gives f the slots and the layout of a sentence.
func (f *Form) nmea(p *payload.Profile, s sentence) error {
	if err := f.ownClock(p, "020106 150405.00", true); err != nil {
		return err
	}
	f.clock.step = int64(10 * time.Millisecond)
	f.layout = &sentenceLayout{s}
	return f.fields(p, s.fields, "")
}

type sentenceLayout struct{ sentence }

func (l *sentenceLayout) compose(dst []byte, m *message) ([]byte, bool) {
	var fields []string
	date, clock, _ := strings.Cut(m.time, " ")
	for _, name := range l.layout {
		at := slices.IndexFunc(l.fields, func(f field) bool { return f.name == name })
		switch {
		case name == "time":
			fields = append(fields, clock)
		case name == "date":
			fields = append(fields, date)
		case name == "latitude":
			fields = append(fields, angle(m.texts[at], 2, "N", "S")...)
		case name == "longitude":
			fields = append(fields, angle(m.texts[at], 3, "E", "W")...)
		case at >= 0:
			fields = append(fields, m.texts[at])
		default:
			fields = append(fields, name)
		}
	}
	text := nmea.AppendSentence(nil, "GP", l.kind, fields...)
	return append(dst, bytes.TrimRight(text, "\r\n")...), true
}

// angle returns minutes as degrees of so many digits and minutes, and the
// letter of the hemisphere.
func angle(minutes string, digits int, plus, minus string) []string {
	letter := plus
	if rest, negative := strings.CutPrefix(minutes, "-"); negative {
		letter, minutes = minus, rest
	}
	whole, decimals, _ := strings.Cut(minutes, ".")
	n := rational(whole).Num().Int64()
	return []string{fmt.Sprintf("%0*d%02d.%s", digits, n/60, n%60, decimals), letter}
}
