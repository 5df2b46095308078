package nmea

import (
	"regexp"
	"strings"
	"testing"
)

// TestLayouts holds the tables against what the kinds need.
func TestLayouts(t *testing.T) {
	isWord := regexp.MustCompile(`^[a-z][a-z0-9_]*$`)
	isNumber := regexp.MustCompile(`^[1-9][0-9]?$`)
	types := map[string]bool{}
	for _, table := range [][]layout{navigation, instruments, messages, proprietary} {
		for _, l := range table {
			if types[l.name] || len(l.name) != 3 && l.name[0] != 'P' {
				t.Errorf("%s stands twice or is no name", l.name)
			}
			types[l.name] = true
			names, places := map[string]bool{}, map[int]*field{}
			at := 0
			for i := range l.fields {
				places[at] = &l.fields[i]
				at += l.fields[i].width()
			}
			at = 0
			for i := range l.fields {
				f := &l.fields[i]
				if f.name != "" && (names[f.name] || !isWord.MatchString(f.name)) {
					t.Errorf("%s: %q stands twice or is no name", l.name, f.name)
				}
				names[f.name] = true
				switch f.kind {
				case clock, day, dayParts, satellites, sensors:
				case length, rate:
					unit := places[at+f.number()]
					if !isNumber.MatchString(f.arg) || unit == nil || unit.kind != letter || strings.Trim(unit.arg, "NKSM") != "" {
						t.Errorf("%s: %s has no unit", l.name, f.name)
					}
				case list, stations:
					if !isNumber.MatchString(f.arg) {
						t.Errorf("%s: %s is of %q fields", l.name, f.name, f.arg)
					}
				case letter:
					if f.arg == "" {
						t.Errorf("%s: %s has no letters", l.name, f.name)
					}
				case validity, quality:
					if len(f.arg) < 2 || f.name == "" {
						t.Errorf("%s: %s has no letters", l.name, f.name)
					}
				default:
					if f.name == "" {
						t.Errorf("%s: field %d has no name", l.name, i)
					}
				}
				at += f.width()
			}
		}
	}
	if len(types) < 70 {
		t.Errorf("only %d types", len(types))
	}
}
