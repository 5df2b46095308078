package mqtt

import (
	"sluice/drivers"
	"sluice/protocol"
)

// outlet is an Emitter with its optional interfaces, or what stands in for them.
type outlet struct {
	drivers.Emitter
	drivers.Accountant
	notes drivers.AckNoter
	room  drivers.Roomer // nil: not known
}

func newOutlet(e drivers.Emitter) outlet {
	out := outlet{Emitter: e, Accountant: uncounted{}, notes: uncounted{}}
	if a, ok := e.(drivers.Accountant); ok {
		out.Accountant = a
	}
	if n, ok := e.(drivers.AckNoter); ok {
		out.notes = n
	}
	out.room, _ = e.(drivers.Roomer)
	return out
}

// uncounted stands in for the interfaces that an Emitter does not have.
type uncounted struct{}

func (uncounted) Reject(device, reason string)   {}
func (uncounted) Refuse()                        {}
func (uncounted) Acknowledged(o protocol.Origin) {}
func (uncounted) SessionLost(driver string)      {}
func (uncounted) Recalled() []protocol.Origin    { return nil }
