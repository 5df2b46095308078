package wire

import (
	"errors"
	"math"
	"math/big"
	"slices"
	"strconv"
)

// Kind is what a slot holds.
type Kind uint8

// The kinds of a slot.
const (
	Number Kind = iota // a decimal number of ticks
	Switch             // on or off: 0 or 1
	Word               // one of a few texts, by number
)

// Slot is one place in a message that holds a value, which may feed several
// metrics. Values are given in ticks, whole numbers from Min to Max.
type Slot struct {
	Name     string // the path, group or column
	Kind     Kind
	Min, Max int64
	Step     int64 // largest usual change, 0 for words
	Decimals int   // a tick of a number is 10^-Decimals
	Counter  bool  // rises, and starts anew at Max

	targets []target
	shown   Kind     // what a form that tells kinds apart shows
	part    int64    // of a format's number: what is written is so many times what is meant; 0: not one
	words   []string // of a Word; off and on of a Switch
	digits  int      // least digits before the point
	plus    bool     // positive numbers carry a sign
}

// newSlot returns a slot that suits all its targets, for a wire that does not
// restrict its form.
func newSlot(name string, targets []target, sp spelling) (Slot, error) {
	s := Slot{Name: name, targets: targets}
	if s.mapped() {
		return s, s.explain(sp, nil)
	}
	s.Kind = kindOf(name, targets)
	for i := range targets {
		if targets[i].typ == "bool" && s.Kind != Switch {
			return Slot{}, errors.New("the metrics that read " + strconv.Quote(name) + " want both a bool and something else")
		}
	}
	switch s.Kind {
	case Switch:
		s.setWords([]string{"false", "true"})
		s.Kind = Switch
	case Word:
		s.setWords(states)
	case Number:
		s.measure()
	}
	if s.shown = s.Kind; slices.ContainsFunc(targets, func(t target) bool { return t.typ == "string" }) {
		s.shown = Word
	}
	return s, s.check()
}

// kindOf decides by what the targets want: a number before a bool before a
// text. Where none says so the name decides.
func kindOf(name string, targets []target) Kind {
	wants := func(want func(t target) bool) bool { return slices.ContainsFunc(targets, want) }
	switch {
	case wants(func(t target) bool { return t.numeric() }):
		return Number
	case wants(func(t target) bool { return t.typ == "bool" }):
		return Switch
	case wants(func(t target) bool { return t.typ == "string" }):
		return Word
	case wants(func(t target) bool { return t.unit != "" }):
		return Number
	case isSwitch(name):
		return Switch
	case isState(name):
		return Word
	}
	return Number
}

func (s *Slot) setWords(words []string) {
	s.Kind, s.words = Word, words
	s.Min, s.Max, s.Step, s.Decimals = 0, int64(len(words)-1), 0, 0
}

// measure sets range and step of a number from what its first target seems to
// measure.
func (s *Slot) measure() {
	t := &s.targets[0]
	q := guess(t.name, t.unit)
	if t.typ == "uint" && q.min < 0 {
		q.min, q.max = 0, q.max-q.min
	}
	low, high := t.inverse(q.min, q.max)
	low, high = s.confined(low, high)
	s.Counter = q.counter && t.scale > 0
	decimals := q.decimals
	if t.scaled {
		decimals = 0
		for decimals < 4 && (high-low)*math.Pow10(decimals) < 100 {
			decimals++
		}
	}
	for s.bounded() && decimals < 6 && (high-low)*math.Pow10(decimals) < 10 {
		decimals++
	}
	if s.whole() {
		decimals = 0
	}
	s.span(low, high, math.Abs(q.step/t.scale), decimals)
}

// inverse returns what is sent for values from low to high.
func (t *target) inverse(low, high float64) (float64, float64) {
	low, high = (low-t.offset)/t.scale, (high-t.offset)/t.scale
	return min(low, high), max(low, high)
}

// span sets the bounds in ticks of 10^-decimals.
func (s *Slot) span(low, high, step float64, decimals int) {
	low, high = s.confined(low, high)
	s.lay(low, high, step, decimals)
	if s.Max <= s.Min && !s.bounded() {
		s.Max = s.Min + 1000
	}
	s.Step = min(max(1, toTicks(step*math.Pow10(decimals))), max(1, (s.Max-s.Min)/8))
}

// lay sets the bounds as they are.
func (s *Slot) lay(low, high, step float64, decimals int) {
	unit := math.Pow10(decimals)
	s.Decimals = decimals
	s.Min, s.Max = toTicks(math.Ceil(low*unit-noise(low*unit))), toTicks(math.Floor(high*unit+noise(high*unit)))
	s.Step = min(max(1, toTicks(step*unit)), max(1, (s.Max-s.Min)/8))
}

// noise is how much a number that was multiplied may be off.
func noise(f float64) float64 { return 1e-9 * max(1, math.Abs(f)) }

// toTicks keeps far from where float64 and int64 lose digits.
func toTicks(f float64) int64 {
	const most = 1e14
	return int64(min(max(f, -most), most))
}

// whole reports whether a metric takes the sent number as an integer.
func (s *Slot) whole() bool {
	for i := range s.targets {
		t := &s.targets[i]
		if !t.scaled && (t.typ == "int" || t.typ == "uint") {
			return true
		}
	}
	return false
}

// distinct returns how many values can be told apart in the first target: one
// where no metric reads the slot.
func (s *Slot) distinct() float64 {
	if len(s.targets) == 0 {
		return 1
	}
	n := float64(s.Max-s.Min) + 1
	if t := &s.targets[0]; s.Kind == Number && (t.typ == "int" || t.typ == "uint") {
		return max(1, min(n, n*math.Abs(t.scale)/math.Pow10(s.Decimals)))
	}
	return n
}

// meant returns what a text on the wire means before a profile has its say.
func (s *Slot) meant(text string) string {
	if s.part == 0 {
		return text
	}
	f, _ := new(big.Rat).Quo(rational(text), big.NewRat(s.part, 1)).Float64()
	return strconv.FormatFloat(f, 'f', -1, 64)
}

// text returns what stands on the wire for tick.
func (s *Slot) text(tick int64) string {
	if s.Kind != Number {
		return s.words[tick]
	}
	sign, n := "", tick
	if n < 0 {
		sign, n = "-", -n
	} else if s.plus {
		sign = "+"
	}
	digits := strconv.FormatInt(n, 10)
	for len(digits) < s.digits+s.Decimals || len(digits) <= s.Decimals {
		digits = "0" + digits
	}
	if s.Decimals == 0 {
		return sign + digits
	}
	point := len(digits) - s.Decimals
	return sign + digits[:point] + "." + digits[point:]
}
