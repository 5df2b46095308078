package protocol

import (
	"encoding/base64"
	"math"
	"strconv"
	"time"
	"unicode/utf8"
)

// AppendJSON appends r as one JSON object, the form in which readings leave the
// gateway:
//
//	{"id":"00f1…-17","device":"s1","profile":"climate","driver":"floor",
//	 "time":"2026-11-22T10:00:00.25Z","received":"2026-11-22T10:00:00.26Z",
//	 "tags":{"area":"a"},"metrics":{"temperature":21.5},
//	 "units":{"temperature":"°C"},"quality":{"temperature":"bad"}}
//
// time is r.Time(); received is there only when the device sent a time of its
// own; "clock":"unset" says that the gateway's clock was not set when the reading
// arrived, "clock":"skewed" that the device's time was too far from it to be
// used, and "historical":true that newer readings went before it. Empty tags,
// units and qualities that are good are left out. Integers are written exactly,
// bytes as base64, and a float that JSON cannot hold as the text "NaN", "+Inf"
// or "-Inf".
func AppendJSON(dst []byte, r *Reading) []byte {
	dst = append(dst, `{"id":"`...)
	dst = r.ID.Append(dst)
	dst = append(dst, `","device":`...)
	dst = AppendJSONString(dst, r.Device.Name)
	dst = appendMember(dst, `,"profile":`, r.Device.Profile)
	dst = appendMember(dst, `,"driver":`, r.Device.Driver)
	dst = append(dst, `,"time":`...)
	dst = appendTime(dst, r.Time())
	if r.SourceTime != 0 {
		dst = append(dst, `,"received":`...)
		dst = appendTime(dst, r.ReceivedTime)
	}
	switch {
	case r.ClockUnset:
		dst = append(dst, `,"clock":"unset"`...)
	case r.Skewed:
		dst = append(dst, `,"clock":"skewed"`...)
	}
	if r.Historical {
		dst = append(dst, `,"historical":true`...)
	}
	if len(r.Device.Tags) > 0 {
		dst = append(dst, `,"tags":{`...)
		for i, t := range r.Device.Tags {
			dst = appendKey(dst, i == 0, t.Key)
			dst = AppendJSONString(dst, t.Value)
		}
		dst = append(dst, '}')
	}
	dst = append(dst, `,"metrics":{`...)
	units, worse := false, false
	for i := range r.Metrics {
		m := &r.Metrics[i]
		dst = appendKey(dst, i == 0, m.Name)
		dst = appendValue(dst, m.Value)
		units = units || m.Unit != ""
		worse = worse || m.Quality != Good
	}
	dst = append(dst, '}')
	if units {
		dst = appendOf(dst, `,"units":{`, r.Metrics, func(m *Metric) string { return m.Unit })
	}
	if worse {
		dst = appendOf(dst, `,"quality":{`, r.Metrics, func(m *Metric) string {
			if m.Quality == Good {
				return ""
			}
			return m.Quality.String()
		})
	}
	return append(dst, '}')
}

func appendMember(dst []byte, key, value string) []byte {
	if value == "" {
		return dst
	}
	return AppendJSONString(append(dst, key...), value)
}

func appendKey(dst []byte, first bool, key string) []byte {
	if !first {
		dst = append(dst, ',')
	}
	return append(AppendJSONString(dst, key), ':')
}

// appendOf appends an object of the metrics for which text is not empty.
func appendOf(dst []byte, open string, metrics []Metric, text func(*Metric) string) []byte {
	dst = append(dst, open...)
	first := true
	for i := range metrics {
		if t := text(&metrics[i]); t != "" {
			dst = AppendJSONString(appendKey(dst, first, metrics[i].Name), t)
			first = false
		}
	}
	return append(dst, '}')
}

func appendTime(dst []byte, t Timestamp) []byte {
	dst = append(dst, '"')
	dst = t.Time().AppendFormat(dst, time.RFC3339Nano)
	return append(dst, '"')
}

func appendValue(dst []byte, v Value) []byte {
	switch v.Kind() {
	case KindFloat:
		return appendFloat(dst, v.Float())
	case KindInt:
		return strconv.AppendInt(dst, v.Int(), 10)
	case KindUint:
		return strconv.AppendUint(dst, v.Uint(), 10)
	case KindBool:
		return strconv.AppendBool(dst, v.Bool())
	case KindString:
		return AppendJSONString(dst, v.Text())
	case KindBytes:
		dst = append(dst, '"')
		dst = base64.StdEncoding.AppendEncode(dst, []byte(v.Text()))
		return append(dst, '"')
	}
	return append(dst, "null"...)
}

func appendFloat(dst []byte, f float64) []byte {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		dst = append(dst, '"')
		dst = strconv.AppendFloat(dst, f, 'g', -1, 64)
		return append(dst, '"')
	}
	return strconv.AppendFloat(dst, f, 'g', -1, 64)
}

// AppendJSONString appends s as a JSON string. Invalid UTF-8 becomes U+FFFD.
func AppendJSONString(dst []byte, s string) []byte {
	const digits = "0123456789abcdef"
	dst = append(dst, '"')
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c < utf8.RuneSelf {
			if c >= ' ' && c != '"' && c != '\\' {
				i++
				continue
			}
			dst = append(dst, s[start:i]...)
			switch c {
			case '"', '\\':
				dst = append(dst, '\\', c)
			case '\n':
				dst = append(dst, '\\', 'n')
			case '\r':
				dst = append(dst, '\\', 'r')
			case '\t':
				dst = append(dst, '\\', 't')
			default:
				dst = append(dst, '\\', 'u', '0', '0', digits[c>>4], digits[c&15])
			}
			i++
			start = i
			continue
		}
		r, n := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && n == 1 {
			dst = append(dst, s[start:i]...)
			dst = append(dst, "\uFFFD"...)
			start = i + n
		}
		i += n
	}
	dst = append(dst, s[start:]...)
	return append(dst, '"')
}
