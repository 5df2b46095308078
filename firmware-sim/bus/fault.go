package bus

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"sluice/protocol/modbus"
)

// Fault is something that goes wrong on a bus.
type Fault uint8

// The faults that Inject takes, and Collision, which happens when two talk at
// once. On Modbus TCP there is no line: Echo, Babble and noise do nothing there.
const (
	Silent       Fault = iota // no answer
	Late                      // an answer that is late by Trouble.Delay
	WrongUnit                 // the answer names another unit
	BadCRC                    // a checksum is wrong; on TCP the transaction is another one; of a text one bit
	Truncated                 // only a part of the answer
	NoiseBefore               // random bytes right before the answer
	NoiseAfter                // random bytes right after it
	NoiseBetween              // random bytes some time after it, Trouble.Delay at most
	Pause                     // a silence of Trouble.Delay within the answer
	Echo                      // the adapter hears its own master
	Refused                   // exception Trouble.Code instead of the answer
	Babble                    // somebody talks without end, with breaks of Trouble.Delay; counted by burst, under unit 0
	Collision                 // bytes were lost because two talked at once; a request's under unit 0
	faults                    // how many
)

var faultNames = [faults]string{
	"silent", "late", "wrong unit", "bad crc", "truncated", "noise before", "noise after", "noise between",
	"pause", "echo", "refused", "babble", "collision",
}

// String returns the fault's name.
func (f Fault) String() string {
	if f < faults {
		return faultNames[f]
	}
	return fmt.Sprintf("fault %d", uint8(f))
}

// Faults is a set of faults.
type Faults uint16

// The faults after which a master has no answer that it can use, and those that
// no master can foresee, so that it is not to blame for what they run into.
const (
	spoiling = 1<<WrongUnit | 1<<BadCRC | 1<<Truncated | 1<<Refused | 1<<Collision
	excusing = 1<<Late | 1<<NoiseBefore | 1<<NoiseAfter | 1<<NoiseBetween | 1<<Pause | 1<<Babble
)

// Has reports whether f is among them.
func (s Faults) Has(f Fault) bool { return s>>f&1 != 0 }

func (s *Faults) add(f Fault) { *s |= 1 << f }

// String returns the names of the faults.
func (s Faults) String() string {
	var names []string
	for f := range faults {
		if s.Has(f) {
			names = append(names, f.String())
		}
	}
	return strings.Join(names, ", ")
}

// Trouble is a fault and when it strikes.
type Trouble struct {
	Fault  Fault
	Units  []uint8          // whom; nil for all
	Chance float64          // from 0 to 1, of every answer; 0 means always
	Count  int              // after so many times it is over; 0: never
	Delay  time.Duration    // of Late (default 1 s), Pause (default 20 ms), NoiseBetween (default 20 ms), Babble (default none)
	Code   modbus.Exception // of Refused, default ServerDeviceBusy
}

// trouble is a Trouble at work.
type trouble struct {
	Trouble
	struck int
}

func (t *trouble) hits(f Fault, unit uint8) bool {
	return t.Fault == f && (t.Units == nil || slices.Contains(t.Units, unit)) && (t.Count == 0 || t.struck < t.Count)
}

var delays = [faults]time.Duration{Late: time.Second, Pause: 20 * time.Millisecond, NoiseBetween: 20 * time.Millisecond}

// Inject makes a fault strike from now on, until lift is called. Several at once
// are possible. It is safe for concurrent use.
func (b *Bus) Inject(t Trouble) (lift func()) {
	if t.Fault < faults && t.Delay == 0 {
		t.Delay = delays[t.Fault]
	}
	if t.Code == 0 {
		t.Code = modbus.ServerDeviceBusy
	}
	t.Units = slices.Clone(t.Units)
	mine := &trouble{Trouble: t}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.troubles = append(b.troubles, mine)
	b.poke()
	return func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.troubles = slices.DeleteFunc(b.troubles, func(o *trouble) bool { return o == mine })
		b.poke()
	}
}

// strikes decides whether a fault strikes a unit now, and counts it.
func (b *Bus) strikes(f Fault, unit uint8) (Trouble, bool) {
	for _, t := range b.troubles {
		if t.hits(f, unit) && (t.Chance == 0 || b.random.Float64() < t.Chance) {
			t.struck++
			b.count(f, unit)
			return t.Trouble, true
		}
	}
	return Trouble{}, false
}

// armed returns the first trouble of a fault that is not over.
func (b *Bus) armed(f Fault) *trouble {
	for _, t := range b.troubles {
		if t.Fault == f && (t.Count == 0 || t.struck < t.Count) {
			return t
		}
	}
	return nil
}
