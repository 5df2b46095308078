package report

import (
	"time"

	"sluice/protocol"
)

// device is what the desk knows of one device.
type device struct {
	id    *protocol.Device
	key   uint64 // in Desk.identities
	class *class

	newer, older *device       // in its list, by when they were heard
	heard        time.Duration // on the desk's clock; of one that was never heard: when it was expected
	last         protocol.Timestamp
	readings     uint64
	suppressed   uint64
	state        State

	metrics []metric // as reported last
	held    []*held  // no two with the same metrics
}

// metric is the last report of a metric.
type metric struct {
	name, unit string
	rule       *rule
	value      protocol.Value
	quality    protocol.Quality
	at         protocol.Timestamp
	known      bool // false: nothing was reported that counts
}

// find returns the index of the metric called name, looking from index from on:
// readings of a device mostly have the same metrics in the same order.
func (v *device) find(name string, from int) int {
	n := len(v.metrics)
	for i := range n {
		k := from + i
		if k >= n {
			k -= n
		}
		if v.metrics[k].name == name {
			return k
		}
	}
	return -1
}

// maxMetrics bounds the metrics that are known of one device. Further ones are
// always reported.
const maxMetrics = 1000

// places notes where in v.metrics those of r stand, −1 for those that there is no
// room for.
func (v *device) places(r *protocol.Reading, places []int) []int {
	next := 0
	for i := range r.Metrics {
		m := &r.Metrics[i]
		k := v.find(m.Name, next)
		if k < 0 && len(v.metrics) < maxMetrics {
			k = len(v.metrics)
			added := metric{name: m.Name}
			if v.class.reports.All != nil {
				added.rule = ruleOf(v.class.reports, m.Name)
			}
			v.metrics = append(v.metrics, added)
		}
		places = append(places, k)
		next = k + 1
	}
	return places
}

// verdict is what becomes of a reading.
type verdict int

const (
	suppress verdict = iota
	hold
	pass
)

// judge returns what becomes of r and, if it is to be held, how long.
func (v *device) judge(r *protocol.Reading, places []int) (verdict, protocol.Timestamp) {
	at, is, wait := r.Time(), suppress, protocol.Timestamp(0)
	for i, k := range places {
		if k < 0 {
			return pass, 0
		}
		due, until := v.metrics[k].due(&r.Metrics[i], at)
		switch {
		case !due:
		case until <= at:
			return pass, 0
		case is == suppress || until-at < wait:
			is, wait = hold, until-at
		}
	}
	return is, wait
}

// due reports whether m of the time at is worth reporting, and from when on.
func (s *metric) due(m *protocol.Metric, at protocol.Timestamp) (bool, protocol.Timestamp) {
	age := at - s.at
	switch {
	case !s.known || m.Quality != s.quality || age < 0 || s.rule.max > 0 && age >= s.rule.max:
		return true, at
	case s.rule.always || !s.rule.holds(s.value, m.Value):
		return true, s.at + s.rule.min
	}
	return false, 0
}

// note takes over what r reports, unless newer values were reported.
func (v *device) note(r *protocol.Reading, places []int, older bool) {
	at := r.Time()
	for i, k := range places {
		if k < 0 || older && v.metrics[k].known && at < v.metrics[k].at {
			continue
		}
		m := &r.Metrics[i]
		s := &v.metrics[k]
		s.unit, s.value, s.quality, s.at, s.known = m.Unit, m.Value, m.Quality, at, true
	}
}

// forget makes the next reading due, whatever it says.
func (v *device) forget() {
	for i := range v.metrics {
		v.metrics[i].known = false
	}
}
