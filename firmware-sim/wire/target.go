package wire

import (
	"fmt"
	"math"
	"math/big"
	"regexp"
	"strconv"

	"sluice/protocol"
	"sluice/protocol/payload"
)

// target is a metric that is read from a slot.
type target struct {
	name, unit, typ string
	scaled          bool // there is a scale or an offset
	scale, offset   float64
	scaleRat        *big.Rat // exactly as the operator wrote it
	offsetRat       *big.Rat
	divisor         float64 // 10^n for a scale of 10^-n, else 0
	means           map[string]string
	bounds          []float64 // least and largest value of good quality; nil: any
	whole           bool      // as sent, a number is an integer
}

// spelling is how a message tells a number from a text.
type spelling uint8

const (
	typed    spelling = iota // the form says what a value is
	bare                     // it does not: what looks like a number is one, and true and false are bools
	allTexts                 // nor that: true and false are texts
)

func newTarget(name string, m payload.Metric) (target, error) {
	t := target{name: name, unit: m.Unit, typ: m.Type, scale: 1, means: m.Map, bounds: m.Range}
	if m.Scale != nil {
		t.scaled, t.scale = true, *m.Scale
	}
	if m.Offset != nil {
		t.scaled, t.offset = true, *m.Offset
	}
	if t.scale == 0 || math.IsNaN(t.scale+t.offset) || math.IsInf(t.scale+t.offset, 0) {
		return target{}, fmt.Errorf("metric %q: scale %v and offset %v have no inverse", name, t.scale, t.offset)
	}
	t.scaleRat, t.offsetRat = decimal(t.scale), decimal(t.offset)
	for n := 1; n <= 22; n++ {
		if t.scale == 1/math.Pow10(n) {
			t.divisor = math.Pow10(n)
		}
	}
	return t, nil
}

// decimal returns the number whose shortest text reads as f: what was written.
func decimal(f float64) *big.Rat {
	r, _ := new(big.Rat).SetString(strconv.FormatFloat(f, 'g', -1, 64))
	return r
}

// numeric reports whether only a number will do.
func (t *target) numeric() bool {
	return t.scaled || t.bounds != nil || t.typ == "float" || t.typ == "int" || t.typ == "uint"
}

// plain matches what every decoder takes for a number.
var plain = regexp.MustCompile(`^[-+]?[0-9]+(\.[0-9]+)?$`)

// expect returns the value that the gateway should deliver for a text, and
// whether there is exactly one right answer, which is of good quality.
func (t *target) expect(text string, kind Kind, s spelling) (protocol.Value, bool) {
	if means, ok := t.means[text]; ok {
		text, kind, s = means, bareKind(means), bare
	}
	v, ok := t.convert(text, kind, s)
	if n, is := v.Number(); is && t.bounds != nil {
		ok = ok && n >= t.bounds[0] && n <= t.bounds[1]
	}
	return v, ok
}

func (t *target) convert(text string, kind Kind, s spelling) (protocol.Value, bool) {
	switch {
	case t.typ == "string":
		return protocol.String(text), true
	case t.typ == "bool":
		return expectBool(text)
	case t.scaled, t.typ != "", kind == Number, s != typed && plain.MatchString(text):
		return t.expectNumber(text)
	case kind == Switch && s != allTexts:
		return protocol.Bool(text == "true"), true
	}
	_, err := strconv.ParseFloat(text, 64)
	return protocol.String(text), s == typed || err != nil // opinions differ about "1e5" and "NaN"
}

// bareKind returns what a word of a file is.
func bareKind(word string) Kind {
	switch {
	case word == "true" || word == "false":
		return Switch
	case plain.MatchString(word):
		return Number
	}
	return Word
}

// switchTexts are ways to say off and on.
var switchTexts = [][2]string{{"false", "true"}, {"0", "1"}, {"off", "on"}, {"OFF", "ON"}, {"False", "True"}, {"FALSE", "TRUE"}}

func expectBool(text string) (protocol.Value, bool) {
	for _, pair := range switchTexts {
		if text == pair[0] || text == pair[1] {
			return protocol.Bool(text == pair[1]), true
		}
	}
	return protocol.Value{}, false
}

// expectNumber computes scale and offset exactly.
func (t *target) expectNumber(text string) (protocol.Value, bool) {
	exact, ok := new(big.Rat).SetString(text)
	if !ok || !plain.MatchString(text) {
		return protocol.Value{}, false
	}
	if t.scaled {
		sent, _ := exact.Float64()
		exact.Add(exact.Mul(exact, t.scaleRat), t.offsetRat)
		if want, _ := exact.Float64(); !short(exact, want) && !t.agrees(sent, want) {
			return protocol.Value{}, false
		}
	}
	want, _ := exact.Float64()
	switch t.typ {
	case "int", "uint":
		return t.expectWhole(exact, want)
	case "":
		if !t.scaled && exact.IsInt() && (t.whole || math.Abs(want) > 1<<53) {
			return protocol.Int(exact.Num().Int64()), exact.Num().IsInt64()
		}
	}
	return protocol.Float(want), true
}

// expectWhole rounds what was scaled; what was not is whole already.
func (t *target) expectWhole(exact *big.Rat, want float64) (protocol.Value, bool) {
	n := exact.Num()
	if !exact.IsInt() {
		if !t.scaled || math.Abs(want-math.Round(want)) > 0.49 || math.Abs(want) > 1<<52 {
			return protocol.Value{}, false
		}
		n = big.NewInt(int64(math.Round(want)))
	}
	if t.typ == "uint" {
		return protocol.Uint(n.Uint64()), n.IsUint64()
	}
	return protocol.Int(n.Int64()), n.IsInt64()
}

// short reports whether the exact result has at most 15 digits, so that whoever
// reckons in decimals and rounds once comes to want.
func short(exact *big.Rat, want float64) bool {
	text := strconv.FormatFloat(want, 'e', 14, 64)
	r, ok := new(big.Rat).SetString(text)
	return ok && r.Cmp(exact) == 0
}

// agrees reports whether plain float64 arithmetic, fused or not, comes to the
// exact result: then no decoder has a reason to differ.
func (t *target) agrees(sent, want float64) bool {
	if t.divisor != 0 {
		return float64(sent/t.divisor)+t.offset == want
	}
	return float64(sent*t.scale)+t.offset == want && math.FMA(sent, t.scale, t.offset) == want
}
