package mqtt

import "sluice/protocol"

// fate is what is known of a reading from Writes that failed: how many
// connections ended with it as the oldest message that the broker had not
// acknowledged, or that it need not be sent again.
type fate int8

const (
	stored   fate = -1
	rejected fate = -2

	unblamed  fate = 0
	lastly    fate = 3 // from here on it is sent behind all others, alone
	condemned fate = 4
)

// memory keeps the fates of one batch from a Write that failed to the next, so
// that a broker gets again only what it had not acknowledged, and that a message
// which makes it close the connection is found. MQTT 3.1.1 knows no other no.
//
// A suspect is first sent in its place, but alone: after the acknowledgements of
// all before it, and before all after it. When that has cost two connections it
// is sent behind all others. When it costs one more, while the broker takes the
// others, it is the message's fault and not the line's.
type memory struct {
	fates   map[protocol.ID]fate // empty after a Write that went well
	largest int                  // the longest payload that the broker has acknowledged
	proven  bool                 // something was acknowledged since the last verdict, or there was none
}

func newMemory() memory { return memory{fates: map[protocol.ID]fate{}, proven: true} }

func (m *memory) of(id protocol.ID) fate {
	if len(m.fates) == 0 {
		return unblamed
	}
	return m.fates[id]
}

// failed keeps what is known of the readings after a Write that failed.
func (m *memory) failed(readings []protocol.Reading, isAcked func(i int) bool) {
	known := m.fates
	m.fates = make(map[protocol.ID]fate, len(readings))
	for i := range readings {
		id := readings[i].ID
		if id == (protocol.ID{}) {
			continue // there is no telling it from others
		}
		if isAcked(i) {
			m.fates[id] = stored
		} else if f := known[id]; f != unblamed {
			m.fates[id] = f
		}
	}
}

// blame notes that the broker closed the connection on a message, and returns
// whether the message is given up. It is not when the broker has taken one as
// long, or has taken nothing since the last one was given up: then a right may
// be missing, which the operator can mend.
func (m *memory) blame(id protocol.ID, length int) (giveUp bool) {
	f := m.fates[id] + 1
	if id == (protocol.ID{}) || f <= unblamed {
		return false
	}
	if f < condemned {
		m.fates[id] = f
		return false
	}
	if length <= m.largest || !m.proven && !m.holds(stored) {
		return false
	}
	m.fates[id] = rejected
	m.proven = false
	return true
}

func (m *memory) holds(f fate) bool {
	for _, other := range m.fates {
		if other == f {
			return true
		}
	}
	return false
}

// acknowledged notes that the broker took a payload.
func (m *memory) acknowledged(length int) {
	m.largest = max(m.largest, length)
	m.proven = true
}

// forget is called after a Write that went well.
func (m *memory) forget() { clear(m.fates) }
