package serial

import (
	"slices"
	"strings"
	"testing"
)

func TestParseUnits(t *testing.T) {
	for text, want := range map[string]string{
		"A":        "A",
		"0-3":      "0 1 2 3",
		"08-10, B": "08 09 10 B",
		"7,5":      "7 5",
		"a-b":      "a-b",
		"":         `is "", want a text such as A or 01, or a range such as 0-3`,
		"1,":       `is "1,", want a text such as A or 01, or a range such as 0-3`,
		"3-1":      `is "3-1", want 1-3`,
		"1,0-2":    `is "1,0-2", which has 1 twice`,
		"0-900":    `is "0-900", want at most 256`,
		"{unit}":   `is "{unit}", want a text such as A or 01, or a range such as 0-3`,
	} {
		units, err := ParseUnits(text)
		got := strings.Join(units, " ")
		if err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%q: got %s, want %s", text, got, want)
		}
	}
}

func TestUnitOfAFrame(t *testing.T) {
	for name, test := range map[string]struct {
		field       Unit
		frame, want string
	}{
		"group":         {Unit{Regex: `^(\w):`}, "A:7", "A"},
		"match":         {Unit{Regex: `^\w`}, "A:7", "A"},
		"no match":      {Unit{Regex: `^(\w):`}, "A7", "none"},
		"no group":      {Unit{Regex: `^A|(B)`}, "A", "none"},
		"first byte":    {Unit{}, "A:7", "A"},
		"last bytes":    {Unit{At: -2, Length: 2}, "A:7", ":7"},
		"beyond":        {Unit{At: 3}, "A:7", "none"},
		"before":        {Unit{At: -4}, "A:7", "none"},
		"digits":        {Unit{As: asHex, Length: 2}, "\x00\xAFx", "00af"},
		"number":        {Unit{As: asNumber, At: 1, Length: 2}, "x\x01\x02", "258"},
		"frame of none": {Unit{}, "", "none"},
	} {
		teller, err := newTeller(&test.field)
		if err != nil {
			t.Fatal(err)
		}
		got, ok := teller.unit([]byte(test.frame))
		if !ok {
			got = []byte("none")
		}
		if string(got) != test.want {
			t.Errorf("%s: got %q, want %q", name, got, test.want)
		}
	}
}

// FuzzUnit: units of rows that are valid are found in frames that hold them.
func FuzzUnit(f *testing.F) {
	f.Add("0-3,A", "0:12", 0, 1, asText, `^(\w)`)
	f.Add("08-11", "\x08\x09", -1, 2, asHex, "")
	f.Add("7", "\xff", 0, 4, asNumber, "")
	f.Fuzz(func(t *testing.T, text, frame string, at, length int, as, regex string) {
		units, err := ParseUnits(text)
		if err == nil && (len(units) == 0 || len(units) > maxUnits || slices.Contains(units, "")) {
			t.Errorf("%q gave %d units", text, len(units))
		}
		field := Unit{Regex: regex, At: at, Length: length, As: as}
		problems := ""
		field.validate(func(field, problem string) { problems += field + " " + problem })
		if problems != "" {
			return
		}
		teller, err := newTeller(&field)
		if err != nil {
			t.Fatalf("%+v is valid: %v", field, err)
		}
		found, ok := teller.unit([]byte(frame))
		if !ok {
			return
		}
		if normal, err := field.normal(string(found)); err != nil || normal != string(found) {
			t.Errorf("%+v finds %q, which is no unit: %q, %v", field, found, normal, err)
		}
		for _, u := range units {
			if n, err := field.normal(u); err == nil {
				if again, err := field.normal(n); err != nil || again != n {
					t.Errorf("%q is %q, then %q", u, n, again)
				}
			}
		}
	})
}
