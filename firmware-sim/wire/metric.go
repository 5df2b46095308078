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
	one := *p
	if len(p.Metrics) > 0 {
		m, ok := p.Metrics[metric]
		if !ok {
			return nil, fmt.Errorf("simulate profile %q: it has no metric %q", name, metric)
		}
		one.Metrics = map[string]payload.Metric{metric: m}
	}
	if p.Decode.JSON == nil || p.Time != nil && len(p.Metrics) > 0 {
		f, err := New(name, &one)
		if err == nil && len(p.Metrics) == 0 {
			f.rename(metric)
		}
		return f, err
	}
	f := &Form{}
	if err := f.bare(metric, one.Metrics[metric]); err != nil {
		return nil, fmt.Errorf("simulate profile %q: %w", name, err)
	}
	return f, f.try()
}

// rename gives the name from the topic to a field that is only called "value".
func (f *Form) rename(metric string) {
	if slices.ContainsFunc(f.slots, func(s Slot) bool { return s.Name == metric }) {
		return
	}
	for i := range f.slots {
		if f.slots[i].Name == "value" {
			f.slots[i].targets[0].name = metric
		}
	}
}

// Metrics returns the metrics of a profile, or those that a device would report
// whose profile lists none.
func Metrics(name string, p *payload.Profile) []string {
	if len(p.Metrics) > 0 {
		return slices.Sorted(maps.Keys(p.Metrics))
	}
	list := invent(name)
	for i := range list {
		list[i] = joined(list[i])
	}
	return list
}

// joined returns the metric's name for a path of a profile without a list.
func joined(path string) string { return strings.ReplaceAll(path, ".", "_") }
