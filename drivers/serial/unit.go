package serial

import (
	"encoding/hex"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// Unit says where a frame has the unit of the device that it is of: what a
// regular expression finds, or some bytes at a place.
type Unit struct {
	Regex  string `yaml:"regex"`  // its first group, or without one all that it matches
	At     int    `yaml:"at"`     // the first of the bytes, counted from 0; below 0 from the frame's end
	Length int    `yaml:"length"` // how many bytes, default 1
	As     string `yaml:"as"`     // what the bytes are: text (default), hex (digits for each byte) or number (the first byte counts most)
}

// The values of Unit.As.
const (
	asText   = "text"
	asHex    = "hex"
	asNumber = "number"
)

func (u *Unit) length() int {
	if u.Length == 0 {
		return 1
	}
	return u.Length
}

func (u *Unit) validate(report func(field, problem string)) {
	if u.Regex != "" {
		if _, err := regexp.Compile(u.Regex); err != nil {
			report("regex", "is no regular expression: "+strings.TrimPrefix(err.Error(), "error parsing regexp: "))
		}
		if u.At != 0 || u.Length != 0 || u.As != "" {
			report("regex", "does not go with at, length and as: want one or the other")
		}
		return
	}
	if u.At < -4096 || u.At > 4096 {
		report("at", fmt.Sprintf("is %d, want -4096 to 4096", u.At))
	}
	most := 16
	if u.As == asNumber {
		most = 4
	}
	if n := u.length(); n < 1 || n > most {
		report("length", fmt.Sprintf("is %d, want 1 to %d bytes", n, most))
	}
	if u.As != "" && u.As != asText && u.As != asHex && u.As != asNumber {
		report("as", fmt.Sprintf("is %q, want text, hex or number", u.As))
	}
}

// normal returns a unit of the device list as frames have it, so that both can be
// compared. The error reads on after the name of what holds text.
func (u *Unit) normal(text string) (string, error) {
	switch {
	case u.Regex != "":
		return text, nil
	case u.As == asHex:
		if b, err := hex.DecodeString(text); err != nil || len(b) != u.length() {
			return "", fmt.Errorf("is %q, want %d hexadecimal digits, as the driver's unit", text, 2*u.length())
		}
		return strings.ToLower(text), nil
	case u.As == asNumber:
		n, err := strconv.ParseUint(text, 10, 8*u.length())
		if err != nil {
			return "", fmt.Errorf("is %q, want a number of at most %d bytes, as the driver's unit", text, u.length())
		}
		return strconv.FormatUint(n, 10), nil
	case len(text) != u.length():
		return "", fmt.Errorf("is %q, want a text of %d bytes, as the driver's unit", text, u.length())
	}
	return text, nil
}

// teller finds the units of frames. It is owned by one goroutine.
type teller struct {
	field   Unit
	re      *regexp.Regexp // nil: bytes at a place
	scratch []byte
}

// newTeller returns a teller for u, which is valid; nil for nil.
func newTeller(u *Unit) (*teller, error) {
	if u == nil {
		return nil, nil
	}
	t := &teller{field: *u}
	if u.Regex == "" {
		return t, nil
	}
	var err error
	if t.re, err = regexp.Compile(u.Regex); err != nil {
		return nil, fmt.Errorf("unit: %w", err)
	}
	return t, nil
}

// unit returns the unit that a frame has, valid until the next call, or false
// when it has none.
func (t *teller) unit(frame []byte) ([]byte, bool) {
	if t.re != nil {
		found := t.re.FindSubmatchIndex(frame)
		switch {
		case found == nil:
			return nil, false
		case len(found) == 2:
			return frame[found[0]:found[1]], true
		case found[2] < 0:
			return nil, false
		}
		return frame[found[2]:found[3]], true
	}
	at, n := t.field.At, t.field.length()
	if at < 0 {
		at += len(frame)
	}
	if at < 0 || at+n > len(frame) {
		return nil, false
	}
	return t.read(frame[at : at+n]), true
}

// read returns bytes as the device list has them.
func (t *teller) read(b []byte) []byte {
	switch t.field.As {
	case asHex:
		t.scratch = hex.AppendEncode(t.scratch[:0], b)
	case asNumber:
		n := uint64(0)
		for _, c := range b {
			n = n<<8 | uint64(c)
		}
		t.scratch = strconv.AppendUint(t.scratch[:0], n, 10)
	default:
		return b
	}
	return t.scratch
}

// The bounds of what a row of the device list stands for.
const (
	maxUnits      = 256
	maxUnitLength = 32 // bytes
)

// ParseUnits reads the units that a row of the device list stands for: texts and
// ranges of numbers with commas between, such as "A" or "0-3, 7" or "01-16",
// which keeps its zeros. The error reads on after the name of what holds text.
func ParseUnits(text string) ([]string, error) {
	var units []string
	seen := map[string]bool{}
	for part := range strings.SplitSeq(text, ",") {
		some, err := parseUnits(strings.TrimSpace(part))
		if err != nil {
			return nil, fmt.Errorf("is %q, %w", text, err)
		}
		for _, u := range some {
			if seen[u] {
				return nil, fmt.Errorf("is %q, which has %s twice", text, u)
			}
			seen[u] = true
			units = append(units, u)
		}
	}
	if len(units) > maxUnits {
		return nil, fmt.Errorf("is %q, which are %d, want at most %d", text, len(units), maxUnits)
	}
	return units, nil
}

// parseUnits reads one text, or a range of numbers.
func parseUnits(part string) ([]string, error) {
	if part == "" || len(part) > maxUnitLength || strings.ContainsFunc(part, isNoUnit) {
		return nil, fmt.Errorf("want a text such as A or 01, or a range such as 0-3")
	}
	from, to, ranged := strings.Cut(part, "-")
	if !ranged {
		return []string{part}, nil
	}
	first, err := strconv.ParseUint(from, 10, 32)
	last, failed := strconv.ParseUint(to, 10, 32)
	switch {
	case err != nil || failed != nil:
		return []string{part}, nil // a text with a -
	case first > last:
		return nil, fmt.Errorf("want %s-%s", to, from)
	case last-first >= maxUnits:
		return nil, fmt.Errorf("want at most %d", maxUnits)
	}
	var units []string
	for n := first; n <= last; n++ {
		units = append(units, fmt.Sprintf("%0*d", len(from), n))
	}
	return units, nil
}

func isNoUnit(r rune) bool { return r <= ' ' || r == '{' || r == '}' || r == 0x7f || r == 0xfffd }
