package pipeline

import "sluice/protocol"

// resent knows, for one driver, the messages that are kept but whose
// acknowledgement is not noted in the journal yet. Only these can come again: a
// redelivered message that is among them is a duplicate, any other is new. When
// in doubt it is stored. It is rebuilt from the notes in the journal.
type resent struct {
	kept map[messageKey]struct{} // at most one per packet id
}

type messageKey struct {
	packetID uint16
	hash     uint64
}

func keyOf(o protocol.Origin) messageKey { return messageKey{o.PacketID, o.Hash} }

func newResent() *resent { return &resent{kept: map[messageKey]struct{}{}} }

// has reports whether the message of o is kept already.
func (r *resent) has(o protocol.Origin) bool {
	if !o.Redelivered {
		return false
	}
	_, kept := r.kept[keyOf(o)]
	return kept
}

// keep remembers a message from the moment it is on its way to the journal.
func (r *resent) keep(o protocol.Origin) { r.kept[keyOf(o)] = struct{}{} }

// lose forgets all messages.
func (r *resent) lose() { clear(r.kept) }

// apply brings the set to where a committed note says it is.
func (r *resent) apply(n note) {
	if n.lost {
		r.lose()
	}
	for _, o := range n.acked {
		delete(r.kept, keyOf(o))
	}
	for _, o := range n.kept {
		r.keep(o)
	}
}

// open returns every message that will be open once n is applied, for a segment
// that has to tell the whole set.
func (r *resent) open(n note) []protocol.Origin {
	after := resent{kept: make(map[messageKey]struct{}, len(r.kept))}
	for k := range r.kept {
		after.kept[k] = struct{}{}
	}
	after.apply(note{acked: n.acked, kept: n.kept})
	list := make([]protocol.Origin, 0, len(after.kept))
	for k := range after.kept {
		list = append(list, protocol.Origin{Driver: n.driver, PacketID: k.packetID, Hash: k.hash})
	}
	return list
}
