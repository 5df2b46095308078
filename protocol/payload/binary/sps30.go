package binary

import (
	"bytes"

	"sluice/protocol"
	"sluice/protocol/binary"
)

// The frames of an SPS30 on its serial line (SHDLC):
//
//	7e · address · command · state · length · data · checksum · 7e
//
// with 7d and another byte for each 7e, 7d, 11 and 13 in between. The checksum
// is the inverted sum of what lies between the flags.
const (
	shdlcFlag    = 0x7e
	shdlcEscape  = 0x7d
	shdlcHead    = 4   // bytes before the data
	shdlcLongest = 260 // without flags and stuffing
	shdlcRead    = 3   // the command that asks for a measurement
	shdlcError   = 0x7f
)

// sensirion returns the ten values of an SPS30, each of size bytes. The size of
// particles is counted in µm · 10^exp.
func sensirion(typ string, size, exp int) []value {
	var all []value
	for i, v := range [...]value{
		{name: "pm1_0", unit: microgram}, {name: "pm2_5", unit: microgram}, {name: "pm4_0", unit: microgram}, {name: "pm10", unit: microgram},
		{name: "nc0_5", unit: perCubic}, {name: "nc1_0", unit: perCubic}, {name: "nc2_5", unit: perCubic}, {name: "nc4_0", unit: perCubic}, {name: "nc10", unit: perCubic},
		{name: "typical_particle_size", unit: "µm", exp: exp},
	} {
		v.Field = binary.Field{At: i * size, Type: typ}
		all = append(all, v)
	}
	return all
}

// integers is the layout of an SPS30 that was asked for whole numbers.
func integers() (layout, error) {
	metrics, err := metricsOf(sensirion("uint16", 2, -3))
	return layout{length: 20, metrics: metrics}, err
}

// shdlc reads the frames of a message, or a measurement that has been taken out
// of its frame. What a sensor answers to other commands is not looked at.
func (d *Decoder) shdlc(b *protocol.Batch, message []byte) error {
	if message[0] != shdlcFlag {
		return d.measured(b, message)
	}
	before := len(b.Readings)
	var nothing error // why a frame that is in order holds nothing
	for rest := bytes.TrimRight(message, "\r\n"); len(rest) > 0; {
		end := bytes.IndexByte(rest[1:], shdlcFlag) + 1
		var err error
		switch {
		case rest[0] != shdlcFlag:
			err = protocol.Refuse("syntax", "%02x stands before a frame, want 7e", rest[0])
		case end < 1:
			err = protocol.Refuse("syntax", "the frame has no end")
		default:
			var found bool
			if found, err = d.answer(b, rest[1:end]); !found && err != nil {
				nothing, err = err, nil
			}
		}
		if err != nil {
			b.Readings = b.Readings[:before]
			return err
		}
		rest = rest[end+1:]
	}
	switch {
	case len(b.Readings) > before:
		return nil
	case nothing != nil:
		return nothing
	}
	return protocol.Refuse("kind", "the answer is to another command than read measurement")
}

// answer reads one frame without its flags. An error with false is of a frame
// that is in order and holds nothing.
func (d *Decoder) answer(b *protocol.Batch, stuffed []byte) (bool, error) {
	frame, err := d.unstuff(stuffed)
	if err != nil {
		return true, err
	}
	last := len(frame) - 1
	switch {
	case last < shdlcHead:
		return true, protocol.Refuse("syntax", "a frame of %d bytes, want at least %d", len(frame), shdlcHead+1)
	case inverted(frame[:last]) != frame[last]:
		return true, protocol.Refuse("checksum", "the sum is %02x, the frame says %02x", inverted(frame[:last]), frame[last])
	case int(frame[3]) != last-shdlcHead:
		return true, protocol.Refuse("syntax", "%d bytes of data, the frame says %d", last-shdlcHead, frame[3])
	case frame[2]&shdlcError != 0:
		return true, protocol.Refuse("kind", "the sensor answers with error 0x%02x%s", frame[2]&shdlcError, shdlcErrorText(frame[2]&shdlcError))
	case frame[1] != shdlcRead:
		return false, nil
	case frame[3] == 0:
		return false, protocol.Refuse("missing", "the sensor has no new measurement")
	}
	return true, d.measured(b, frame[shdlcHead:last])
}

// inverted returns the one's complement of the sum of the bytes.
func inverted(p []byte) byte {
	var sum byte
	for _, b := range p {
		sum += b
	}
	return ^sum
}

func shdlcErrorText(state byte) string {
	switch state {
	case 0x01:
		return ": wrong length of data"
	case 0x02:
		return ": unknown command"
	case 0x03:
		return ": no right to do that"
	case 0x04:
		return ": illegal parameter"
	case 0x28:
		return ": argument out of range"
	case 0x43:
		return ": not allowed in this state"
	}
	return ""
}

// unstuff returns the bytes that a frame stands for.
func (d *Decoder) unstuff(stuffed []byte) ([]byte, error) {
	d.plain = d.plain[:0]
	for i := 0; i < len(stuffed); i++ {
		c := stuffed[i]
		if c == shdlcEscape {
			if i++; i == len(stuffed) {
				return nil, protocol.Refuse("syntax", "the frame ends within a pair of stuffing")
			}
			c = stuffed[i] ^ 0x20
		}
		if d.plain = append(d.plain, c); len(d.plain) > shdlcLongest {
			return nil, protocol.Refuse("size", "the frame is longer than %d bytes", shdlcLongest)
		}
	}
	return d.plain, nil
}

// measured reads the ten values, floats or integers.
func (d *Decoder) measured(b *protocol.Batch, data []byte) error {
	if len(data) >= d.whole.length && len(data) < d.length {
		return d.measurement(b, &d.whole, data)
	}
	return d.measurement(b, &d.layout, data)
}
