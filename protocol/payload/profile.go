// Package payload turns one message of a device into readings, as the profile
// of its device model says.
//
// It does no I/O, reads no clock and starts no goroutine. A decoder never
// panics, whatever the bytes.
package payload

import (
	"time"

	"sluice/protocol"
	"sluice/protocol/payload/binary"
	"sluice/protocol/payload/cayennelpp"
	"sluice/protocol/payload/dsmr"
	"sluice/protocol/payload/lineproto"
	"sluice/protocol/payload/mbus"
	"sluice/protocol/payload/nmea"
	"sluice/protocol/payload/sdi12"
	"sluice/protocol/payload/sparkplug"
	"sluice/protocol/payload/vedirect"
)

// Profile says what a device model reports and how its messages are read.
type Profile struct {
	Inside   string            `yaml:"inside"`   // the message is JSON, and what is decoded is the text at this path in it; "" for all of it
	Encoding string            `yaml:"encoding"` // gzip, deflate, base64 and hex, blanks between several: undone in that order; "" for none
	Decode   Decode            `yaml:"decode"`
	Time     *Time             `yaml:"time"`    // nil: the device's time where the decoder knows it
	Metrics  map[string]Metric `yaml:"metrics"` // by metric name; empty: all that the payload holds
	Poll     time.Duration     `yaml:"poll"`    // how often a device is asked, where a driver asks
	Ask      *Ask              `yaml:"ask"`     // how a device on a serial line is asked; nil: it talks by itself
	Others   string            `yaml:"others"`  // what no metric mentions: keep (as sent) or drop; default drop where metrics are listed

	Report     *protocol.Report `yaml:"report"`      // when a reading is worth forwarding: when one of its metrics is; nil: each is
	StaleAfter time.Duration    `yaml:"stale_after"` // a device that sent nothing for so long is silent; 0: never

	Reads    Reads              `yaml:"reads"`    // how a Modbus device wants to be read
	Commands map[string]Command `yaml:"commands"` // what the device can be told, by name
}

// Decode chooses the decoder; exactly one field is set. In the file a decoder
// without settings is written as a word: "decode: json".
type Decode struct {
	JSON       *JSON              `yaml:"json"`
	Value      *Value             `yaml:"value"`
	CSV        *CSV               `yaml:"csv"`
	Regex      string             `yaml:"regex"` // with named groups: a regular expression (RE2) for one line
	CBOR       *CBOR              `yaml:"cbor"`
	MsgPack    *MsgPack           `yaml:"msgpack"`
	SenML      *SenML             `yaml:"senml"`
	Sparkplug  *sparkplug.Config  `yaml:"sparkplug"`
	Influx     *lineproto.Config  `yaml:"influx"`
	Binary     *binary.Config     `yaml:"binary"`
	NMEA       *nmea.Config       `yaml:"nmea"`
	DSMR       *dsmr.Config       `yaml:"dsmr"`
	SML        *SML               `yaml:"sml"`
	MBus       *mbus.Config       `yaml:"mbus"`
	VEDirect   *vedirect.Config   `yaml:"vedirect"`
	SDI12      *sdi12.Config      `yaml:"sdi12"`
	CayenneLPP *cayennelpp.Config `yaml:"cayennelpp"`
	Ruuvi      *Ruuvi             `yaml:"ruuvi"`
}

// JSON reads JSON (RFC 8259). A metric's Path leads to its value: member names
// joined by dots, array elements by number ("a.b.0.c"). Without a list of
// metrics every scalar becomes a metric, nested names joined by "_".
//
// A "*" in a path stands for any one member or element. The metric's name holds
// as many, and each is replaced by the name or number that was found:
// "temperature_*" at "sensors.*.t" gives temperature_a and temperature_b. A match
// that is an object or array gives its scalars, their names joined by "_". A name
// without "*" takes the first match that is one value.
//
// With Each the elements of the array (or the members of the object) at that
// path are a reading each, and paths begin at the element; with "$." in front
// they begin at the root. It may hold "*"; "$" is the root itself. An element
// that is one value is the metric "value", or the one that the topic names; an
// element without any of the metrics is skipped.
type JSON struct {
	Each string `yaml:"each"` // "": the message is one reading
}

// CBOR reads CBOR (RFC 8949); paths are those of JSON. A time that is tagged as
// one needs no right Format, and of other tags only integers beyond 64 bits and
// decimal fractions are heeded.
type CBOR struct {
	Each string `yaml:"each"` // as in JSON
}

// MsgPack reads MessagePack; paths are those of JSON. A timestamp needs no right
// Format.
type MsgPack struct {
	Each string `yaml:"each"` // as in JSON
}

// each returns the path of what is a reading each, "" when the message is one.
func (d *Decode) each() string {
	switch {
	case d.JSON != nil:
		return d.JSON.Each
	case d.CBOR != nil:
		return d.CBOR.Each
	case d.MsgPack != nil:
		return d.MsgPack.Each
	}
	return ""
}

// SenML reads a pack of SenML (RFC 8428) in JSON or CBOR, which it tells apart.
// Records of the same time become one reading; it has no place for Time. A
// metric's Path is the name of a record, with or without the base name. Units are
// those of the RFC, but °C for Cel; the sum of NAME is the metric NAME_sum.
type SenML struct{}

// Value has no settings. The message is one value in plain text, as topics that
// hold a single value send: a number, true or false, or a text. It is called as
// the topic names it, otherwise "value".
type Value struct{}

// CSV reads separated values.
type CSV struct {
	Separator string   `yaml:"separator"` // one character, default ","; " " means any run of blanks
	Columns   []string `yaml:"columns"`   // metric names in order; "" skips a column
}

// Time says where a message holds the device's own time. Where the decoder finds
// the time itself, path and format are left out and the rest holds for that.
type Time struct {
	Path    string        `yaml:"path"`     // as in Metric.Path: a JSON path, a regex group, a column
	Format  string        `yaml:"format"`   // unix, unix_ms, unix_us, unix_ns, rfc3339 or a Go layout
	Zone    string        `yaml:"zone"`     // of a layout without one, such as Europe/Berlin; default UTC
	MaxSkew time.Duration `yaml:"max_skew"` // a time further from the gateway's clock is not used, and the reading marked; 0: any is used
}

// Metric says where a message holds one metric and what it means.
type Metric struct {
	Path     string            `yaml:"path"`   // default: the metric's name
	Type     string            `yaml:"type"`   // float, int, uint, bool, string; "": as sent
	Unit     string            `yaml:"unit"`   // as people write it; "": what the message says
	Map      map[string]string `yaml:"map"`    // what is sent: what it means, before all else; what is not listed stays as it is
	Scale    *float64          `yaml:"scale"`  // value = sent · scale + offset; nil: 1
	Offset   *float64          `yaml:"offset"` // nil: 0
	Range    []float64         `yaml:"range"`  // least and largest value that are plausible; what lies outside is of bad quality
	Report   *protocol.Report  `yaml:"report"` // what differs from the profile's
	Register                   // of a Modbus device; then type is that of the registers, such as int16 or float32
}

// Message is one message and what its driver knows about it.
type Message struct {
	Payload  []byte // not changed and not kept
	Device   *protocol.Device
	Received protocol.Timestamp
	Metric   string // from the topic, "" when the topic names none
	Topic    string // "" when it came without one
}

// Decoder turns messages into readings. It is owned by one goroutine.
type Decoder interface {
	// Decode appends the readings of m to b, with device and times filled
	// in. On error b is as it was before; the error is an *protocol.Refusal.
	Decode(b *protocol.Batch, m Message) error
}

// Replier is a Decoder whose devices want an answer now and then.
type Replier interface {
	// Reply returns what is to be published because of the last message that
	// was decoded, refused ones among them; false: nothing. What it returned
	// it does not return again.
	Reply() (topic string, payload []byte, ok bool)
}
