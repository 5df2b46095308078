package report

import (
	"maps"
	"slices"
	"strings"

	"sluice/protocol"
)

// rule is the report rule of one metric, ready for use.
type rule struct {
	always   bool
	deadband protocol.Deadband
	min, max protocol.Timestamp // as distances; max 0: none
}

// ruleOf returns the rule of the metric called name.
func ruleOf(r *protocol.Reports, name string) *rule {
	report, named := r.Metrics[name]
	if !named {
		for _, pattern := range slices.Sorted(maps.Keys(r.Metrics)) {
			if fits(pattern, name) {
				report = r.Metrics[pattern]
				break
			}
		}
	}
	report = report.Over(*r.All)
	made := &rule{always: report.When == protocol.WhenAlways}
	if report.Deadband != nil {
		made.deadband = *report.Deadband
	}
	if report.Min != nil {
		made.min = protocol.Timestamp(*report.Min)
	}
	if report.Max != nil {
		made.max = protocol.Timestamp(*report.Max)
	}
	return made
}

// fits reports whether name is what pattern stands for.
func fits(pattern, name string) bool {
	head, tail, star := strings.Cut(pattern, "*")
	rest, ok := strings.CutPrefix(name, head)
	if !ok || !star {
		return ok && rest == ""
	}
	for i := 1; i <= len(rest); i++ {
		if fits(tail, rest[i:]) {
			return true
		}
	}
	return false
}

// exact is the first integer that a float64 cannot tell from the next one.
const exact = 1 << 53

// holds reports whether v is no change from what was reported last.
func (r *rule) holds(last, v protocol.Value) bool {
	if last == v {
		return true
	}
	a, isNumber := last.Number()
	b, areNumbers := v.Number()
	switch {
	case !isNumber || !areNumbers:
		return false
	case r.deadband.Width > 0:
		return r.deadband.Holds(a, b)
	case last.Kind() == v.Kind() && v.Kind() != protocol.KindFloat:
		return false
	}
	return a == b && a < exact && a > -exact // 21 and 21.0, 0 and −0
}
