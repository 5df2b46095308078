package ledger

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"sluice/protocol"
)

// message is a reading in the form of protocol.AppendJSON.
type message struct {
	Device  string            `json:"device"`
	Profile string            `json:"profile"`
	Time    time.Time         `json:"time"`
	Tags    map[string]string `json:"tags"`
	Metrics map[string]any    `json:"metrics"`
}

// FromJSON notes the delivery of a reading in the form of protocol.AppendJSON.
// A payload of another form is an error and is not noted.
func (l *Ledger) FromJSON(sink string, payload []byte) error {
	var m message
	d := json.NewDecoder(bytes.NewReader(payload))
	d.UseNumber()
	if err := d.Decode(&m); err != nil {
		return fmt.Errorf("read a reading delivered to %s: %w", sink, err)
	}
	metrics := make([]protocol.Metric, 0, len(m.Metrics))
	for name, v := range m.Metrics {
		value, err := fromAny(v)
		if err != nil {
			return fmt.Errorf("read metric %q of %q delivered to %s: %w", name, m.Device, sink, err)
		}
		metrics = append(metrics, protocol.Metric{Name: name, Value: value})
	}
	t := protocol.At(m.Time)
	l.Delivered(sink, m.Device, t, metrics)
	l.compare(sink, m.Device, t, m.Tags, func(d *protocol.Device) string {
		if m.Profile != d.Profile {
			return fmt.Sprintf("profile is %q, not %q", m.Profile, d.Profile)
		}
		if len(m.Tags) != len(d.Tags) {
			return fmt.Sprintf("has %d tags, not %d", len(m.Tags), len(d.Tags))
		}
		return ""
	})
	return nil
}

// FromPoint notes the delivery of a point of line protocol: fields are float64,
// int64, uint64, bool or string, and the tag "device" names the device. The
// measurement only helps to name what has no device.
func (l *Ledger) FromPoint(sink, measurement string, tags map[string]string, fields map[string]any, t protocol.Timestamp) error {
	metrics := make([]protocol.Metric, 0, len(fields))
	for name, v := range fields {
		value, err := fromAny(v)
		if err != nil {
			return fmt.Errorf("read field %q of %s delivered to %s: %w", name, measurement, sink, err)
		}
		metrics = append(metrics, protocol.Metric{Name: unreserved(name), Value: value})
	}
	device := tags["device"]
	if device == "" {
		device = "(" + measurement + " without a device)"
	}
	l.Delivered(sink, device, t, metrics)
	l.compare(sink, device, t, tags, nil)
	return nil
}

// unreserved returns the metric of a field. Names that InfluxDB keeps for itself
// travel with underscores behind them.
func unreserved(field string) string {
	switch name := strings.TrimRight(field, "_"); name {
	case "time", "_field", "_measurement":
		return name
	}
	return field
}

// compare notes what differs from the identity of an announced device.
func (l *Ledger) compare(sink, device string, t protocol.Timestamp, tags map[string]string, more func(*protocol.Device) string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	b := l.books[device]
	if b == nil || b.identity == nil {
		return
	}
	detail := ""
	if tag, differ := tagsDiffer(b.identity.Tags, tags); differ {
		detail = fmt.Sprintf("tag %s is %q", tag, tags[tag])
	} else if more != nil {
		detail = more(b.identity)
	}
	if detail == "" {
		return
	}
	s := l.sinks[l.sink(sink)]
	s.wrong++
	s.note(Finding{Kind: Wrong, Device: device, Time: t, Detail: detail})
}

// fromAny returns the value of a decoded JSON member or field.
func fromAny(v any) (protocol.Value, error) {
	switch v := v.(type) {
	case json.Number:
		return fromNumber(v.String())
	case float64:
		return protocol.Float(v), nil
	case int64:
		return protocol.Int(v), nil
	case uint64:
		return protocol.Uint(v), nil
	case bool:
		return protocol.Bool(v), nil
	case string:
		return protocol.String(v), nil
	case nil:
		return protocol.Value{}, nil
	}
	return protocol.Value{}, fmt.Errorf("a %T is not a value", v)
}

// fromNumber keeps whole numbers exact.
func fromNumber(s string) (protocol.Value, error) {
	if !strings.ContainsAny(s, ".eE") {
		if n, err := strconv.ParseInt(s, 10, 64); err == nil {
			return protocol.Int(n), nil
		}
		if n, err := strconv.ParseUint(s, 10, 64); err == nil {
			return protocol.Uint(n), nil
		}
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil {
		return protocol.Value{}, fmt.Errorf("read number: %w", err)
	}
	return protocol.Float(f), nil
}
