package payload

import (
	"encoding/base64"

	"sluice/protocol"
)

// AppendSenML appends readings as a pack of SenML in JSON. A reading without a
// device time, or with one before July 1978, which would mean one relative to
// now, is as old as the message. Metrics without a value, NaN and the infinities
// are left out. The RFC's characters for a name are letters, digits and -:./_:
// others become "_", and a name that begins with one of the latter gets an "x" in
// front.
func AppendSenML(dst []byte, readings []protocol.Reading) []byte {
	dst = append(dst, '[')
	first := true
	eachRecord(readings, func(r senmlOut) {
		if !first {
			dst = append(dst, ',')
		}
		first = false
		dst = append(dst, '{')
		if r.rebased {
			dst = append(dst, `"bt":`...)
			dst = append(Time{Format: "unix"}.Append(dst, r.time), ',')
		}
		dst = append(dst, `"n":"`...)
		dst = append(appendSenMLName(dst, r.metric.Name), '"')
		if unit := senmlUnitOf(r.metric.Unit); unit != "" {
			dst = protocol.AppendJSONString(append(dst, `,"u":`...), unit)
		}
		dst = append(dst, ',', '"')
		dst = append(dst, senmlLabels[r.field]...)
		dst = append(dst, '"', ':')
		if r.field != senmlData {
			dst = append(appendValueJSON(dst, r.metric.Value), '}')
			return
		}
		dst = append(dst, '"')
		dst = base64.RawURLEncoding.AppendEncode(dst, []byte(r.metric.Value.Text()))
		dst = append(dst, '"', '}')
	})
	return append(dst, ']')
}

// AppendSenMLCBOR appends readings as a pack of SenML in CBOR, as AppendSenML
// does. Times have all their digits.
func AppendSenMLCBOR(dst []byte, readings []protocol.Reading) []byte {
	n := 0
	eachRecord(readings, func(senmlOut) { n++ })
	dst = appendHead(dst, majorArray, uint64(n))
	var name []byte
	eachRecord(readings, func(r senmlOut) {
		unit := senmlUnitOf(r.metric.Unit)
		fields := 2
		if r.rebased {
			fields++
		}
		if unit != "" {
			fields++
		}
		dst = appendHead(dst, majorMap, uint64(fields))
		if r.rebased {
			dst = appendSecondsCBOR(appendLabel(dst, senmlBaseTime), r.time)
		}
		name = appendSenMLName(name[:0], r.metric.Name)
		dst = appendHead(appendLabel(dst, senmlName), majorText, uint64(len(name)))
		dst = append(dst, name...)
		if unit != "" {
			dst = appendTextCBOR(appendLabel(dst, senmlUnit), unit)
		}
		dst = appendValueCBOR(appendLabel(dst, r.field), r.metric.Value)
	})
	return dst
}

func appendLabel(dst []byte, field int) []byte {
	return appendValueCBOR(dst, protocol.Int(int64(field-senmlName)))
}

// appendSecondsCBOR appends a time in seconds, as a decimal fraction when it is
// not whole.
func appendSecondsCBOR(dst []byte, ts protocol.Timestamp) []byte {
	if ts%1e9 == 0 {
		return appendValueCBOR(dst, protocol.Int(int64(ts/1e9)))
	}
	dst = appendHead(appendHead(dst, majorTag, tagDecimal), majorArray, 2)
	return appendValueCBOR(appendValueCBOR(dst, protocol.Int(-9)), protocol.Int(int64(ts)))
}

// senmlOut is a record to be written.
type senmlOut struct {
	metric  *protocol.Metric
	field   int // that holds its value
	time    protocol.Timestamp
	rebased bool // the time differs from that of the record before
}

// eachRecord calls write for the records that readings make.
func eachRecord(readings []protocol.Reading, write func(senmlOut)) {
	var last protocol.Timestamp
	for i := range readings {
		at := readings[i].SourceTime
		if at < relativeBelow*1e9 {
			at = 0
		}
		for j := range readings[i].Metrics {
			m := &readings[i].Metrics[j]
			if sayable(m.Value) {
				write(senmlOut{metric: m, field: senmlFieldOf(m.Value.Kind()), time: at, rebased: at != last})
				last = at
			}
		}
	}
}

// senmlFieldOf returns the field that holds a value of kind k.
func senmlFieldOf(k protocol.Kind) int {
	switch k {
	case protocol.KindBool:
		return senmlBool
	case protocol.KindString:
		return senmlText
	case protocol.KindBytes:
		return senmlData
	}
	return senmlValue
}

func senmlUnitOf(unit string) string {
	if unit == "°C" {
		return "Cel"
	}
	return unit
}

func appendSenMLName(dst []byte, name string) []byte {
	if name == "" || !senmlNameable([]byte(name[:1])) {
		dst = append(dst, 'x')
	}
	for i := range len(name) {
		if c := name[i]; senmlNameable([]byte{'x', c}) {
			dst = append(dst, c)
		} else {
			dst = append(dst, '_')
		}
	}
	return dst
}
