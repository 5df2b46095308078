package protocol

import (
	"fmt"
	"strconv"
	"time"
)

// Timestamp is an instant in nanoseconds since 1970-01-01 00:00 UTC. It spans
// the years 1678 to 2262. Zero means that there is none.
type Timestamp int64

// At returns the Timestamp of t, which must lie in the span of a Timestamp.
func At(t time.Time) Timestamp { return Timestamp(t.UnixNano()) }

// firstRelease is a time that a clock which was set cannot show.
const firstRelease = Timestamp(1_767_225_600e9) // 2026-01-01

// ClockIsSet reports whether a clock that shows t can have been set: many boxes
// begin at 1970 until they find a time server.
func ClockIsSet(t Timestamp) bool { return t >= firstRelease }

// Time returns t in UTC.
func (t Timestamp) Time() time.Time { return time.Unix(0, int64(t)).UTC() }

// Quality is the trust that a value deserves. The numbers are part of the
// journal's format and never change.
type Quality uint8

// The qualities, good being the zero value.
const (
	Good Quality = iota
	Uncertain
	Bad
)

// String returns "good", "uncertain" or "bad".
func (q Quality) String() string {
	switch q {
	case Good:
		return "good"
	case Uncertain:
		return "uncertain"
	case Bad:
		return "bad"
	}
	return "Quality(" + strconv.Itoa(int(q)) + ")"
}

// Tag is a name and a value that describe a device, such as area=gate.
type Tag struct{ Key, Value string }

// Device is the identity of a device. It is interned by the driver that talks
// to the device (one pointer per identity), shared by all its readings, and
// never changed once a reading refers to it.
type Device struct {
	Name    string   // unique among the gateway's devices
	Profile string   // the device model's profile, "" when there is none
	Driver  string   // the driver instance that talks to it
	Tags    []Tag    // sorted by key, keys unique
	Reports *Reports // which of its readings are reported, nil: all; no part of its identity
}

// Metric is one measured value.
type Metric struct {
	Name    string
	Value   Value
	Unit    string // as the operator wrote it, "" when not stated
	Quality Quality
}

// ID names one reading for ever: Epoch is drawn at random whenever a journal is
// opened, Seq counts readings in that journal. It stays the same on every
// retry, so a sink can use it to store a reading once. The zero ID belongs to a
// reading that was not journaled yet.
type ID struct{ Epoch, Seq uint64 }

// String returns the form used in message ids: 16 hexadecimal digits of the
// epoch, a dash, the sequence in decimal.
func (id ID) String() string { return string(id.Append(nil)) }

// Append appends the text of id to dst.
func (id ID) Append(dst []byte) []byte {
	const digits = "0123456789abcdef"
	for shift := 60; shift >= 0; shift -= 4 {
		dst = append(dst, digits[id.Epoch>>shift&15])
	}
	dst = append(dst, '-')
	return strconv.AppendUint(dst, id.Seq, 10)
}

// ParseID reads the text form of an ID.
func ParseID(s string) (ID, error) {
	if len(s) < 18 || s[16] != '-' {
		return ID{}, fmt.Errorf("parse reading id %q: want 16 hexadecimal digits, a dash and a number", s)
	}
	epoch, err := strconv.ParseUint(s[:16], 16, 64)
	if err != nil {
		return ID{}, fmt.Errorf("parse reading id %q: %w", s, err)
	}
	seq, err := strconv.ParseUint(s[17:], 10, 64)
	if err != nil {
		return ID{}, fmt.Errorf("parse reading id %q: %w", s, err)
	}
	return ID{epoch, seq}, nil
}

// Presence is what a device, or its last will, says of its being there.
type Presence uint8

// What may be said.
const (
	Unsaid Presence = iota
	Online
	Offline
)

// Reading is what one device reported at one instant: one or more metrics. It
// is a plain value and is not changed by its driver after Emit.
type Reading struct {
	ID           ID // set by the journal
	Device       *Device
	SourceTime   Timestamp // the device's own time, 0 when it sent none
	ReceivedTime Timestamp // the gateway's clock when the reading arrived
	ClockUnset   bool      // that clock had not been set yet: the received time is no real one
	Skewed       bool      // its device sent a time that was too far from that clock to be used
	Presence     Presence  // what it says of its device; then it may be without metrics, and is not journaled
	Historical   bool      // newer ones went before it: the device says so, or a sink gets it while it catches up
	Metrics      []Metric
}

// Time returns the instant of the reading: the device's own time when it has
// one, otherwise the time it was received.
func (r *Reading) Time() Timestamp {
	if r.SourceTime != 0 {
		return r.SourceTime
	}
	return r.ReceivedTime
}
