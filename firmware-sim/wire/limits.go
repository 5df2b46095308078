package wire

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"math/big"
	"slices"
	"strconv"
	"strings"
)

// bounded reports whether a metric that reads the slot says what is plausible.
func (s *Slot) bounded() bool {
	return slices.ContainsFunc(s.targets, func(t target) bool { return t.bounds != nil })
}

// confined returns the part of low to high that is plausible for all metrics
// that read the slot, or what is plausible where the two have nothing in common.
// Without such a number low comes out above high.
func (s *Slot) confined(low, high float64) (float64, float64) {
	least, most := math.Inf(-1), math.Inf(1)
	for i := range s.targets {
		if t := &s.targets[i]; t.bounds != nil {
			a, b := t.bounds[0], t.bounds[1]
			if t.typ == "uint" {
				a = max(a, 0)
			}
			if a > b {
				return 1, 0
			}
			a, b = t.inverse(a, b)
			least, most = max(least, a), min(most, b)
		}
	}
	switch {
	case low <= most && high >= least:
		return max(low, least), min(high, most)
	case math.IsInf(least, -1):
		return most - (high - low), most
	case math.IsInf(most, 1):
		return least, least + (high - low)
	}
	return least, most
}

// check finds a slot that no number fits.
func (s *Slot) check() error {
	if s.Kind != Number || s.Min <= s.Max {
		return nil
	}
	for i := range s.targets {
		if t := &s.targets[i]; t.bounds != nil {
			return fmt.Errorf("metric %q: nothing that can be sent lies in the range %v", t.name, t.bounds)
		}
	}
	return errors.New("no number fits " + strconv.Quote(s.Name))
}

// mapped reports whether a metric that reads the slot explains what is sent.
func (s *Slot) mapped() bool {
	return slices.ContainsFunc(s.targets, func(t target) bool { return len(t.means) > 0 })
}

// explain makes the slot one of the texts that the map of its first metric with
// a map explains, as far as fits takes them and all metrics get one right value.
func (s *Slot) explain(sp spelling, fits func(string) bool) error {
	at := slices.IndexFunc(s.targets, func(t target) bool { return len(t.means) > 0 })
	keys := slices.Sorted(maps.Keys(s.targets[at].means))
	s.shown = shownAs(keys)
	var words []string
	for _, key := range keys {
		if s.sends(key, sp) && (fits == nil || fits(key)) {
			words = append(words, key)
		}
	}
	if len(words) == 0 {
		return fmt.Errorf("metric %q: nothing that its map explains can be sent for it", s.targets[at].name)
	}
	s.setWords(words)
	return nil
}

// sends reports whether a key of a map can be sent.
func (s *Slot) sends(key string, sp spelling) bool {
	if key == "" || strings.TrimSpace(key) != key || sp != typed && strings.ContainsAny(key, "\"\r\n{[") {
		return false
	}
	for i := range s.targets {
		t := &s.targets[i]
		if _, ok := t.expect(key, s.shown, sp); !ok || sp == bare && t.typ != "string" && saysNothing(key) {
			return false
		}
	}
	return true
}

// shownAs returns what a form that tells kinds apart shows for the keys of a
// map: whole numbers, bools or texts.
func shownAs(keys []string) Kind {
	all := func(is func(string) bool) bool {
		return !slices.ContainsFunc(keys, func(k string) bool { return !is(k) })
	}
	switch {
	case all(func(k string) bool {
		n, err := strconv.ParseInt(k, 10, 64)
		return err == nil && strconv.FormatInt(n, 10) == k && n < 1<<53 && n > -1<<53
	}):
		return Number
	case all(func(k string) bool { return k == "true" || k == "false" }):
		return Switch
	}
	return Word
}

// saysNothing reports whether a device means by a text that it has no value.
func saysNothing(text string) bool {
	switch strings.ToLower(text) {
	case "nan", "null", "none", "unavailable", "unknown":
		return true
	}
	return false
}

// rational returns the number that a text of decimal digits is.
func rational(text string) *big.Rat {
	r, _ := new(big.Rat).SetString(text)
	return r
}
