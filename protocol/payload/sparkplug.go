package payload

import (
	"cmp"
	"slices"

	"sluice/protocol"
	"sluice/protocol/payload/sparkplug"
)

// sparkplugDecoder reads Sparkplug B. The messages name the devices.
type sparkplugDecoder struct {
	decoder *sparkplug.Decoder
	devices map[[2]*protocol.Device]*protocol.Device // by the row's and the message's
}

var _ Replier = (*sparkplugDecoder)(nil)

func newSparkplug(cfg sparkplug.Config) *sparkplugDecoder {
	return &sparkplugDecoder{sparkplug.New(cfg), map[[2]*protocol.Device]*protocol.Device{}}
}

// Decode implements Decoder.
func (d *sparkplugDecoder) Decode(b *protocol.Batch, m Message) error {
	first := len(b.Readings)
	if err := d.decoder.Decode(b, m.Topic, m.Payload, m.Received); err != nil {
		return err
	}
	for i := first; i < len(b.Readings); i++ {
		r := &b.Readings[i]
		r.ReceivedTime, r.Device = m.Received, d.device(m.Device, r.Device)
	}
	return nil
}

// Reply implements Replier.
func (d *sparkplugDecoder) Reply() (topic string, payload []byte, ok bool) { return d.decoder.Reply() }

// keptDevices is how many devices are remembered between messages.
const keptDevices = 1 << 16

// device returns the device that a message names with what its row says. Of a
// tag that both have the message's counts.
func (d *sparkplugDecoder) device(row, named *protocol.Device) *protocol.Device {
	if row == nil {
		return named
	}
	key := [2]*protocol.Device{row, named}
	if known := d.devices[key]; known != nil {
		return known
	}
	if len(d.devices) == keptDevices {
		clear(d.devices)
	}
	tags := slices.Concat(named.Tags, row.Tags)
	byKey := func(a, b protocol.Tag) int { return cmp.Compare(a.Key, b.Key) }
	slices.SortStableFunc(tags, byKey)
	tags = slices.CompactFunc(tags, func(a, b protocol.Tag) bool { return a.Key == b.Key })
	known := &protocol.Device{Name: named.Name, Profile: row.Profile, Driver: row.Driver, Tags: tags}
	d.devices[key] = known
	return known
}
