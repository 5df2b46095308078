package fleet

import (
	"encoding/hex"
	"regexp"
	"strconv"
	"strings"

	"sluice/cmd/gateway/config"
)

// lineOf returns what a serial driver talks to whose devices are asked.
func lineOf(d *config.Driver) Line {
	l := Line{Driver: d.Name, Line: d.Serial.Line, Frame: d.Serial.Frame}
	u := d.Serial.Unit
	switch {
	case u == nil:
	case u.Regex != "":
		l.Unit = tellsByRegex(regexp.MustCompile(u.Regex)) // the file is right
	default:
		l.Unit = tellsAt(u.At, max(u.Length, 1), u.As)
	}
	return l
}

// tellsByRegex returns whether the first group of re, or without one all that it
// matches, is the unit.
func tellsByRegex(re *regexp.Regexp) func(frame []byte, unit string) bool {
	return func(frame []byte, unit string) bool {
		found := re.FindSubmatch(frame)
		return found != nil && string(found[min(1, len(found)-1)]) == unit
	}
}

// tellsAt returns whether length bytes at a place, from the end when it is below
// 0, are the unit, read as text, hex or number.
func tellsAt(at, length int, as string) func(frame []byte, unit string) bool {
	return func(frame []byte, unit string) bool {
		from := at
		if from < 0 {
			from += len(frame)
		}
		if from < 0 || from+length > len(frame) {
			return false
		}
		digits := hex.EncodeToString(frame[from : from+length])
		switch as {
		case "hex":
			return strings.EqualFold(digits, unit)
		case "number":
			want, err := strconv.ParseUint(unit, 10, 32)
			got, failed := strconv.ParseUint(digits, 16, 32)
			return err == nil && failed == nil && got == want
		}
		return string(frame[from:from+length]) == unit
	}
}
