package sparkplug

import (
	"bytes"
	"encoding/json"
	"unicode/utf8"

	"sluice/protocol"
)

// host appends whether a host application is there: {"online":…,"timestamp":…}
// since Sparkplug 3.0, ONLINE or OFFLINE before.
func (d *Decoder) host(b *protocol.Batch, name string, message []byte) error {
	var state struct {
		Online    *bool   `json:"online"`
		Timestamp *uint64 `json:"timestamp"`
	}
	switch text := bytes.TrimSpace(message); {
	case len(text) == 0:
		return protocol.Refuse("empty", "the message is empty")
	case !utf8.Valid(text):
		return protocol.Refuse("utf8", "the message is not UTF-8")
	case string(text) == "ONLINE" || string(text) == "OFFLINE":
		online := string(text) == "ONLINE"
		state.Online = &online
	default:
		if err := json.Unmarshal(text, &state); err != nil {
			return protocol.Refuse("syntax", "want ONLINE, OFFLINE or an object with online and timestamp: %w", err)
		}
	}
	if state.Online == nil {
		return protocol.Refuse("missing", "the message does not say online")
	}
	var at protocol.Timestamp
	if state.Timestamp != nil {
		var err *protocol.Refusal
		if at, err = timestamp(*state.Timestamp); err != nil {
			return err
		}
	}
	r := b.Add()
	r.Device, r.SourceTime = d.hostDevice(name), at
	r.Metrics = append(r.Metrics, protocol.Metric{Name: "online", Value: protocol.Bool(*state.Online)})
	return nil
}

// hostDevice returns the identity of a host. Hosts are few; names without end
// make it start over.
func (d *Decoder) hostDevice(name string) *protocol.Device {
	if known := d.hosts[name]; known != nil {
		return known
	}
	if len(d.hosts) == maxHosts {
		clear(d.hosts)
	}
	known := &protocol.Device{Name: string([]byte(name))}
	d.hosts[known.Name] = known
	return known
}
