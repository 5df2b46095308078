package payload

import (
	"encoding/base64"
	"encoding/binary"
	"math"
	"strconv"

	"github.com/tinylib/msgp/msgp"

	"sluice/protocol"
)

// The encoders write a reading as a device would: one flat object with a member
// for each metric and one for the time, if t says where and how and the reading
// has a device time. Metrics without a value are left out. A profile that lists
// no metrics reads it back, numbers as it takes them; one with types reads it
// back exactly.

// AppendFlatJSON appends r as JSON. Bytes become base64; NaN and the infinities,
// which JSON does not have, are left out.
func AppendFlatJSON(dst []byte, r *protocol.Reading, t *Time) []byte {
	dst = append(dst, '{')
	first := true
	name := func(text string) {
		if !first {
			dst = append(dst, ',')
		}
		first = false
		dst = append(protocol.AppendJSONString(dst, text), ':')
	}
	if hasTime(r, t) {
		name(t.Path)
		dst = appendTimeJSON(dst, r.SourceTime, t)
	}
	for i := range r.Metrics {
		if m := &r.Metrics[i]; sayable(m.Value) {
			name(m.Name)
			dst = appendValueJSON(dst, m.Value)
		}
	}
	return append(dst, '}')
}

// hasTime reports whether a time is to be written.
func hasTime(r *protocol.Reading, t *Time) bool { return t != nil && r.SourceTime != 0 }

// sayable reports whether JSON has a word for v.
func sayable(v protocol.Value) bool {
	f := v.Float()
	return !v.IsNull() && !math.IsNaN(f) && !math.IsInf(f, 0)
}

func appendTimeJSON(dst []byte, ts protocol.Timestamp, t *Time) []byte {
	if t.IsNumber() {
		return t.Append(dst, ts)
	}
	return protocol.AppendJSONString(dst, string(t.Append(nil, ts)))
}

func appendValueJSON(dst []byte, v protocol.Value) []byte {
	switch v.Kind() {
	case protocol.KindFloat:
		return strconv.AppendFloat(dst, v.Float(), 'g', -1, 64)
	case protocol.KindInt:
		return strconv.AppendInt(dst, v.Int(), 10)
	case protocol.KindUint:
		return strconv.AppendUint(dst, v.Uint(), 10)
	case protocol.KindBool:
		return strconv.AppendBool(dst, v.Bool())
	case protocol.KindBytes:
		dst = append(dst, '"')
		dst = base64.StdEncoding.AppendEncode(dst, []byte(v.Text()))
		return append(dst, '"')
	}
	return protocol.AppendJSONString(dst, v.Text())
}

// AppendCBOR appends r as CBOR in its preferred form: the shortest heads, floats
// in 32 bits where nothing is lost. A time as a number that is not whole in its
// unit has the precision of a float64.
func AppendCBOR(dst []byte, r *protocol.Reading, t *Time) []byte {
	dst = appendHead(dst, majorMap, uint64(members(r, t)))
	if hasTime(r, t) {
		dst = appendValueCBOR(appendTextCBOR(dst, t.Path), t.value(r.SourceTime))
	}
	for i := range r.Metrics {
		if m := &r.Metrics[i]; !m.Value.IsNull() {
			dst = appendValueCBOR(appendTextCBOR(dst, m.Name), m.Value)
		}
	}
	return dst
}

// members returns how many members r has as an object.
func members(r *protocol.Reading, t *Time) int {
	n := 0
	if hasTime(r, t) {
		n++
	}
	for i := range r.Metrics {
		if !r.Metrics[i].Value.IsNull() {
			n++
		}
	}
	return n
}

// value returns what stands for ts in a binary form.
func (t *Time) value(ts protocol.Timestamp) protocol.Value {
	power, layout := t.form()
	if layout != "" {
		return protocol.String(string(t.Append(nil, ts)))
	}
	if unit := int64(powers[power]); int64(ts)%unit == 0 {
		return protocol.Int(int64(ts) / unit)
	}
	d := scaledDecimal(int64(ts), -power)
	f, _ := d.float()
	return protocol.Float(f)
}

// appendHead appends the head of an item with its argument.
func appendHead(dst []byte, major byte, arg uint64) []byte {
	major <<= 5
	switch {
	case arg < 24:
		return append(dst, major|byte(arg))
	case arg <= math.MaxUint8:
		return append(dst, major|24, byte(arg))
	case arg <= math.MaxUint16:
		return append(dst, major|25, byte(arg>>8), byte(arg))
	case arg <= math.MaxUint32:
		return append(dst, major|26, byte(arg>>24), byte(arg>>16), byte(arg>>8), byte(arg))
	}
	return binary.BigEndian.AppendUint64(append(dst, major|27), arg)
}

func appendTextCBOR(dst []byte, text string) []byte {
	return append(appendHead(dst, majorText, uint64(len(text))), text...)
}

func appendValueCBOR(dst []byte, v protocol.Value) []byte {
	switch v.Kind() {
	case protocol.KindFloat:
		return appendFloatCBOR(dst, v.Float())
	case protocol.KindInt:
		if n := v.Int(); n < 0 {
			return appendHead(dst, majorNegative, uint64(^n))
		}
		return appendHead(dst, majorUint, uint64(v.Int()))
	case protocol.KindUint:
		return appendHead(dst, majorUint, v.Uint())
	case protocol.KindBool:
		if v.Bool() {
			return append(dst, 0xf5)
		}
		return append(dst, 0xf4)
	case protocol.KindBytes:
		return append(appendHead(dst, majorBytes, uint64(len(v.Text()))), v.Text()...)
	}
	return appendTextCBOR(dst, v.Text())
}

// appendFloatCBOR appends a float in 16 bits if it is NaN, in 32 if nothing is
// lost, otherwise in 64.
func appendFloatCBOR(dst []byte, f float64) []byte {
	switch short := float32(f); {
	case math.IsNaN(f):
		return append(dst, 0xf9, 0x7e, 0)
	case float64(short) == f:
		return binary.BigEndian.AppendUint32(append(dst, 0xfa), math.Float32bits(short))
	}
	return binary.BigEndian.AppendUint64(append(dst, 0xfb), math.Float64bits(f))
}

// AppendMsgPack appends r as MessagePack. A time as a number that is not whole in
// its unit has the precision of a float64.
func AppendMsgPack(dst []byte, r *protocol.Reading, t *Time) []byte {
	dst = msgp.AppendMapHeader(dst, uint32(members(r, t)))
	if hasTime(r, t) {
		dst = appendValueMsgPack(msgp.AppendString(dst, t.Path), t.value(r.SourceTime))
	}
	for i := range r.Metrics {
		if m := &r.Metrics[i]; !m.Value.IsNull() {
			dst = appendValueMsgPack(msgp.AppendString(dst, m.Name), m.Value)
		}
	}
	return dst
}

func appendValueMsgPack(dst []byte, v protocol.Value) []byte {
	switch v.Kind() {
	case protocol.KindFloat:
		return msgp.AppendFloat64(dst, v.Float())
	case protocol.KindInt:
		return msgp.AppendInt64(dst, v.Int())
	case protocol.KindUint:
		return msgp.AppendUint64(dst, v.Uint())
	case protocol.KindBool:
		return msgp.AppendBool(dst, v.Bool())
	case protocol.KindBytes:
		return append(msgp.AppendBytesHeader(dst, uint32(len(v.Text()))), v.Text()...)
	}
	return msgp.AppendString(dst, v.Text())
}
