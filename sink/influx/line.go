package influx

import (
	"encoding/base64"
	"errors"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"sluice/protocol"
	"sluice/sink"
)

var errNoField = errors.New("encode reading: no metric that InfluxDB can hold (all are null, NaN or infinite)")

// encoder turns readings into the line protocol, one line each:
//
//	climate,area=a,device=s1,driver=floor,gateway=plant-7 temperature=21.5,count=3i 1763805600250000000
//
// The measurement is the template's text, "readings" when that is empty. Tags
// are the device's own, "device", "driver" and "gateway" with their names, so
// that equal names elsewhere are other series, and the configured ones; of two
// with the same key the later in this list counts, and an empty value is left
// out. A reserved key gets a trailing underscore.
type encoder struct {
	gateway     string
	measurement *sink.Template
	tags        map[string]*sink.Template
	series      *sink.PerDevice[string] // measurement and tags of a line
}

func newEncoder(gateway string, cfg Config) (*encoder, error) {
	e := &encoder{gateway: gateway, tags: map[string]*sink.Template{}}
	e.series = sink.NewPerDevice(e.seriesOf)
	var err error
	if e.measurement, err = sink.ParseTemplate(cfg.Measurement); err != nil {
		return nil, err
	}
	for key, text := range cfg.Tags {
		if e.tags[key], err = sink.ParseTemplate(text); err != nil {
			return nil, err
		}
	}
	return e, nil
}

func (e *encoder) seriesOf(d *protocol.Device) string {
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

func (e *encoder) tagsOf(d *protocol.Device) map[string]string {
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

// appendLine appends r as one line with its newline. It reports false, and
// appends nothing, when r has no metric that can be stored.
//
// A float becomes a float, an int and a uint an integer, a bool a boolean, a
// string a string and bytes a string in base64. A uint beyond the range of an
// integer is written as unsigned: InfluxDB 1.8, and a field that already holds
// integers, refuse that, so that no digit is ever lost without a word. Null, NaN
// and infinities are left out.
func (e *encoder) appendLine(dst []byte, r *protocol.Reading) ([]byte, bool) {
	start := len(dst)
	dst = append(dst, e.series.Of(r.Device)...)
	separator := byte(' ')
	for i := range r.Metrics {
		m := &r.Metrics[i]
		if !isStorable(m.Value) {
			continue
		}
		dst = appendName(append(dst, separator), fieldKey(r.Metrics, m.Name), endsKey)
		dst = appendField(append(dst, '='), m.Value)
		separator = ','
	}
	if separator == ' ' {
		return dst[:start], false
	}
	dst = strconv.AppendInt(append(dst, ' '), int64(r.Time()), 10)
	return append(dst, '\n'), true
}

func isStorable(v protocol.Value) bool {
	f := v.Float()
	return !v.IsNull() && !math.IsNaN(f) && !math.IsInf(f, 0)
}

// fieldKey returns the key for a metric; one without a name is "value".
func fieldKey(metrics []protocol.Metric, name string) string {
	if name == "" {
		return "value"
	}
	if !isReserved(name) {
		return name
	}
	return freeKey(name, func(key string) bool {
		return slices.ContainsFunc(metrics, func(m protocol.Metric) bool { return m.Name == key })
	})
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
