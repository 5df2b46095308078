package wire

import (
	"fmt"
	"math"
	"regexp"
	"regexp/syntax"
	"slices"

	"sluice/protocol/payload"
)

// regex gives f the slots of a regular expression's groups and a layout that
// writes lines which it matches.
func (f *Form) regex(p *payload.Profile) error {
	re, err := regexp.Compile(p.Decode.Regex)
	if err != nil {
		return err
	}
	tree, err := syntax.Parse(p.Decode.Regex, syntax.Perl)
	if err != nil {
		return err
	}
	l := &regexLayout{re: re, tree: tree}
	l.groups = make([]int, len(re.SubexpNames()))
	for i := range l.groups {
		l.groups[i] = filler
	}
	paths, targets, err := sources(p)
	if err != nil {
		return err
	}
	if p.Time != nil {
		if err := f.regexClock(l, p); err != nil {
			return err
		}
	}
	if len(p.Metrics) == 0 {
		paths = f.columns(re.SubexpNames(), targets)
	} else if p.Time != nil {
		f.stamps = targets[p.Time.Path]
	}
	f.layout = l
	return f.groups(l, paths, targets)
}

// groups gives f a slot for every group but the time's.
func (f *Form) groups(l *regexLayout, paths []string, targets map[string][]target) error {
	for _, path := range paths {
		group := l.re.SubexpIndex(path)
		if group < 0 {
			return fmt.Errorf("no group is called %q", path)
		}
		if l.groups[group] == clockLeaf {
			continue
		}
		s, err := groupSlot(path, targets[path], inside(l.tree, path))
		if err != nil {
			return err
		}
		l.groups[group] = len(f.slots)
		f.slots = append(f.slots, s)
	}
	return nil
}

// regexClock finds a clock whose text fits its group.
func (f *Form) regexClock(l *regexLayout, p *payload.Profile) error {
	group := l.re.SubexpIndex(p.Time.Path)
	if group < 0 {
		return fmt.Errorf("no group is called %q", p.Time.Path)
	}
	fits, err := whole(inside(l.tree, p.Time.Path))
	if err != nil {
		return err
	}
	for _, whole := range []bool{false, true} {
		c, err := newClock(p.Time, whole)
		if err != nil {
			return err
		}
		if text, _ := c.stamp(sampleTime, 0); fits.MatchString(text) {
			f.clock, l.groups[group] = c, clockLeaf
			return nil
		}
	}
	return fmt.Errorf("time format %q does not fit the group %q", p.Time.Format, p.Time.Path)
}

// inside returns what the named group holds.
func inside(n *syntax.Regexp, group string) *syntax.Regexp {
	if n.Op == syntax.OpCapture && n.Name == group {
		return n.Sub[0]
	}
	for _, sub := range n.Sub {
		if found := inside(sub, group); found != nil {
			return found
		}
	}
	return nil
}

// whole returns an expression for texts that n matches from end to end.
func whole(n *syntax.Regexp) (*regexp.Regexp, error) {
	return regexp.Compile(`^(?:` + n.String() + `)$`)
}

// regexLayout writes lines that an expression matches.
type regexLayout struct {
	re     *regexp.Regexp
	tree   *syntax.Regexp
	groups []int // by number: slot, clockLeaf or filler
}

func (l *regexLayout) compose(dst []byte, m *message) ([]byte, bool) {
	w := writer{rand: m.rand, text: func(group int) (string, bool) {
		switch leaf := l.groups[group]; leaf {
		case filler:
			return "", false
		case clockLeaf:
			return m.time, true
		default:
			return m.texts[leaf], true
		}
	}}
	w.write(l.tree)
	return append(dst, w.out...), l.readsBack(w.out, m.texts, m.time)
}

// readsBack reports whether the expression finds in line what was put there,
// and empties the texts that a line of this shape does not hold.
func (l *regexLayout) readsBack(line []byte, texts []string, time string) bool {
	match := l.re.FindSubmatch(line)
	if match == nil {
		return false
	}
	for group, leaf := range l.groups {
		switch {
		case leaf == filler:
		case leaf == clockLeaf:
			if string(match[group]) != time {
				return false
			}
		case match[group] == nil:
			texts[leaf] = ""
		case string(match[group]) != texts[leaf]:
			return false
		}
	}
	return true
}

// groupSlot returns a slot for a group: a number in a form that the group
// takes, or a few words that it matches.
func groupSlot(name string, targets []target, n *syntax.Regexp) (Slot, error) {
	fits, err := whole(n)
	if err != nil {
		return Slot{}, err
	}
	s := Slot{Name: name, targets: targets, Kind: kindOf("", targets)}
	if s.mapped() {
		return s, s.explain(allTexts, fits.MatchString)
	}
	if s.Kind == Switch {
		for _, pair := range switchTexts {
			if fits.MatchString(pair[0]) && fits.MatchString(pair[1]) {
				s.setWords(pair[:])
				return s, nil
			}
		}
		return Slot{}, fmt.Errorf("group %q takes neither true and false nor 1 and 0", name)
	}
	words := wordsFor(n, fits)
	sure := slices.ContainsFunc(targets, func(t target) bool { return t.numeric() })
	if s.Kind == Number && (sure || !slices.ContainsFunc(words, hasLetter)) && s.fit(fits) {
		return s, nil
	}
	if sure {
		if err := s.check(); s.Kind == Number && err != nil {
			return Slot{}, err
		}
		return Slot{}, fmt.Errorf("group %q takes no numbers", name)
	}
	if len(words) == 0 {
		return Slot{}, fmt.Errorf("group %q matches nothing that can be written on a line", name)
	}
	s.setWords(words)
	return s, nil
}

// ranges are tried when a group does not take the natural range of a quantity.
var ranges = []float64{99999, 9999, 999, 99, 9, 1}

// fit chooses range, decimals and padding of a number so that the group takes
// it. It prefers what suits the quantity.
func (s *Slot) fit(fits *regexp.Regexp) bool {
	s.measure()
	natural := *s
	if natural.shapes(fits) {
		*s = natural
		return true
	}
	for _, high := range ranges {
		try := natural
		try.span(0, high, high/50, natural.Decimals)
		if try.shapes(fits) {
			*s = try
			return true
		}
	}
	return false
}

// shapes looks for decimals, padding and sign with which the group takes the
// range of s.
func (s *Slot) shapes(fits *regexp.Regexp) bool {
	low, high := float64(s.Min), float64(s.Max)
	unit := s.Decimals
	choices := []int{unit, 1, 2, 0, 3, 4, 5, 6}
	if s.whole() {
		choices = []int{0}
	}
	for _, decimals := range choices {
		try := *s
		scale := math.Pow10(-unit)
		try.span(low*scale, high*scale, float64(s.Step)*scale, decimals)
		for try.digits = 0; try.digits <= 12; try.digits++ {
			for _, try.plus = range []bool{false, true} {
				if try.taken(fits) {
					*s = try
					return true
				}
			}
		}
	}
	return false
}

// taken tries the ends and the middle of the range.
func (s *Slot) taken(fits *regexp.Regexp) bool {
	if s.Min > s.Max {
		return false
	}
	for _, tick := range []int64{s.Min, min(s.Min+1, s.Max), (s.Min + s.Max) / 2, max(s.Max-1, s.Min), s.Max} {
		if !fits.MatchString(s.text(tick)) {
			return false
		}
	}
	return true
}
