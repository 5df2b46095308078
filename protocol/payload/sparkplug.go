package payload

import (
	"sluice/protocol"
	"sluice/protocol/payload/sparkplug"
)

// sparkplugDecoder reads Sparkplug B. Its topics and messages name the devices.
type sparkplugDecoder struct {
	*refined
	decoder *sparkplug.Decoder
}

var _ Replier = (*sparkplugDecoder)(nil)

func newSparkplug(p plan, cfg sparkplug.Config) *sparkplugDecoder {
	return &sparkplugDecoder{newRefined(p, nil), sparkplug.New(cfg)}
}

// Decode implements Decoder.
func (d *sparkplugDecoder) Decode(b *protocol.Batch, m Message) error {
	first := len(b.Readings)
	if err := d.decoder.Decode(b, m.Topic, m.Payload, m.Received); err != nil {
		return err
	}
	return d.refine(b, first, m)
}

// Reply implements Replier.
func (d *sparkplugDecoder) Reply() (topic string, payload []byte, ok bool) { return d.decoder.Reply() }

// NamesDevices reports whether topics and messages name the devices themselves,
// so that the configuration need not.
func (d *Decode) NamesDevices() bool { return d.Sparkplug != nil }
