package pipeline

import "sluice/protocol"

// resent knows, for one driver, the messages that are kept but whose
// acknowledgement has not been confirmed. Only these can come again: a
// redelivered message that is among them is a duplicate, any other is new. When
// in doubt it is stored. It is rebuilt from the notes in the journal.
type resent struct {
	kept map[uint16]meaning // by packet id
}

// meaning is what a packet id means. The broker may use an id for a message of the
// same content before it is known here that the one before was acknowledged.
type meaning struct {
	hash  uint64
	times int // messages of this content, of which times-1 are about to be acknowledged
}

func newResent() *resent { return &resent{kept: map[uint16]meaning{}} }

// has reports whether the message of o is kept already.
func (r *resent) has(o protocol.Origin) bool {
	have, kept := r.kept[o.PacketID]
	return o.Redelivered && kept && have.hash == o.Hash
}

// keep remembers a message from the moment it is on its way to the journal, and
// forgets another that had its packet id.
func (r *resent) keep(o protocol.Origin) {
	have := r.kept[o.PacketID]
	if have.hash != o.Hash {
		have = meaning{hash: o.Hash}
	}
	have.times++
	r.kept[o.PacketID] = have
}

// acknowledged forgets a message: its packet id may come to mean another.
func (r *resent) acknowledged(o protocol.Origin) {
	have, kept := r.kept[o.PacketID]
	if !kept || have.hash != o.Hash {
		return
	}
	if have.times--; have.times == 0 {
		delete(r.kept, o.PacketID)
	} else {
		r.kept[o.PacketID] = have
	}
}

// lose forgets all messages.
func (r *resent) lose() { clear(r.kept) }

// recall follows a note that was read from the journal.
func (r *resent) recall(n note) {
	if n.lost {
		r.lose()
	}
	for _, o := range n.acked {
		r.acknowledged(o)
	}
	for _, o := range n.kept {
		r.keep(o)
	}
}

// recalled returns every open message after the notes were read, for the driver to
// find out which of them the source does not send again. It will say so once for
// each.
func (r *resent) recalled() []protocol.Origin {
	for id, have := range r.kept {
		r.kept[id] = meaning{hash: have.hash, times: 1}
	}
	return r.open()
}

// open returns every open message, for a segment that has to tell them all.
func (r *resent) open() []protocol.Origin {
	list := make([]protocol.Origin, 0, len(r.kept))
	for id, have := range r.kept {
		for range have.times {
			list = append(list, protocol.Origin{PacketID: id, Hash: have.hash})
		}
	}
	return list
}
