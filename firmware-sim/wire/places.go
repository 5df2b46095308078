package wire

import (
	"cmp"
	"errors"
	"maps"
	"slices"
	"strings"

	"sluice/protocol/payload"
)

// place is where a message holds a value, and the metrics that are read there.
type place struct {
	path    string
	targets []target
}

// places says what a message holds that is a tree: what the profile lists, with
// matches for its wildcards, and what it does not mention where that is kept.
type places struct {
	all   []place // in the order of the message
	time  string  // "" when it holds none
	taken map[string]bool
	named map[string]bool
}

// newPlaces lists the places of a profile whose readings are at each, one in
// every message. Only is the one metric that is wanted, "" for all.
//
// What a decoder takes first comes first: paths, then paths with wildcards for
// one metric, then those for many, the more exact ones before the others.
func newPlaces(name string, p *payload.Profile, each, only string) (*places, error) {
	l := &places{taken: map[string]bool{}, named: map[string]bool{}}
	begin := elementOf(each)
	if p.Time != nil {
		l.time = starless(absolute(begin, p.Time.Path), "at")
		l.taken[l.time] = true
	}
	rules, err := newRules(p, begin)
	if err != nil {
		return nil, err
	}
	for _, r := range rules {
		if !r.wild() {
			l.fixed(r)
		}
	}
	slices.SortStableFunc(l.all, func(a, b place) int { return strings.Compare(a.path, b.path) })
	wild := slices.DeleteFunc(rules, func(r rule) bool { return !r.wild() })
	l.found(wild)
	for i, r := range wild {
		l.expand(name, r, wild[:i], only)
	}
	if p.Others == "keep" || p.Others == "" && len(p.Metrics) == 0 {
		l.invent(name, begin, wild, only)
	}
	if begin != "" && !slices.ContainsFunc(l.all, func(at place) bool { return strings.HasPrefix(at.path, begin) }) {
		return nil, errors.New("no metric is read from the elements of " + each)
	}
	return l, nil
}

// rule is a metric of the profile and where it stands, from the root.
type rule struct {
	name   string
	path   string
	lost   bool // no path of it leads anywhere
	metric payload.Metric
}

func newRules(p *payload.Profile, begin string) ([]rule, error) {
	var rules []rule
	for _, name := range slices.Sorted(maps.Keys(p.Metrics)) {
		m := p.Metrics[name]
		if _, err := newTarget(name, m); err != nil {
			return nil, err
		}
		path := m.Path
		if path == "" {
			path = name
		}
		r := rule{name: name, path: absolute(begin, path), metric: m}
		// Of what stands beside the readings nothing is looked for by wildcards.
		r.lost = begin != "" && strings.HasPrefix(path, "$.") && r.many()
		rules = append(rules, r)
	}
	slices.SortStableFunc(rules, func(a, b rule) int {
		return cmp.Or(cmp.Compare(a.stars(), b.stars()), cmp.Compare(strings.Count(b.path, "."), strings.Count(a.path, ".")))
	})
	return slices.DeleteFunc(rules, func(r rule) bool { return r.lost }), nil
}

func (r rule) stars() int {
	n := 0
	for step := range strings.SplitSeq(r.path, ".") {
		if step == "*" {
			n++
		}
	}
	return n
}

// wild reports whether the path holds wildcards, many whether each match is a
// metric.
func (r rule) wild() bool { return r.stars() > 0 }
func (r rule) many() bool { return r.wild() && strings.Contains(r.name, "*") }

// elementOf returns what stands before the paths in an element of each.
func elementOf(each string) string {
	switch {
	case each == "":
		return ""
	case each == "$" || each == "*":
		return "0."
	}
	each = strings.TrimPrefix(strings.TrimSuffix(each, ".*"), "$.")
	return starless(each, "group") + ".0."
}

func absolute(begin, path string) string {
	if rest, ok := strings.CutPrefix(path, "$."); ok {
		return rest
	}
	return begin + path
}

// starless returns a path with a name for each wildcard.
func starless(path, name string) string {
	steps := strings.Split(path, ".")
	for i := range steps {
		if steps[i] == "*" {
			steps[i] = name
		}
	}
	return strings.Join(steps, ".")
}

// fixed adds a rule without wildcards.
func (l *places) fixed(r rule) {
	t, _ := newTarget(r.name, r.metric)
	l.named[r.name], l.taken[r.path] = true, true
	i := slices.IndexFunc(l.all, func(at place) bool { return at.path == r.path })
	if i < 0 {
		l.all = append(l.all, place{path: r.path})
		i = len(l.all) - 1
	}
	l.all[i].targets = append(l.all[i].targets, t)
}

// found adds the rules that take the first match of their wildcards.
func (l *places) found(wild []rule) {
	var first []place
	for _, r := range wild {
		if r.many() {
			continue
		}
		path := starless(r.path, "first")
		for n := 2; !l.free(path); n++ {
			path = starless(r.path, "next"+strings.Repeat("+", n-2))
		}
		t, _ := newTarget(r.name, r.metric)
		l.named[r.name], l.taken[path] = true, true
		first = append(first, place{path, []target{t}})
	}
	slices.SortStableFunc(first, func(a, b place) int { return strings.Compare(a.targets[0].name, b.targets[0].name) })
	l.all = append(first, l.all...)
}

// free reports whether a value can stand at path.
func (l *places) free(path string) bool {
	for taken := range l.taken {
		if path == taken || strings.HasPrefix(path+".", taken+".") || strings.HasPrefix(taken+".", path+".") {
			return false
		}
	}
	return true
}

// expand adds two matches for each wildcard of r, but not what a rule before it
// takes.
func (l *places) expand(name string, r rule, before []rule, only string) {
	if !r.many() {
		return
	}
	choices := [][2]string{{"s1", "s1"}, {"s2", "s2"}}
	if strings.HasSuffix("."+r.path, ".*") {
		choices = nil
		for _, path := range invent(name) {
			choices = append(choices, [2]string{"s1", path})
		}
	}
	for _, c := range choices {
		path, metric := r.filled(c[0], c[1])
		if l.named[metric] || only != "" && metric != only || !l.free(path) || claimed(before, path) {
			continue
		}
		t, _ := newTarget(metric, r.metric)
		l.named[metric], l.taken[path] = true, true
		l.all = append(l.all, place{path, []target{t}})
	}
}

// filled returns path and name with a text for each wildcard, the last one of
// which may lead on.
func (r rule) filled(text, last string) (path, name string) {
	steps, name, left := strings.Split(r.path, "."), r.name, r.stars()
	suffix := ""
	for i, step := range steps {
		if step != "*" {
			continue
		}
		if left--; left == 0 {
			text = last
		}
		steps[i] = text
		first, rest, nested := strings.Cut(text, ".")
		name = strings.Replace(name, "*", first, 1)
		if nested {
			suffix = "_" + joined(rest)
		}
	}
	return strings.Join(steps, "."), name + suffix
}

// claimed reports whether a wildcard of some rule leads to path or above it.
func claimed(rules []rule, path string) bool {
	names := strings.Split(path, ".")
	return slices.ContainsFunc(rules, func(r rule) bool {
		steps := strings.Split(r.path, ".")
		if len(steps) > len(names) || !r.many() && len(steps) < len(names) {
			return false
		}
		for i, step := range steps {
			if step != "*" && step != names[i] {
				return false
			}
		}
		return true
	})
}

// invent adds what the profile does not mention and keeps.
func (l *places) invent(name, begin string, wild []rule, only string) {
	for _, path := range invent(name) {
		metric, at := joined(path), begin+path
		if l.named[metric] || !l.free(at) || claimed(wild, at) || only != "" && metric == "value" {
			continue
		}
		t, _ := newTarget(metric, payload.Metric{})
		l.named[metric], l.taken[at] = true, true
		l.all = append(l.all, place{at, []target{t}})
	}
}

// take returns the metrics that are read at path, and takes the place out.
func (l *places) take(path string) []target {
	i := slices.IndexFunc(l.all, func(at place) bool { return at.path == path })
	if i < 0 {
		return nil
	}
	targets := l.all[i].targets
	l.all = slices.Delete(l.all, i, i+1)
	return targets
}
