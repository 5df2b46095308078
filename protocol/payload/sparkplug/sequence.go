package sparkplug

// recent is how many messages back a number is recognised.
const recent = 32

// sequence follows the numbers of an edge node's messages, 0 to 255 and over
// again.
//
// A number that came a short while ago is no gap. With the same message it is a
// redelivery: the specification forbids it, but bridges do it, and brokers do it
// to nodes that publish with QoS 1 when the gateway had no room and withheld its
// acknowledgement. It is decoded again, since only the pipeline knows whether the
// first one was kept, and a request for rebirth would add to the load. A number
// that was left out and comes late closes its gap.
type sequence struct {
	on     bool  // a number was heard
	next   uint8 // the number expected
	behind uint8 // how many numbers before next can be recognised
	hashes [recent]uint64
}

// start begins to count with a message and its hash.
func (s *sequence) start(seq uint8, hash uint64) {
	*s = sequence{on: true, next: seq}
	s.step(hash)
}

// step notes the next number, hash 0 when its message did not come.
func (s *sequence) step(hash uint64) {
	s.hashes[s.next%recent] = hash
	s.next++
	s.behind = min(s.behind+1, recent)
}

// follow notes a message and its hash, which is not 0, and reports whether
// others are missing.
func (s *sequence) follow(seq uint8, hash uint64) (gap bool) {
	if !s.on {
		s.start(seq, hash)
		return false
	}
	if back := s.next - seq; back > 0 && back <= s.behind {
		switch at := &s.hashes[seq%recent]; *at {
		case hash:
			return false
		case 0:
			*at = hash
			return false
		}
		s.start(seq, hash) // another message: the node counts anew
		return true
	}
	for s.next != seq {
		s.step(0)
		gap = true
	}
	s.step(hash)
	return gap
}
