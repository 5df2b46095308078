package fleet

import "time"

// debt is how far a sender may fall behind and still catch up.
const debt = time.Second

// pace spreads messages evenly.
type pace struct {
	every time.Duration
	next  time.Time
}

func newPace(perSecond float64, now time.Time) *pace {
	every := time.Duration(float64(time.Second) / perSecond)
	return &pace{every: max(every, 1), next: now}
}

// wait returns how long it is until the next message is due, 0 when it is.
func (p *pace) wait(now time.Time) time.Duration {
	if behind := now.Add(-debt); p.next.Before(behind) {
		p.next = behind
	}
	return max(0, p.next.Sub(now))
}

// done notes that a message was sent.
func (p *pace) done() { p.next = p.next.Add(p.every) }

// atLeast makes sure that the next message comes no sooner than d from now.
func (p *pace) atLeast(d time.Duration) {
	if at := time.Now().Add(d); p.next.Before(at) {
		p.next = at
	}
}
