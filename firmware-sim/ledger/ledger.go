// Package ledger keeps the accounts between a simulated fleet and the sinks: it
// notes every reading that a device sent and every reading that a sink got, and
// finds what was lost, delivered twice, changed or swapped.
//
// Readings are aligned per device by their source time where the device has
// one, and otherwise by their values, which the fleet keeps unique over a window.
// Devices with too few different values for that are only counted. A reading
// takes about 40 bytes, whatever it holds.
package ledger

import (
	"fmt"
	"math"
	"slices"
	"sync"

	"sluice/protocol"
)

// Sample is a reading as its device sent it.
type Sample struct {
	Time    protocol.Timestamp // the device's own time, 0 when it sends none
	At      protocol.Timestamp // the moment of sending
	Metrics []protocol.Metric  // what a sink should get; not kept, not changed
}

// Ref names one sent reading in its Ledger. The zero Ref names none.
type Ref struct {
	book *book
	n    uint32
}

// Ledger is the accounts of one rehearsal. It is safe for concurrent use.
type Ledger struct {
	mu    sync.Mutex // guards all below
	sinks []*tally
	books map[string]*book
	order []*book // as first heard of, so that findings come in one order
	sort  []protocol.Metric
	sent  int64 // readings that left, confirmed or not
	open  int64 // of these, those not confirmed
}

// tally is what happened at one sink, beside the counts in the books.
type tally struct {
	name       string
	got        int64 // deliveries of any kind
	missing    int64 // confirmed readings yet to arrive
	wrong      int64
	unexpected int64
	reordered  int64
	findings   []Finding
}

// New returns empty accounts for the named sinks.
func New(sinks ...string) *Ledger {
	l := &Ledger{books: make(map[string]*book)}
	for _, name := range sinks {
		l.sinks = append(l.sinks, &tally{name: name})
	}
	return l
}

// Expect notes the identity of a device, so that profile and tags of what is
// delivered are compared with it. Devices that were not announced are compared
// by time and values alone.
func (l *Ledger) Expect(d protocol.Device) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.book(d.Name).identity = &d
}

// ByCount says that the values of device cannot tell its readings apart. It has
// no effect on a device that sends its own time.
func (l *Ledger) ByCount(device string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.book(device).counted = true
}

// Sent notes a reading that is about to be sent. Until it is Confirmed it may
// arrive or not.
func (l *Ledger) Sent(device string, s Sample) Ref {
	l.mu.Lock()
	defer l.mu.Unlock()
	b := l.book(device)
	l.sent++
	l.open++
	return Ref{b, b.add(s, l.digest(s.Metrics))}
}

// Confirmed notes that the reading left the device for certain: it has to
// arrive.
func (l *Ledger) Confirmed(r Ref) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if r.book == nil || r.book.confirmed(r.n) || r.book.excuses(r.book.at[r.n]) {
		return
	}
	r.book.state[r.n] |= confirmedBit
	l.open--
	for i, t := range l.sinks {
		if r.book.counts() || r.book.seen[i][r.n] == 0 {
			t.missing++
		}
	}
}

// Resent notes that the reading is about to be sent once more, because nobody
// knows whether it left: it may arrive once more too.
func (l *Ledger) Resent(r Ref) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if r.book != nil && r.book.sends(r.n) < maxSends {
		r.book.state[r.n]++
	}
}

// Unsent takes back a Sent of a reading that never left.
func (l *Ledger) Unsent(r Ref) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if r.book == nil || r.book.confirmed(r.n) || r.book.sends(r.n) != 1 {
		return
	}
	r.book.state[r.n] = 0
	l.sent--
	l.open--
}

// Doubt takes back a Confirmed: the reading may have been lost on the way, at no
// fault of the gateway.
func (l *Ledger) Doubt(r Ref) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if r.book != nil {
		l.doubt(r)
	}
}

// doubt is Doubt. l.mu is held.
func (l *Ledger) doubt(r Ref) {
	if !r.book.confirmed(r.n) {
		return
	}
	r.book.state[r.n] &^= confirmedBit
	l.open++
	for i, t := range l.sinks {
		if r.book.counts() || r.book.seen[i][r.n] == 0 {
			t.missing--
		}
	}
}

// Suppressed notes that the gateway says to have held back so many of the readings
// of device: they need not arrive.
func (l *Ledger) Suppressed(device string, readings int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.book(device).suppressed += readings
}

// Delivered notes that a sink got a reading of device with time t and these
// metrics, which it does not keep. A sink that New did not name panics.
func (l *Ledger) Delivered(sink, device string, t protocol.Timestamp, metrics []protocol.Metric) {
	l.mu.Lock()
	defer l.mu.Unlock()
	i := l.sink(sink)
	s := l.sinks[i]
	s.got++
	b, known := l.books[device]
	if !known {
		s.unexpected++
		s.note(Finding{Kind: Unexpected, Device: device, Time: t, Detail: "no such device: " + text(metrics)})
		return
	}
	l.match(s, i, b, t, metrics)
}

// match finds the sent reading that arrived and counts it. l.mu is held.
func (l *Ledger) match(s *tally, i int, b *book, t protocol.Timestamp, metrics []protocol.Metric) {
	digest := l.digest(metrics)
	n, found := b.find(i, t, digest)
	if !found && b.excuses(int64(t)) {
		return
	}
	if !found {
		s.unexpected++
		s.note(Finding{Kind: Unexpected, Device: b.device, Time: t, Detail: text(metrics)})
		return
	}
	if b.counts() {
		b.arrived[i]++
		s.missing--
		return
	}
	if b.hash[n] != digest {
		s.wrong++
		s.note(Finding{Kind: Wrong, Device: b.device, Number: int64(n) + 1, Time: t, Detail: text(metrics)})
	}
	if b.seen[i][n] == 0 {
		if b.confirmed(n) {
			s.missing--
		}
		if int64(n) < b.next[i]-1 {
			s.reordered++
			s.note(Finding{Kind: Reordered, Device: b.device, Number: int64(n) + 1, Time: t,
				Detail: fmt.Sprintf("arrived after number %d", b.next[i])})
		}
	}
	if b.seen[i][n] < math.MaxUint8 {
		b.seen[i][n]++
	}
	b.next[i] = max(b.next[i], int64(n)+1)
}

// Totals returns how many readings were sent and how many of these were never
// confirmed.
func (l *Ledger) Totals() (sent, unconfirmed int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.sent, l.open
}

// Outstanding returns how many confirmed readings have yet to arrive at sink.
func (l *Ledger) Outstanding(sink string) int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return max(0, l.sinks[l.sink(sink)].missing)
}

// Deliveries returns how many readings sink got so far, of any kind.
func (l *Ledger) Deliveries(sink string) int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.sinks[l.sink(sink)].got
}

func (l *Ledger) book(device string) *book {
	b := l.books[device]
	if b == nil {
		b = newBook(device, len(l.sinks))
		l.books[device] = b
		l.order = append(l.order, b)
	}
	return b
}

func (l *Ledger) sink(name string) int {
	i := slices.IndexFunc(l.sinks, func(t *tally) bool { return t.name == name })
	if i < 0 {
		panic(fmt.Sprintf("ledger has no sink %q", name))
	}
	return i
}
