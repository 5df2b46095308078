package wire

import (
	"slices"
	"strings"

	"sluice/protocol/payload"
)

// field is a value of a format that names its values itself.
type field struct {
	name, unit      string
	low, high, step float64
	decimals        int
	whole           bool   // it is an integer
	counter         bool   // it rises
	part            int64  // what is written is so many times what is meant; 0: the same
	word            string // it is this text and no number
}

// fields gives f a slot for each value. The metrics that read it are found by
// its name; Only is the one metric that the topic names, "" for all.
func (f *Form) fields(p *payload.Profile, list []field, only string) error {
	by := readers{profile: p, only: only}
	for _, at := range list {
		targets, err := by.of(at.name)
		if err != nil {
			return err
		}
		for i := range targets {
			t := &targets[i]
			t.whole = at.whole && t.means == nil
			if t.unit == "" {
				t.unit = at.unit
			}
		}
		s := at.slot(targets)
		if err := s.check(); err != nil {
			return err
		}
		f.slots = append(f.slots, s)
	}
	return nil
}

func (at *field) slot(targets []target) Slot {
	s := Slot{Name: at.name, targets: targets, Kind: Number, Counter: at.counter, part: max(at.part, 1)}
	if at.word != "" {
		s.part, s.shown = 0, Word
		s.setWords([]string{at.word})
		return s
	}
	low, high := s.confined(at.low, at.high)
	part := float64(s.part)
	s.lay(low*part, high*part, at.step*part, at.decimals)
	return s
}

// readers finds the metrics of a profile that read a name.
type readers struct {
	profile *payload.Profile
	only    string // the one metric that the topic names, "" for all
}

// of returns the metrics that read name: none when the profile does not want it.
func (r readers) of(name string) ([]target, error) {
	var list []target
	mentioned := false
	for metric, m := range r.profile.Metrics {
		if m.Path != name && (m.Path != "" || metric != name) {
			continue
		}
		mentioned = true
		if r.only != "" && metric != r.only {
			continue
		}
		t, err := newTarget(metric, m)
		if err != nil {
			return nil, err
		}
		list = append(list, t)
	}
	slices.SortFunc(list, func(a, b target) int { return strings.Compare(a.name, b.name) })
	if !mentioned && r.keeps() {
		t, _ := newTarget(name, payload.Metric{})
		list = append(list, t)
	}
	return list, nil
}

// keeps reports whether what no metric mentions is reported as it was sent.
func (r readers) keeps() bool {
	return r.profile.Others == "keep" || r.profile.Others == "" && len(r.profile.Metrics) == 0
}

// names returns the names that the metrics read, and some more where the profile
// keeps what it does not mention.
func (r readers) names(profile string) []string {
	var list []string
	for metric, m := range r.profile.Metrics {
		if m.Path == "" {
			m.Path = metric
		}
		list = append(list, m.Path)
	}
	for _, path := range invent(profile) {
		name := joined(path)
		renamed := name == "value" && r.only != "" && r.only != name // it would get the topic's name
		if r.keeps() && !renamed && r.profile.Metrics[name].Path == "" {
			list = append(list, name)
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// records gives f a slot for each name that the metrics read, in a format whose
// values have the names and kinds that the device gives them.
func (f *Form) records(name string, p *payload.Profile, only string) error {
	by := readers{p, only}
	for _, at := range by.names(name) {
		targets, err := by.of(at)
		if err != nil {
			return err
		}
		if len(targets) == 0 {
			continue
		}
		s, err := newSlot(at, targets, typed)
		if err != nil {
			return err
		}
		f.slots = append(f.slots, s)
	}
	return nil
}

// ownClock gives f a clock for a format that has a place for the time.
func (f *Form) ownClock(p *payload.Profile, format string, whole bool) error {
	t := payload.Time{Format: format}
	if p.Time != nil {
		t.MaxSkew = p.Time.MaxSkew
		if p.Time.Path != "" {
			return &Unknown{"a time that is a value of its own with decode " + p.Decode.Kind()}
		}
	}
	var err error
	f.clock, err = newClock(&t, whole)
	return err
}
