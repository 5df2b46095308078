package wire

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"sluice/protocol/payload"
)

// NewMetric returns the form of messages whose topic names one metric of the
// profile.
func NewMetric(name string, p *payload.Profile, metric string) (*Form, error) {
	switch d := &p.Decode; {
	case d.NMEA != nil:
		return nil, fmt.Errorf("simulate profile %q: %w", name, &Unknown{"decode nmea on topics that name metrics"})
	case d.Value != nil, d.SenML != nil, d.Influx != nil, d.CayenneLPP != nil, d.Ruuvi != nil:
		return newForm(name, p, func(f *Form) error { return f.build(name, p, metric) })
	}
	one := *p
	m, ok := payload.Metric{}, true
	if len(p.Metrics) > 0 {
		var rule string
		if rule, m, ok = ruleFor(p, metric); ok {
			one.Metrics = map[string]payload.Metric{rule: m}
		}
	}
	switch {
	case ok:
	case p.Others != "keep":
		return nil, fmt.Errorf("simulate profile %q: it has no metric %q", name, metric)
	default:
		one.Metrics = nil
	}
	if write, bare := bareTree(p); bare && (p.Time == nil || len(p.Metrics) == 0) {
		return newForm(name, p, func(f *Form) error {
			shape, err := f.bare(metric, m)
			if err == nil {
				f.layout = write(shape)
			}
			return err
		})
	}
	f, err := newForm(name, &one, func(f *Form) error { return f.build(name, &one, metric) })
	if err == nil && len(p.Metrics) == 0 {
		f.rename(metric)
	}
	return f, err
}

// ruleFor returns the metric of the profile that a name belongs to, perhaps by
// a wildcard.
func ruleFor(p *payload.Profile, metric string) (name string, m payload.Metric, ok bool) {
	if m, ok := p.Metrics[metric]; ok {
		return metric, m, true
	}
	rules, _ := newRules(p, "")
	for _, r := range rules {
		before, after, many := strings.Cut(r.name, "*")
		if many && r.wild() && !strings.Contains(after, "*") && len(metric) >= len(before)+len(after) &&
			strings.HasPrefix(metric, before) && strings.HasSuffix(metric, after) {
			return r.name, r.metric, true
		}
	}
	return "", payload.Metric{}, false
}

// bareTree returns how trees are written, and whether one value alone is a
// message too.
func bareTree(p *payload.Profile) (func(*treeShape) layout, bool) {
	switch d := &p.Decode; {
	case d.JSON != nil:
		return (*treeShape).json, d.JSON.Each == ""
	case d.CBOR != nil:
		return (*treeShape).cbor, d.CBOR.Each == ""
	case d.MsgPack != nil:
		return (*treeShape).msgpack, d.MsgPack.Each == ""
	}
	return nil, false
}

// rename gives the name from the topic to a field that is only called "value".
func (f *Form) rename(metric string) {
	for i := range f.slots {
		if len(f.slots[i].targets) > 0 && f.slots[i].targets[0].name == metric {
			return
		}
	}
	for i := range f.slots {
		if t := f.slots[i].targets; len(t) > 0 && t[0].name == "value" {
			t[0].name = metric
		}
	}
}

// Metrics returns the metrics that a device reports on topics which name them:
// those of its profile, and some more where the profile leaves that open.
func Metrics(name string, p *payload.Profile) []string {
	if f, err := New(name, p); err == nil && p.Decode.Value == nil {
		return f.metrics()
	}
	list := slices.Sorted(maps.Keys(p.Metrics))
	list = slices.DeleteFunc(list, func(n string) bool { return strings.Contains(n, "*") })
	if _, any := p.Metrics["*"]; !any && len(p.Metrics) > 0 && p.Others != "keep" {
		return list
	}
	for _, path := range invent(name) {
		if metric := joined(path); !slices.Contains(list, metric) {
			list = append(list, metric)
		}
	}
	return list
}

// metrics returns the names of what messages hold.
func (f *Form) metrics() []string {
	var list []string
	add := func(targets []target) {
		for i := range targets {
			list = append(list, targets[i].name)
		}
	}
	for i := range f.slots {
		add(f.slots[i].targets)
	}
	add(f.stamps)
	return list
}

// joined returns the metric's name for a path of a profile without a list.
func joined(path string) string { return strings.ReplaceAll(path, ".", "_") }
