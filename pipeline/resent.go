package pipeline

import (
	"maps"

	"sluice/protocol"
)

// resent knows, for one driver, the messages that are kept but whose
// acknowledgement is not noted in the journal yet. Only these can come again: a
// redelivered message that is among them is a duplicate, any other is new. When
// in doubt it is stored. It is rebuilt from the notes in the journal.
type resent struct {
	kept map[uint16]uint64 // packet id → hash: an id means one message at a time
}

func newResent() *resent { return &resent{kept: map[uint16]uint64{}} }

// has reports whether the message of o is kept already.
func (r *resent) has(o protocol.Origin) bool {
	hash, kept := r.kept[o.PacketID]
	return o.Redelivered && kept && hash == o.Hash
}

// keep remembers a message from the moment it is on its way to the journal, and
// forgets another that had its packet id.
func (r *resent) keep(o protocol.Origin) { r.kept[o.PacketID] = o.Hash }

// lose forgets all messages.
func (r *resent) lose() { clear(r.kept) }

// apply brings the set to where a committed note says it is.
func (r *resent) apply(n note) {
	if n.lost {
		r.lose()
	}
	for _, o := range n.acked {
		if r.kept[o.PacketID] == o.Hash {
			delete(r.kept, o.PacketID)
		}
	}
	for _, o := range n.kept {
		r.keep(o)
	}
}

// open returns every message that will be open once n is applied, for a segment
// that has to tell the whole set.
func (r *resent) open(n note) []protocol.Origin {
	after := resent{kept: maps.Clone(r.kept)}
	after.apply(note{acked: n.acked, kept: n.kept})
	list := make([]protocol.Origin, 0, len(after.kept))
	for id, hash := range after.kept {
		list = append(list, protocol.Origin{Driver: n.driver, PacketID: id, Hash: hash})
	}
	return list
}
