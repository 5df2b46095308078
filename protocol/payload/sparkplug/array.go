package sparkplug

import (
	"bytes"
	"encoding/binary"
	"strconv"

	"sluice/protocol"
)

// array appends the elements of an array: numbers one after the other with the
// lowest byte first, bits with the highest first behind their count, and texts
// that end with NUL.
func (d *Decoder) array(m *metric, v stamped) *protocol.Refusal {
	packed := v.text
	v.datatype = v.datatype.element()
	switch v.datatype {
	case Boolean:
		return d.bits(m, v, packed)
	case String:
		return d.texts(m, v, packed)
	}
	size := v.datatype.bits() / 8
	if len(packed)%size != 0 {
		return protocol.Refuse("syntax", "metric %s: %d bytes are no array of %v", m.name, len(packed), v.datatype)
	}
	for i := 0; len(packed) > 0; i++ {
		v.raw = v.datatype.unpack(packed[:size])
		packed = packed[size:]
		if err := d.element(m, i, v); err != nil {
			return err
		}
	}
	return nil
}

// unpack reads a number as it stands in an array.
func (t DataType) unpack(p []byte) raw {
	switch t {
	case Float:
		return raw{part: floatPart, num: uint64(binary.LittleEndian.Uint32(p))}
	case Double:
		return raw{part: doublePart, num: binary.LittleEndian.Uint64(p)}
	}
	var n uint64
	for i := len(p) - 1; i >= 0; i-- {
		n = n<<8 | uint64(p[i])
	}
	return raw{part: longPart, num: n}
}

func (d *Decoder) bits(m *metric, v stamped, packed []byte) *protocol.Refusal {
	const head = 4
	if len(packed) < head {
		return protocol.Refuse("syntax", "metric %s: %d bytes are no array of Boolean", m.name, len(packed))
	}
	count, packed := uint64(binary.LittleEndian.Uint32(packed)), packed[head:]
	if uint64(len(packed)) != (count+7)/8 {
		return protocol.Refuse("syntax", "metric %s: %d bytes do not hold %d bits", m.name, len(packed), count)
	}
	for i := range int(count) {
		v.raw = raw{part: boolPart, num: uint64(packed[i/8] >> (7 - i%8) & 1)}
		if err := d.element(m, i, v); err != nil {
			return err
		}
	}
	return nil
}

func (d *Decoder) texts(m *metric, v stamped, packed []byte) *protocol.Refusal {
	for i := 0; len(packed) > 0; i++ {
		var text []byte
		text, packed, _ = bytes.Cut(packed, []byte{0})
		v.raw = raw{part: stringPart, text: text}
		if err := d.element(m, i, v); err != nil {
			return err
		}
	}
	return nil
}

// element appends the value v for the element i of m.
func (d *Decoder) element(m *metric, i int, v stamped) *protocol.Refusal {
	d.name = append(append(d.name[:0], m.name...), '_')
	d.name = strconv.AppendInt(d.name, int64(i), 10)
	return d.named(v)
}

// named appends the value v for the metric that d.name names.
func (d *Decoder) named(v stamped) *protocol.Refusal {
	m, err := d.source.learn(d.name)
	if err != nil {
		return err
	}
	m.unit = v.unit
	return d.scalar(m, &v)
}
