// Package cayennelpp reads and writes the Cayenne Low Power Payload, which many
// LoRaWAN sensors send.
package cayennelpp

import (
	"strconv"

	"sluice/protocol"
)

// maxMessage is how long a message may be in bytes; a longer one is refused with
// the reason "size". LoRaWAN carries 242 at most.
const maxMessage = 1024

// Config says what a decoder makes of its messages.
type Config struct {
	// Time makes the first value of type unixtime the reading's device time.
	// Otherwise it is a metric like others: many devices use it for something
	// else, such as the time of their last alarm.
	Time bool `yaml:"time"`
}

// DefaultConfig returns the values that hold where the file is silent.
func DefaultConfig() Config { return Config{} }

// Decoder reads messages. It is owned by one goroutine.
type Decoder struct {
	config Config
	names  map[place]*name
	turn   uint64 // counts messages
}

// place is what a metric's name is made of. There are some ten thousand at most,
// so that all of them may be remembered.
type place struct {
	channel byte
	kind    Type
	index   byte // among the values of the type
}

type name struct {
	text string
	used uint64 // the message that used it last
}

// New returns a decoder.
func New(c Config) *Decoder { return &Decoder{config: c, names: map[place]*name{}} }

// Decode appends the one reading of message to b. On error b is as it was before
// and the error is a *protocol.Refusal: a message is read as a whole or not at
// all, because behind a type that is not known nobody knows where the next value
// begins.
//
// Metrics are called after the type and the channel: temperature_1, accelerometer_3_x,
// gps_3_latitude. Of two values with the same type and channel the first counts.
func (d *Decoder) Decode(b *protocol.Batch, message []byte) error {
	switch {
	case len(message) == 0:
		return protocol.Refuse("empty", "the message is empty")
	case len(message) > maxMessage:
		return protocol.Refuse("size", "%d bytes, want at most %d", len(message), maxMessage)
	}
	d.turn++
	r := b.Add()
	for pos := 0; pos < len(message); {
		n, err := d.value(r, message[pos:])
		if err != nil {
			b.Readings = b.Readings[:len(b.Readings)-1]
			return protocol.Refuse(err.Reason, "byte %d: %w", pos, err.Err)
		}
		pos += n
	}
	return nil
}

// value reads the channel, the type and what is sent for them at the beginning
// of p, and returns how long that is.
func (d *Decoder) value(r *protocol.Reading, p []byte) (int, *protocol.Refusal) {
	if len(p) < 2 {
		return 0, protocol.Refuse("syntax", "want a channel and a type, found 1 byte")
	}
	channel, t := p[0], Type(p[1])
	k, ok := kinds[t]
	if !ok {
		return 0, protocol.Refuse("kind", "channel %d is of the unknown type %d", channel, t)
	}
	size := 2 + k.size*len(k.values)
	if len(p) < size {
		return 0, protocol.Refuse("syntax", "channel %d, %s: want %d bytes, found %d", channel, k.name, size-2, len(p)-2)
	}
	for i, v := range k.values {
		raw := k.number(p[2+i*k.size:])
		if t == UnixTime && d.config.Time && r.SourceTime == 0 {
			r.SourceTime = protocol.Timestamp(raw * 1e9)
		}
		if text, ok := d.name(place{channel, t, byte(i)}); ok {
			r.Metrics = append(r.Metrics, protocol.Metric{Name: text, Value: protocol.Scaled(raw*int64(v.factor), v.exp), Unit: v.unit})
		}
	}
	return size, nil
}

// number reads one number at the beginning of p.
func (k *kind) number(p []byte) (n int64) {
	for _, c := range p[:k.size] {
		n = n<<8 | int64(c)
	}
	if bits := 8 * k.size; k.signed && n>>(bits-1) != 0 {
		n -= 1 << bits
	}
	return n
}

// name returns a metric's name, and false when this message used it before.
func (d *Decoder) name(at place) (string, bool) {
	n := d.names[at]
	if n == nil {
		k := kinds[at.kind]
		n = &name{text: k.name + "_" + strconv.Itoa(int(at.channel))}
		if v := k.values[at.index]; v.name != "" {
			n.text += "_" + v.name
		}
		d.names[at] = n
	}
	if n.used == d.turn {
		return "", false
	}
	n.used = d.turn
	return n.text, true
}
