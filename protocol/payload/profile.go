// Package payload turns one message of a device into readings, as the profile
// of its device model says.
//
// It does no I/O, reads no clock and starts no goroutine. A decoder never
// panics, whatever the bytes.
package payload

import (
	"sluice/protocol"
	"sluice/protocol/payload/sparkplug"
)

// Profile says what a device model reports and how its messages are read.
type Profile struct {
	Decode  Decode            `yaml:"decode"`
	Time    *Time             `yaml:"time"`    // nil: readings carry no device time
	Metrics map[string]Metric `yaml:"metrics"` // by metric name; empty: all that the payload holds
}

// Decode chooses the decoder; exactly one field is set. In the file a decoder
// without settings is written as a word: "decode: json".
type Decode struct {
	JSON  *JSON  `yaml:"json"`
	Regex string `yaml:"regex"` // with named groups: a regular expression (RE2) for one line
	CSV   *CSV   `yaml:"csv"`

	Sparkplug *sparkplug.Config `yaml:"sparkplug"` // Sparkplug B, whose topics name the devices
}

// NamesDevices reports whether the messages name their devices themselves, so
// that neither their topic nor the operator has to.
func (d *Decode) NamesDevices() bool { return d.Sparkplug != nil }

// JSON has no settings. A metric's Path leads to its value: member names joined
// by dots, array elements by number ("a.b.0.c"). Without a list of metrics
// every scalar becomes a metric, nested names joined by "_".
type JSON struct{}

// CSV reads separated values.
type CSV struct {
	Separator string   `yaml:"separator"` // one character, default ","; " " means any run of blanks
	Columns   []string `yaml:"columns"`   // metric names in order; "" skips a column
}

// Time says where a message holds the device's own time.
type Time struct {
	Path   string `yaml:"path"`   // as in Metric.Path: a JSON path, a regex group, a column
	Format string `yaml:"format"` // unix, unix_ms, unix_us, unix_ns, rfc3339 or a Go layout
}

// Metric says where a message holds one metric and what it means.
type Metric struct {
	Path   string   `yaml:"path"`   // default: the metric's name
	Type   string   `yaml:"type"`   // float, int, uint, bool, string; "": as sent
	Unit   string   `yaml:"unit"`   // as people write it
	Scale  *float64 `yaml:"scale"`  // value = sent · scale + offset; nil: 1
	Offset *float64 `yaml:"offset"` // nil: 0
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
