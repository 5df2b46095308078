package payload

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"sluice/protocol"
)

// Reports returns what p, which may be nil, says of when readings are reported; nil:
// nothing.
func (p *Profile) Reports() *protocol.Reports {
	if p == nil || p.Report == nil && p.StaleAfter == 0 {
		return nil
	}
	reports := &protocol.Reports{All: p.Report, Metrics: map[string]protocol.Report{}, StaleAfter: p.StaleAfter}
	for name, m := range p.Metrics {
		if m.Report != nil {
			reports.Metrics[name] = *m.Report
		}
	}
	return reports
}

// validateReports reports what is wrong with when metrics are reported.
func (p *Profile) validateReports(report func(field, problem string)) {
	if p.Report != nil {
		p.Report.Validate(func(field, problem string) { report("report."+field, problem) })
	}
	for _, name := range slices.Sorted(maps.Keys(p.Metrics)) {
		m := p.Metrics[name]
		if m.Report == nil {
			continue
		}
		field := "metrics." + name + ".report"
		if p.Report == nil {
			report(field, "needs a report of the profile too: a reading is reported whole when one of its metrics is due, and where nothing is said the others always are")
			continue
		}
		m.validateReport(func(f, problem string) { report(field+"."+f, problem) }, *p.Report)
	}
	p.validateStale(report)
}

func (m *Metric) validateReport(report func(field, problem string), below protocol.Report) {
	own := *m.Report
	own.Validate(report)
	kind := m.Type
	if m.Coil != nil || m.Discrete != nil {
		kind = "bool"
	}
	if own.Deadband != nil && (kind == "string" || kind == "bool" || kind == "bytes") {
		report("deadband", "needs a number, but type is "+kind)
	}
	whole := own.Over(below)
	inherited := own.Min == nil || own.Max == nil // otherwise Validate has compared them
	if whole.Min != nil && whole.Max != nil && inherited && *whole.Max > 0 && *whole.Max < *whole.Min && below.When != protocol.WhenAlways {
		if own.Max != nil {
			report("max", fmt.Sprintf("is %v, want no less than the profile's min (%v)", *whole.Max, *whole.Min))
		} else if own.Min != nil {
			report("min", fmt.Sprintf("is %v, want no more than the profile's max (%v)", *whole.Min, *whole.Max))
		}
	}
}

// The bounds of how long a device may say nothing.
const (
	leastStale = time.Second
	mostStale  = 366 * 24 * time.Hour
)

func (p *Profile) validateStale(report func(field, problem string)) {
	switch {
	case p.StaleAfter == 0:
	case p.StaleAfter < leastStale || p.StaleAfter > mostStale:
		report("stale_after", fmt.Sprintf("is %v, want 1s to a year", p.StaleAfter))
	case p.Poll > 0 && p.StaleAfter <= p.asked():
		report("stale_after", fmt.Sprintf("is %v, but the device is asked every %v: want longer", p.StaleAfter, p.asked()))
	}
}

// asked returns how often the device is asked for something.
func (p *Profile) asked() time.Duration {
	often := p.Poll
	for _, m := range p.Metrics {
		if m.Poll > 0 {
			often = min(often, m.Poll)
		}
	}
	return often
}
