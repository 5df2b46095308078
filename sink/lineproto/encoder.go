// Package lineproto turns readings into InfluxDB's line protocol, for the sinks
// that write it.
package lineproto

import (
	"encoding/base64"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"sluice/protocol"
	"sluice/sink"
)

// Encoder turns readings into lines, one each:
//
//	climate,area=a,device=s1,driver=floor,gateway=plant-7 temperature=21.5,count=3i 1763805600250000000
//
// The measurement is the template's text, "readings" when that is empty. Tags
// are the device's own, "device", "driver" and "gateway" with their names, so
// that equal names elsewhere are other series, and the configured ones; of two
// with the same key the later in this list counts, and an empty value is left
// out. A reserved key gets a trailing underscore. Units and qualities are fields:
// as tags they would make another series of each set of metrics. An Encoder is
// not safe for concurrent use.
type Encoder struct {
	gateway     string
	measurement *sink.Template
	tags        map[string]*sink.Template
	unit        int64 // of times, in nanoseconds
	units       bool
	quality     bool
	series      *sink.PerDevice[string] // measurement and tags of a line
}

// New returns the encoder of a gateway. f has passed Validate.
func New(gateway string, f Format) (*Encoder, error) {
	e := &Encoder{
		gateway: gateway, tags: map[string]*sink.Template{},
		unit: max(f.unit(), 1), units: f.Units, quality: f.Quality,
	}
	e.series = sink.NewPerDevice(e.seriesOf)
	var err error
	if e.measurement, err = sink.ParseTemplate(f.Measurement); err != nil {
		return nil, err
	}
	for key, text := range f.Tags {
		if e.tags[key], err = sink.ParseTemplate(text); err != nil {
			return nil, err
		}
	}
	return e, nil
}

func (e *Encoder) seriesOf(d *protocol.Device) string {
	measurement := string(e.measurement.Append(nil, e.gateway, d, nil))
	if measurement == "" {
		measurement = "readings"
	}
	line := appendName(nil, measurement, endsMeasurement)
	tags := e.tagsOf(d)
	for _, key := range slices.Sorted(maps.Keys(tags)) {
		line = appendName(append(line, ','), key, endsKey)
		line = appendName(append(line, '='), tags[key], endsKey)
	}
	return string(line)
}

func (e *Encoder) tagsOf(d *protocol.Device) map[string]string {
	all := map[string]string{}
	for _, t := range d.Tags {
		all[t.Key] = t.Value
	}
	all["device"], all["driver"], all["gateway"] = d.Name, d.Driver, e.gateway
	for key, value := range e.tags {
		all[key] = string(value.Append(nil, e.gateway, d, nil))
	}
	tags := make(map[string]string, len(all))
	for _, key := range slices.Sorted(maps.Keys(all)) {
		if key != "" && all[key] != "" {
			taken := func(k string) bool { _, ok := all[k]; return ok }
			tags[freeKey(key, taken)] = all[key]
		}
	}
	return tags
}

// Append appends r as one line with its newline. The error says what of r is not
// in it, for good: metrics that are NaN or infinite, or all of r, in which case
// nothing is appended. A null is no value, so that nobody misses it; where
// qualities are written, that of a null is.
//
// A float becomes a float, an int and a uint an integer, a bool a boolean, a
// string a string and bytes a string in base64. A uint beyond the range of an
// integer is written as unsigned: InfluxDB 1.8, and a field that already holds
// integers, refuse that, so that no digit is ever lost without a word.
func (e *Encoder) Append(dst []byte, r *protocol.Reading) ([]byte, error) {
	start := len(dst)
	dst = append(dst, e.series.Of(r.Device)...)
	separator, lost := byte(' '), false
	for i := range r.Metrics {
		m := &r.Metrics[i]
		switch {
		case m.Value.IsNull():
			if e.quality && m.Quality != protocol.Good && !has(r.Metrics, nameOf(m), "_quality") {
				dst = appendRemark(dst, separator, nameOf(m), "_quality", m.Quality.String())
				separator = ','
			}
			continue
		case !isFinite(m.Value):
			lost = true
			continue
		}
		dst = appendName(append(dst, separator), fieldKey(r.Metrics, m.Name), endsKey)
		dst = appendField(append(dst, '='), m.Value)
		separator = ','
		dst = e.appendRemarks(dst, r.Metrics, m)
	}
	if separator == ' ' {
		return dst[:start], lossOf(r.Metrics, false)
	}
	if e.quality && r.ClockUnset && !has(r.Metrics, "clock", "_unset") {
		dst = append(dst, ",clock_unset=true"...)
	}
	if e.quality && r.Skewed && !has(r.Metrics, "clock", "_skewed") {
		dst = append(dst, ",clock_skewed=true"...)
	}
	dst = strconv.AppendInt(append(dst, ' '), e.timeOf(r), 10)
	if dst = append(dst, '\n'); lost {
		return dst, lossOf(r.Metrics, true)
	}
	return dst, nil
}

// timeOf returns r's time in the encoder's unit, cut down towards the past.
func (e *Encoder) timeOf(r *protocol.Reading) int64 {
	t := int64(r.Time())
	steps := t / e.unit
	if t%e.unit < 0 {
		steps--
	}
	return steps
}

// appendRemarks appends the fields that tell m's unit and quality. A metric that
// has such a name comes first.
func (e *Encoder) appendRemarks(dst []byte, metrics []protocol.Metric, m *protocol.Metric) []byte {
	if e.units && m.Unit != "" && !has(metrics, nameOf(m), "_unit") {
		dst = appendRemark(dst, ',', nameOf(m), "_unit", m.Unit)
	}
	if e.quality && m.Quality != protocol.Good && !has(metrics, nameOf(m), "_quality") {
		dst = appendRemark(dst, ',', nameOf(m), "_quality", m.Quality.String())
	}
	return dst
}

func nameOf(m *protocol.Metric) string {
	if m.Name == "" {
		return unnamed
	}
	return m.Name
}

func appendRemark(dst []byte, separator byte, name, suffix, text string) []byte {
	dst = append(appendName(append(dst, separator), name, endsKey), suffix...)
	return appendText(append(dst, '='), text)
}

// has reports whether there is a metric called name+suffix.
func has(metrics []protocol.Metric, name, suffix string) bool {
	return slices.ContainsFunc(metrics, func(m protocol.Metric) bool {
		head, ok := strings.CutSuffix(m.Name, suffix)
		return ok && head == name
	})
}

func isFinite(v protocol.Value) bool {
	f := v.Float()
	return !math.IsNaN(f) && !math.IsInf(f, 0)
}

// unnamed is the field of a metric without a name.
const unnamed = "value"

func fieldKey(metrics []protocol.Metric, name string) string {
	if name == "" {
		return unnamed
	}
	if !isReserved(name) {
		return name
	}
	return freeKey(name, func(key string) bool { return has(metrics, key, "") })
}

func appendField(dst []byte, v protocol.Value) []byte {
	switch v.Kind() {
	case protocol.KindFloat:
		return strconv.AppendFloat(dst, v.Float(), 'g', -1, 64)
	case protocol.KindInt:
		return append(strconv.AppendInt(dst, v.Int(), 10), 'i')
	case protocol.KindUint:
		unit := byte('i')
		if v.Uint() > math.MaxInt64 {
			unit = 'u'
		}
		return append(strconv.AppendUint(dst, v.Uint(), 10), unit)
	case protocol.KindBool:
		return strconv.AppendBool(dst, v.Bool())
	case protocol.KindBytes:
		dst = base64.StdEncoding.AppendEncode(append(dst, '"'), []byte(v.Text()))
		return append(dst, '"')
	}
	return appendText(dst, v.Text())
}

// appendText appends a string field. Line breaks stand in it as they are.
func appendText(dst []byte, s string) []byte {
	s = strings.ToValidUTF8(s, "\uFFFD")
	dst = append(dst, '"')
	for {
		i := strings.IndexAny(s, `"\`)
		if i < 0 {
			return append(append(dst, s...), '"')
		}
		dst = append(append(dst, s[:i]...), '\\', s[i])
		s = s[i+1:]
	}
}
