package sink

import "sluice/protocol"

// rememberedDevices bounds a PerDevice. It is well above the devices of a large
// site, and small beside a batch of their readings.
const rememberedDevices = 8192

// PerDevice remembers what a sink works out once for each device, such as its
// subject. Devices are interned and never change, so the pointer is the key. It
// holds at most 8192 devices and then begins anew. It is not safe for
// concurrent use.
type PerDevice[T any] struct {
	derive func(*protocol.Device) T
	known  map[*protocol.Device]T
}

// NewPerDevice returns a PerDevice that gets what it does not know yet from
// derive.
func NewPerDevice[T any](derive func(*protocol.Device) T) *PerDevice[T] {
	return &PerDevice[T]{derive: derive, known: map[*protocol.Device]T{}}
}

// Of returns what was derived for d.
func (p *PerDevice[T]) Of(d *protocol.Device) T {
	v, ok := p.known[d]
	if !ok {
		if len(p.known) >= rememberedDevices {
			clear(p.known)
		}
		v = p.derive(d)
		p.known[d] = v
	}
	return v
}
