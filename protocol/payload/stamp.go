package payload

import (
	"bytes"
	"math"
	"math/bits"
	"strconv"
	"time"

	"sluice/protocol"
)

// stamp is where and how a message holds the device's time, compiled.
type stamp struct {
	path   path
	power  int    // a number counts units of 10^power ns; unused with a layout
	layout string // "" for a number
	zone   *time.Location
}

func newStamp(t *Time) *stamp {
	if t == nil {
		return nil
	}
	s := &stamp{path: newPath(t.Path), zone: time.UTC}
	if zone, err := time.LoadLocation(t.Zone); err == nil {
		s.zone = zone
	}
	s.power, s.layout = t.form()
	return s
}

// form returns what one unit of a numeric format is, 10^power ns, or the layout
// of a text.
func (t Time) form() (power int, layout string) {
	switch t.Format {
	case "unix":
		return 9, ""
	case "unix_ms":
		return 6, ""
	case "unix_us":
		return 3, ""
	case "unix_ns":
		return 0, ""
	case "rfc3339":
		return 0, time.RFC3339Nano
	}
	return 0, t.Format
}

// read converts s to a time. Digits below a nanosecond are cut off; a time
// without a zone is in the profile's. Zero, the beginning of 1970, is the time of a device
// whose clock is not set and means none.
func (t *stamp) read(s scalar) (protocol.Timestamp, *protocol.Refusal) {
	if t.layout != "" {
		return t.parse(s)
	}
	d, ok := s.decimal()
	if !ok {
		return 0, protocol.Refuse("time", "want a number, found %s", s.excerpt())
	}
	ns, ok := d.nanoseconds(t.power)
	if !ok {
		return 0, protocol.Refuse("time", "%s %s lie outside the years 1678 to 2262", s.excerpt(), t.units())
	}
	return ns, nil
}

// units names what a number counts, for people.
func (t *stamp) units() string {
	switch t.power {
	case 9:
		return "seconds"
	case 6:
		return "milliseconds"
	case 3:
		return "microseconds"
	}
	return "nanoseconds"
}

func (t *stamp) parse(s scalar) (protocol.Timestamp, *protocol.Refusal) {
	at, err := time.ParseInLocation(t.layout, string(bytes.TrimSpace(s.src)), t.zone)
	if err != nil {
		return 0, protocol.Refuse("time", "want a time such as %q, found %s", t.layout, s.excerpt())
	}
	if at.Before(time.Unix(0, math.MinInt64)) || at.After(time.Unix(0, math.MaxInt64)) {
		return 0, protocol.Refuse("time", "%s lies outside the years 1678 to 2262", s.excerpt())
	}
	return protocol.At(at), nil
}

// nanoseconds returns d, in units of 10^power ns, cut to whole nanoseconds, and
// false when it lies outside a Timestamp.
func (d *decimal) nanoseconds(power int) (protocol.Timestamp, bool) {
	exp := d.exp + power
	n := d.digits
	switch {
	case n == 0 || exp <= -len(powers):
		return 0, true
	case exp < 0:
		n /= powers[-exp]
	case exp >= len(powers):
		return 0, false
	default:
		hi, lo := bits.Mul64(n, powers[exp])
		if hi != 0 {
			return 0, false
		}
		n = lo
	}
	if n > math.MaxInt64 {
		return 0, false
	}
	if d.neg {
		return -protocol.Timestamp(n), true
	}
	return protocol.Timestamp(n), true
}

// IsNumber reports whether the format is a number; a text needs quotes in JSON.
func (t Time) IsNumber() bool {
	_, layout := t.form()
	return layout == ""
}

// Append appends ts as a device sends it, without quotes: the inverse of
// reading it. A number has as many decimals as it takes; a text is in the
// profile's zone and holds what its layout holds.
func (t Time) Append(dst []byte, ts protocol.Timestamp) []byte {
	power, layout := t.form()
	if layout != "" {
		at := ts.Time()
		if zone, err := time.LoadLocation(t.Zone); err == nil {
			at = at.In(zone)
		}
		return at.AppendFormat(dst, layout)
	}
	n := magnitude(int64(ts))
	if ts < 0 {
		dst = append(dst, '-')
	}
	dst = strconv.AppendUint(dst, n/powers[power], 10)
	rest := n % powers[power]
	if rest == 0 {
		return dst
	}
	first := len(dst)
	dst = strconv.AppendUint(dst, powers[power]+rest, 10) // the leading 1 keeps the zeros
	dst[first] = '.'
	return bytes.TrimRight(dst, "0")
}
