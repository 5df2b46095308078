package ledger

import "sluice/protocol"

// Excuse says that a fault strikes device from a moment on: what it sends then
// may arrive, as a whole or in part, or not. Nothing of it counts, until Judge.
func (l *Ledger) Excuse(device string, from protocol.Timestamp) {
	l.mu.Lock()
	defer l.mu.Unlock()
	b := l.book(device)
	if n := len(b.excused); n > 0 && b.excused[n-1].until == always {
		return
	}
	b.excused = append(b.excused, span{int64(from), always})
	for n := len(b.at) - 1; n >= 0 && b.at[n] >= int64(from); n-- {
		l.doubt(Ref{b, uint32(n)})
	}
}

// Judge ends what Excuse began: what the device sends from a moment on counts.
func (l *Ledger) Judge(device string, from protocol.Timestamp) {
	l.mu.Lock()
	defer l.mu.Unlock()
	b := l.book(device)
	if n := len(b.excused); n > 0 && b.excused[n-1].until == always {
		b.excused[n-1].until = int64(from)
	}
}

// Excused returns how many of the readings that were sent do not count.
func (l *Ledger) Excused() (n int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, b := range l.order {
		for i, at := range b.at {
			if b.sends(uint32(i)) > 0 && b.excuses(at) {
				n++
			}
		}
	}
	return n
}
