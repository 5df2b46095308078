package wire

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"sluice/protocol/payload"
)

// NewRegisters returns the form of what a Modbus device holds for some metrics of
// a profile. A message is a text for each, in the order of their names, with a
// line feed behind each: what the registers' type makes of it stands in them.
func NewRegisters(name string, metrics map[string]payload.Metric) (*Form, error) {
	return newForm(name, &payload.Profile{}, func(f *Form) error {
		for _, metric := range slices.Sorted(maps.Keys(metrics)) {
			s, err := registerSlot(metric, metrics[metric])
			if err != nil {
				return err
			}
			f.slots = append(f.slots, s)
		}
		f.layout = listing{}
		return nil
	})
}

// listing writes texts one below the other.
type listing struct{}

func (listing) compose(dst []byte, m *message) ([]byte, bool) {
	for _, text := range m.texts {
		dst = append(append(dst, text...), '\n')
	}
	return dst, true
}

// registerSlot returns a slot of values that fit into a metric's registers.
func registerSlot(name string, m payload.Metric) (Slot, error) {
	width, whole := registerRange(&m)
	sent := m
	switch {
	case m.Coil != nil, m.Discrete != nil, m.Type == "bool":
		sent.Type = "bool"
	case m.Type == "string":
	case m.Type == "bytes":
		return Slot{}, &Unknown{"type bytes in registers"}
	case whole && m.Scale == nil && m.Offset == nil:
		sent.Type = "int"
	case whole:
		sent.Type = ""
	default:
		sent.Type = "float"
	}
	if len(m.Map) > 0 {
		sent.Type = ""
	}
	t, err := newTarget(name, sent)
	if err != nil {
		return Slot{}, err
	}
	t.whole = whole
	s, err := newSlot(name, []target{t}, typed)
	switch {
	case err != nil:
		return s, err
	case m.Type == "string":
		s.setWords(cut(states, m.Length))
	case s.Kind == Number:
		err = s.hold(&m, width, whole)
	}
	return s, err
}

// limits of a number: what its registers can hold.
type limits struct{ low, high float64 }

// registerRange returns what a metric's registers hold, and whether it is whole
// numbers.
func registerRange(m *payload.Metric) (limits, bool) {
	bits, signed := 0, strings.HasPrefix(m.Type, "int")
	switch size, isInt := strings.CutPrefix(strings.TrimPrefix(m.Type, "u"), "int"); {
	case isInt:
		bits, _ = strconv.Atoi(size)
	case m.Type == "bcd":
		return limits{0, math.Pow10(2*m.Length) - 1}, true
	case m.Type == "float16":
		return limits{-999, 999}, false
	case m.Type == "float32":
		return limits{-999_999, 999_999}, false
	default:
		return limits{-1e12, 1e12}, false
	}
	if first, last, several := strings.Cut(m.Bits, "-"); m.Bits != "" {
		bits, signed = 1, false
		if several {
			from, _ := strconv.Atoi(first)
			to, _ := strconv.Atoi(last)
			bits = to - from + 1
		}
	}
	bits = min(bits, 48) // far from where float64 loses digits
	if signed {
		return limits{-math.Exp2(float64(bits - 1)), math.Exp2(float64(bits-1)) - 1}, true
	}
	return limits{0, math.Exp2(float64(bits)) - 1}, true
}

// roomy is how many whole numbers tell the samples of a device apart.
const roomy = 9999

// hold keeps the ticks within what the registers hold, away from what means that
// there is no value.
func (s *Slot) hold(m *payload.Metric, l limits, whole bool) error {
	unit := math.Pow10(s.Decimals)
	low, high := max(float64(s.Min)/unit, l.low), min(float64(s.Max)/unit, l.high)
	if high < low {
		low, high = l.low, l.high
	}
	decimals := s.Decimals
	if whole {
		decimals = 0
		if m.Range == nil {
			high = max(high, min(l.high, low+roomy))
		}
	}
	for !whole && decimals > 0 && high*math.Pow10(decimals) > l.high {
		decimals-- // a float has so many digits and no more
	}
	for _, code := range m.Missing {
		n, err := strconv.ParseInt(code, 0, 64)
		if at := float64(n); err == nil && at >= low && at <= high {
			high = max(low, at-1)
		}
	}
	s.lay(low, high, float64(s.Step)/unit, decimals)
	if s.Max < s.Min {
		return fmt.Errorf("metric %q: no value of its range fits into its registers", s.targets[0].name)
	}
	return s.check()
}

// cut shortens words to so many bytes.
func cut(words []string, most int) []string {
	var list []string
	for _, w := range words {
		if w = w[:min(len(w), most)]; !slices.Contains(list, w) {
			list = append(list, w)
		}
	}
	return list
}
