// Package sdi12 reads and writes what sensors on an SDI-12 bus and their
// recorder say to each other, after version 1.4 of the specification.
//
//	0M!              the recorder asks sensor 0 to measure        AppendCommand
//	00053            ready in 5 s with 3 values                   ParseStart
//	0D0!             the recorder asks for the values
//	0+3.14-2.7+1.4   they are                                     Decoder
//	0+3.14OqZ        with a CRC behind them, where it was asked for
package sdi12

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"sluice/protocol"
	"sluice/protocol/checksum"
	"sluice/protocol/payload/plain"
)

// maxResponse is the longest response in bytes: an address, 75 characters of
// values and a CRC, with some room for sensors that say more.
const maxResponse = 256

// addresses are those that a sensor may have.
const addresses = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// Config says how responses are read.
type Config struct {
	Checksum string              `yaml:"checksum"` // required, or optional (default): checked when there is one
	Values   map[string][]string `yaml:"values"`   // by a sensor's address: the names of its values in their order, "" for one to skip
}

// DefaultConfig returns the settings that hold where none are given.
func DefaultConfig() Config { return Config{Checksum: "optional"} }

// Validate reports what is wrong with c.
func (c *Config) Validate(report func(field, problem string)) {
	if c.Checksum != "" && c.Checksum != "required" && c.Checksum != "optional" {
		report("checksum", fmt.Sprintf("is %q, want required or optional", c.Checksum))
	}
	for _, address := range slices.Sorted(maps.Keys(c.Values)) {
		if len(address) != 1 || !isAddress(address[0]) {
			report("values", fmt.Sprintf("has the address %q, want one of 0-9, A-Z and a-z", address))
		}
		for i, name := range c.Values[address] {
			switch {
			case !utf8.ValidString(name) || strings.ContainsFunc(name, unicode.IsControl):
				report("values."+address, fmt.Sprintf("has %q, which is no name for a metric", name))
			case name != "" && slices.Contains(c.Values[address][:i], name):
				report("values."+address, fmt.Sprintf("has %q twice", name))
			}
		}
	}
}

// Decoder reads responses that hold values. It is owned by one goroutine.
type Decoder struct {
	strict  bool
	crc     checksum.Sum
	names   map[byte][]string
	devices [len(addresses)]*protocol.Device
	words   plain.Words
	scratch []byte
}

// New returns a Decoder for c.
func New(c Config) *Decoder {
	crc, _ := checksum.Lookup("crc-16/arc")
	d := &Decoder{strict: c.Checksum == "required", crc: crc, names: map[byte][]string{}}
	for address, names := range c.Values {
		if len(address) == 1 {
			d.names[address[0]] = slices.Clone(names)
		}
	}
	return d
}

// Decode appends the values in message, a response to aD0! or aR0!, to b as one
// reading. The reading's device has the tag address, which tells the sensors of
// a bus apart. Values are floats, named as configured or value_0, value_1 and so
// on. A response that announces values or identifies a sensor is refused as of
// another kind; one of nothing but the address holds no value.
//
// The error is a *protocol.Refusal, and b is as it was.
func (d *Decoder) Decode(b *protocol.Batch, message []byte) error {
	return d.DecodeFrom(b, message, 0)
}

// DecodeFrom is Decode for a response to aD1! and later ones, whose first value
// is the one with the index first.
func (d *Decoder) DecodeFrom(b *protocol.Batch, message []byte, first int) error {
	address, text, refusal := d.open(message)
	if refusal != nil {
		return refusal
	}
	kept := len(b.Readings)
	r := b.Add()
	if refusal := d.read(r, address, text, first); refusal != nil {
		b.Readings = b.Readings[:kept]
		return refusal
	}
	r.Device = d.device(address)
	return nil
}

// open returns the address and the values of a response, whose CRC it checks.
func (d *Decoder) open(message []byte) (byte, []byte, *protocol.Refusal) {
	text, refusal := trimmed(message)
	switch {
	case refusal != nil:
		return 0, nil, refusal
	case len(text) == 1:
		return 0, nil, protocol.Refuse("missing", "sensor %c sends no value", text[0])
	case text[1] != '+' && text[1] != '-':
		return 0, nil, protocol.Refuse("kind", "the response holds no values: %q", excerpt(text))
	}
	n := len(text) - 3
	if n < 1 || !isCRC(text[n:]) {
		if d.strict {
			return 0, nil, protocol.Refuse("checksum", "the response has none")
		}
		return text[0], text[1:], nil
	}
	var want [3]byte
	if appendCRC(want[:0], d.crc.Of(text[:n])); !bytes.Equal(want[:], text[n:]) {
		return 0, nil, protocol.Refuse("checksum", "the response says %q, its bytes give %q", text[n:], want)
	}
	return text[0], text[1:n], nil
}

// trimmed returns a response without its line end. It begins with an address.
func trimmed(message []byte) ([]byte, *protocol.Refusal) {
	text := bytes.Trim(message, " \r\n\x00")
	switch {
	case len(text) == 0:
		return nil, protocol.Refuse("empty", "there is no response")
	case len(text) > maxResponse:
		return nil, protocol.Refuse("size", "response of %d bytes, want at most %d", len(text), maxResponse)
	case !isAddress(text[0]):
		return nil, protocol.Refuse("syntax", "want a sensor's address, found %q", excerpt(text))
	}
	return text, nil
}

// read adds the values: each begins with its sign.
func (d *Decoder) read(r *protocol.Reading, address byte, text []byte, first int) *protocol.Refusal {
	d.words.Next()
	names := d.names[address]
	for i := first; len(text) > 0; i++ {
		end := 1 + bytes.IndexAny(text[1:], "+-")
		if end == 0 {
			end = len(text)
		}
		value, ok := plain.Float(text[:end])
		if !ok || text[0] != '+' && text[0] != '-' {
			return protocol.Refuse("syntax", "value %d is %q, want a sign and a number", i, excerpt(text[:end]))
		}
		text = text[end:]
		if i >= len(names) {
			d.scratch = strconv.AppendInt(append(d.scratch[:0], "value_"...), int64(i), 10)
			if name := d.words.Get(d.scratch); !slices.Contains(names, name) {
				r.Metrics = append(r.Metrics, protocol.Metric{Name: name, Value: protocol.Float(value)})
			}
		} else if names[i] != "" {
			r.Metrics = append(r.Metrics, protocol.Metric{Name: names[i], Value: protocol.Float(value)})
		}
	}
	if len(r.Metrics) == 0 {
		return protocol.Refuse("missing", "sensor %c sent none of the values that have names", address)
	}
	return nil
}

// device returns the device with the tag of an address, the same one each time.
func (d *Decoder) device(address byte) *protocol.Device {
	at := &d.devices[bytes.IndexByte([]byte(addresses), address)]
	if *at == nil {
		*at = &protocol.Device{Tags: []protocol.Tag{{Key: "address", Value: string(rune(address))}}}
	}
	return *at
}

func isAddress(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z'
}

// isCRC reports whether text may be a CRC: its characters have bit 6 and not bit
// 7, which those of numbers do not.
func isCRC(text []byte) bool {
	for _, c := range text {
		if c&0xc0 != 0x40 {
			return false
		}
	}
	return true
}

// excerpt cuts text to what an error may quote.
func excerpt(text []byte) []byte { return text[:min(len(text), 32)] }
