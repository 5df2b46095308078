package bus

import (
	"bytes"
	"fmt"
	"time"
)

// Interval is a time in which somebody was heard on the line.
type Interval struct {
	Start, End time.Time // of the first bit, of the last bit
	Master     bool      // it is a request, or what may become one
	Unit       uint8     // who was asked or has answered; of an unfinished request 0
	Bytes      []byte
	Faults     Faults // what was done to it
	Unasked    bool   // a device talked by itself
}

// String returns the interval in one line.
func (i Interval) String() string {
	who := fmt.Sprintf("unit %d says", i.Unit)
	if i.Master {
		who = "master asks"
	}
	if i.Faults != 0 {
		who += " (" + i.Faults.String() + ")"
	}
	return fmt.Sprintf("%s +%v %s % x", i.Start.Format("15:04:05.000000"), i.End.Sub(i.Start), who, i.Bytes)
}

// Kind is what a master did wrong.
type Kind uint8

// The kinds.
const (
	Overlap   Kind = iota // it talked while somebody else did
	Gap                   // it began without the silence before
	Impatient             // it asked while an answer to an earlier request was still due
)

// String returns the kind's name.
func (k Kind) String() string {
	switch k {
	case Overlap:
		return "overlap"
	case Gap:
		return "gap"
	}
	return "impatient"
}

// Violation is a breach of the rules of the line.
type Violation struct {
	Kind          Kind
	Gap           time.Duration // from the end of the first to the start of the second; below 0 where they overlap
	First, Second Interval      // Second is what should not have been there
}

// String returns the violation in three lines.
func (v Violation) String() string {
	return fmt.Sprintf("%v: %v between\n  %v\n  %v", v.Kind, v.Gap, v.First, v.Second)
}

// What the arbiter keeps at most.
const (
	maxViolations = 1000
	maxTrace      = 512
)

// tally counts violations and keeps the first ones.
type tally struct {
	n    int64
	kept []Violation
}

func (t *tally) add(v Violation) {
	t.n++
	if len(t.kept) < maxViolations {
		t.kept = append(t.kept, v)
	}
}

// arbiter keeps the record of a line.
type arbiter struct {
	blamed, excused tally
	trace           []Interval // a ring once it is full
	next            int        // where the ring goes on
}

// note records that somebody was heard.
func (a *arbiter) note(i Interval) {
	if len(a.trace) < maxTrace {
		a.trace = append(a.trace, i)
		return
	}
	a.trace[a.next] = i
	a.next = (a.next + 1) % maxTrace
}

// judge records a violation, and apart from the others one that the master could
// not foresee.
func (a *arbiter) judge(k Kind, first, second Interval) {
	first.Bytes, second.Bytes = bytes.Clone(first.Bytes), bytes.Clone(second.Bytes)
	v := Violation{Kind: k, Gap: second.Start.Sub(first.End), First: first, Second: second}
	if (first.Faults|second.Faults)&excusing != 0 || first.Unasked || second.Unasked {
		a.excused.add(v)
	} else {
		a.blamed.add(v)
	}
}

// Violations returns what masters did wrong, the first thousand of it, oldest
// first; Stats has the number. It is safe for concurrent use.
func (b *Bus) Violations() []Violation {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]Violation(nil), b.arbiter.blamed.kept...)
}

// Excused returns what would be violations, had not an injected fault brought
// somebody to talk whom the master could not expect. It is safe for concurrent
// use.
func (b *Bus) Excused() []Violation {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]Violation(nil), b.arbiter.excused.kept...)
}

// Trace returns the last 512 intervals, in the order in which they ended. It is
// safe for concurrent use.
func (b *Bus) Trace() []Interval {
	b.mu.Lock()
	defer b.mu.Unlock()
	a := &b.arbiter
	return append(append([]Interval(nil), a.trace[a.next:]...), a.trace[:a.next]...)
}
