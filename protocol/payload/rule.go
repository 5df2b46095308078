package payload

import (
	"maps"
	"math"
	"slices"

	"sluice/protocol"
)

// rule is one metric of a profile, compiled.
type rule struct {
	name   string
	unit   string
	path   path
	kind   protocol.Kind // KindNull: as sent
	means  meanings      // of what is sent; nil: as sent
	scaled *scaling      // nil: as sent
	bounds []float64     // least and largest plausible value; nil: all are
}

// kindOf returns the kind that a metric's type names.
func kindOf(name string) (protocol.Kind, bool) {
	for _, k := range [...]protocol.Kind{
		protocol.KindFloat, protocol.KindInt, protocol.KindUint, protocol.KindBool, protocol.KindString,
	} {
		if name == k.String() {
			return k, true
		}
	}
	return protocol.KindNull, name == ""
}

// newRules compiles metrics in the order of their names.
func newRules(metrics map[string]Metric) []rule {
	var rules []rule
	for _, name := range slices.Sorted(maps.Keys(metrics)) {
		m := metrics[name]
		kind, _ := kindOf(m.Type)
		rules = append(rules, rule{
			name:   name,
			unit:   m.Unit,
			path:   newPath(m.path(name)),
			kind:   kind,
			means:  newMeanings(m.Map),
			scaled: newScaling(m.Scale, m.Offset),
			bounds: m.Range,
		})
	}
	return rules
}

// path returns where the metric called name is found.
func (m Metric) path(name string) string {
	if m.Path == "" {
		return name
	}
	return m.Path
}

// add converts s and appends it to r.
func (r *rule) add(to *protocol.Reading, s scalar) *protocol.Refusal {
	return r.addAs(r.name, to, s)
}

// addAs is add for a metric with a name that the message gave.
func (r *rule) addAs(name string, to *protocol.Reading, s scalar) *protocol.Refusal {
	v, ok := r.value(s)
	if !ok {
		return protocol.Refuse("type", "metric %s: want %s, found %s", name, r.wanted(), s.excerpt())
	}
	to.Metrics = append(to.Metrics, protocol.Metric{Name: name, Value: v, Unit: r.unit, Quality: r.trust(v)})
	return nil
}

// wanted says what the rule takes, for people.
func (r *rule) wanted() string {
	switch {
	case r.kind == protocol.KindNull:
		return "a number in range"
	case r.kind == protocol.KindBool:
		return "true or false"
	case r.kind == protocol.KindString:
		return "a text"
	}
	return "a number for type " + r.kind.String()
}

// value converts s to the type of the metric.
func (r *rule) value(s scalar) (protocol.Value, bool) {
	if r.means != nil {
		s = r.means.of(s)
	}
	switch {
	case r.kind == protocol.KindBool:
		b, ok := s.bool()
		return protocol.Bool(b), ok
	case r.kind == protocol.KindString:
		return s.text()
	case r.kind == protocol.KindNull && r.scaled == nil:
		return s.asSent()
	}
	if f, ok := r.float(s); ok {
		return protocol.Float(f), true
	}
	d, ok := s.decimal()
	if !ok {
		return protocol.Value{}, false
	}
	return r.number(&d)
}

// number scales a number and converts it to the type of the metric.
func (r *rule) number(d *decimal) (protocol.Value, bool) {
	if r.scaled == nil {
		return r.plain(d)
	}
	f, ok := r.scaled.apply(d)
	if !ok {
		return protocol.Value{}, false
	}
	return r.rounded(f)
}

// float returns a binary float that needs no more than to be taken over: where
// nothing is scaled, and NaN and the infinities.
func (r *rule) float(s scalar) (float64, bool) {
	f, ok := s.float()
	ok = ok && (r.kind == protocol.KindFloat || r.kind == protocol.KindNull)
	return f, ok && (r.scaled == nil || math.IsNaN(f) || math.IsInf(f, 0))
}

// plain converts a number that is not scaled; integers have to be whole.
func (r *rule) plain(d *decimal) (protocol.Value, bool) {
	switch r.kind {
	case protocol.KindInt:
		n, ok := d.int()
		return protocol.Int(n), ok
	case protocol.KindUint:
		n, ok := d.uint()
		return protocol.Uint(n), ok
	}
	f, ok := d.float()
	return protocol.Float(f), ok
}

// rounded converts a scaled number, rounding half away from zero where an
// integer is wanted.
func (r *rule) rounded(f float64) (protocol.Value, bool) {
	whole := math.Round(f)
	switch r.kind {
	case protocol.KindInt:
		return protocol.Int(int64(whole)), whole >= math.MinInt64 && whole < 1<<63
	case protocol.KindUint:
		return protocol.Uint(uint64(whole)), whole >= 0 && whole < 1<<64
	}
	return protocol.Float(f), true
}
