package ledger

import "sluice/protocol"

// Excuse says that a fault strikes device from a moment on: what it sends then
// may arrive, as a whole or in part, or not. Nothing of it counts, until Judge.
func (l *Ledger) Excuse(device string, from protocol.Timestamp) {
	l.mu.Lock()
	defer l.mu.Unlock()
	b := l.book(device)
	if b.excuses(always - 1) {
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
	for i := range b.excused {
		if s := &b.excused[i]; s.until == always {
			s.until = int64(from)
		}
	}
}

// Waive says that a reading may arrive or not, however often.
func (l *Ledger) Waive(r Ref) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if r.book == nil {
		return
	}
	l.doubt(r)
	at := r.book.at[r.n]
	r.book.excused = append(r.book.excused, span{at, at + 1})
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
