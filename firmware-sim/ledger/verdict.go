package ledger

import (
	"encoding/json"
	"fmt"
	"time"

	"sluice/protocol"
)

// The kinds of a Finding.
const (
	Lost       = "lost"       // sent for certain, never delivered
	Duplicate  = "duplicate"  // delivered more often than sent
	Wrong      = "wrong"      // the right time with other values, or another profile or tag
	Unexpected = "unexpected" // never sent
	Reordered  = "reordered"  // first delivered after a later reading of its device
)

// maxFindings is how many findings of one kind are named per sink; the counts
// go on.
const maxFindings = 20

// Finding names one reading that is not as it should be.
type Finding struct {
	Kind   string             `json:"kind"`
	Device string             `json:"device"`
	Number int64              `json:"number"` // of the device's readings from 1, 0 when it cannot be said
	Time   protocol.Timestamp `json:"-"`      // source time or, where the device has none, sent or received time
	Detail string             `json:"detail,omitempty"`
}

// String returns the finding as one line.
func (f Finding) String() string {
	s := f.Kind + ": " + f.Device
	if f.Number > 0 {
		s += fmt.Sprintf(" reading %d", f.Number)
	}
	if f.Time != 0 {
		s += " of " + f.Time.Time().Format(time.RFC3339Nano)
	}
	if f.Detail != "" {
		s += " (" + f.Detail + ")"
	}
	return s
}

// MarshalJSON writes the time as text, left out when there is none.
func (f Finding) MarshalJSON() ([]byte, error) {
	type plain Finding
	out := struct {
		plain
		Time string `json:"time,omitempty"`
	}{plain: plain(f)}
	if f.Time != 0 {
		out.Time = f.Time.Time().Format(time.RFC3339Nano)
	}
	return json.Marshal(out)
}

// Account is the balance of one sink, in readings. The ledger fills what the
// devices and the sink know; the gateway's side fills Carried, InJournal,
// Dropped and DeadLettered.
type Account struct {
	Carried      int64            `json:"carried"`
	Delivered    int64            `json:"delivered"`            // readings that arrived, each counted once
	Suppressed   int64            `json:"suppressed,omitempty"` // never arrived, held back by a report rule
	Lost         int64            `json:"lost"`                 // confirmed as sent, never arrived
	Duplicates   int64            `json:"duplicates"`           // deliveries beyond the number of sendings
	InJournal    int64            `json:"in_journal"`
	Dropped      map[string]int64 `json:"dropped"`
	DeadLettered map[string]int64 `json:"dead_lettered"`
	Wrong        int64            `json:"wrong,omitempty"`
	Unexpected   int64            `json:"unexpected,omitempty"`
	Reordered    int64            `json:"reordered,omitempty"`
	ByCount      []string         `json:"by_count,omitempty"` // devices that were only counted
	Findings     []Finding        `json:"findings,omitempty"`
}

// Clean reports whether every reading arrived once, unchanged and in order.
func (a *Account) Clean() bool {
	return a.Lost == 0 && a.Duplicates == 0 && a.Wrong == 0 && a.Unexpected == 0 && a.Reordered == 0
}

// Verdict returns the balance of sink as it stands now.
func (l *Ledger) Verdict(sink string) Account {
	l.mu.Lock()
	defer l.mu.Unlock()
	i := l.sink(sink)
	s := *l.sinks[i]
	s.findings = s.findings[:len(s.findings):len(s.findings)]
	a := Account{
		Dropped: map[string]int64{}, DeadLettered: map[string]int64{},
		Wrong: s.wrong, Unexpected: s.unexpected, Reordered: s.reordered,
	}
	for _, b := range l.order {
		if b.counts() {
			a.ByCount = append(a.ByCount, b.device)
			b.count(&a, &s, i)
			continue
		}
		b.balance(&a, &s, i)
	}
	a.Findings = s.findings
	return a
}

// balance adds the readings of b at sink i to a and names what is amiss.
func (b *book) balance(a *Account, s *tally, i int) {
	room, excused := int64(0), b.suppressed
	for n, got := range b.seen[i] {
		sends := b.sends(uint32(n))
		if b.excuses(b.at[n]) {
			sends = max(sends, int(got)) // it may have been heard twice
		}
		if got > 0 {
			a.Delivered++
		}
		room += max(0, int64(sends)-int64(got))
		switch {
		case int(got) > sends:
			a.Duplicates += int64(int(got) - sends)
			s.note(Finding{Kind: Duplicate, Device: b.device, Number: int64(n) + 1, Time: protocol.Timestamp(b.at[n]),
				Detail: fmt.Sprintf("delivered %d times, sent %d", got, sends)})
		case got > 0 || !b.confirmed(uint32(n)):
		case excused > 0:
			excused--
		default:
			a.Lost++
			s.note(Finding{Kind: Lost, Device: b.device, Number: int64(n) + 1, Time: protocol.Timestamp(b.at[n])})
		}
	}
	b.excuse(a, s, room)
}

// excuse adds what was suppressed to a. Of no more than room readings nothing was
// delivered: when the gateway says that it suppressed more, it is wrong.
func (b *book) excuse(a *Account, s *tally, room int64) {
	a.Suppressed += b.suppressed
	if over := b.suppressed - room; over > 0 {
		a.Unexpected += over
		s.note(Finding{Kind: Unexpected, Device: b.device, Detail: fmt.Sprintf("suppressed %d, but %d of them were delivered", b.suppressed, over)})
	}
}

// count compares numbers alone.
func (b *book) count(a *Account, s *tally, i int) {
	sure, most := int64(0), int64(0)
	for n := range b.state {
		most += int64(b.sends(uint32(n)))
		if b.confirmed(uint32(n)) {
			sure++
		}
	}
	got := b.arrived[i]
	b.excuse(a, s, max(0, most-got))
	sure -= b.suppressed
	detail := fmt.Sprintf("by count: delivered %d, sent %d", got, most)
	if got < sure {
		a.Lost += sure - got
		s.note(Finding{Kind: Lost, Device: b.device, Detail: detail})
	}
	if got > most {
		a.Duplicates += got - most
		s.note(Finding{Kind: Duplicate, Device: b.device, Detail: detail})
	}
	a.Delivered += min(got, most)
}

// note keeps a finding while its kind has room.
func (t *tally) note(f Finding) {
	n := 0
	for i := range t.findings {
		if t.findings[i].Kind == f.Kind {
			n++
		}
	}
	if n < maxFindings {
		t.findings = append(t.findings, f)
	}
}
