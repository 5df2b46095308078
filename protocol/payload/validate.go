package payload

import (
	"fmt"
	"maps"
	"math"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"sluice/protocol"
)

// Validate reports what is wrong with p: the field's path in the file and the
// problem.
func (p *Profile) Validate(report func(field, problem string)) {
	p.validateReports(report)
	if p.HasRegisters() {
		p.validateRegisters(report)
		return
	}
	p.refuseRegisters(report)
	names := p.Decode.validate(report)
	if p.Time != nil {
		p.Time.validate(report, names)
	}
	p.validateEncoding(report)
	p.validateAsk(report)
	if p.Others != "" && p.Others != "keep" && p.Others != "drop" {
		report("others", fmt.Sprintf("is %q, want keep or drop", p.Others))
	}
	if p.Others == "drop" && len(p.Metrics) == 0 {
		report("others", "is drop, but no metrics are listed: nothing would be reported")
	}
	for _, name := range slices.Sorted(maps.Keys(p.Metrics)) {
		m := p.Metrics[name]
		field := "metrics." + name
		if !nameable(name) {
			report(field, "is no name for a metric: want text without control characters, at most 256 bytes")
		}
		m.validate(func(f, problem string) { report(field+"."+f, problem) }, name, names)
	}
	p.validateCommands(report)
}

func (p *Profile) validateEncoding(report func(field, problem string)) {
	if problem := (sources{}).check(p.Inside); p.Inside != "" && problem != "" {
		report("inside", problem)
	}
	words := strings.Fields(p.Encoding)
	for _, w := range words {
		if !slices.Contains(wrapNames[:], w) {
			report("encoding", fmt.Sprintf("is %q, want %s, or several of them with blanks between", p.Encoding, oneOf(wrapNames[:])))
			return
		}
	}
	if len(words) > 4 {
		report("encoding", fmt.Sprintf("names %d encodings, want at most 4", len(words)))
	}
}

func nameable(name string) bool {
	return name != "" && len(name) <= maxName && utf8.ValidString(name) &&
		strings.IndexFunc(name, func(r rune) bool { return r < ' ' || r == 0x7f }) < 0
}

// sources is what paths may refer to: a way through a tree, otherwise names.
type sources struct {
	what  string   // what a name is of, "" for a tree
	each  bool     // the elements of an array are a reading each
	names []string // nil: any
}

// check returns what is wrong with a path, "" when nothing is.
func (s sources) check(path string) string {
	switch {
	case s.what == "":
		return checkPath(path)
	case len(s.names) > 0 && !slices.Contains(s.names, path):
		return fmt.Sprintf("is %q, want a %s: %s", path, s.what, strings.Join(s.names, ", "))
	}
	return ""
}

// groups returns the named groups of expr.
func groups(expr string, report func(field, problem string)) []string {
	re, err := regexp.Compile(expr)
	if err != nil {
		report("decode.regex", "is no regular expression: "+strings.TrimPrefix(err.Error(), "error parsing regexp: "))
		return nil
	}
	names := slices.DeleteFunc(re.SubexpNames(), func(n string) bool { return n == "" })
	if len(names) == 0 {
		report("decode.regex", "has no named group, such as (?P<weight>[0-9.]+)")
	}
	return names
}

func (c *CSV) validate(report func(field, problem string)) sources {
	if s := c.separator(); utf8.RuneCountInString(s) != 1 || strings.ContainsAny(s, "\"\r\n\uFFFD") {
		report("decode.csv.separator", fmt.Sprintf("is %q, want one character that is no quote and no line end", s))
	}
	names := slices.DeleteFunc(slices.Clone(c.Columns), func(n string) bool { return n == "" })
	if len(names) == 0 {
		report("decode.csv.columns", "is required: the names of the metrics in their order, \"\" for a column to skip")
	}
	for i, n := range names {
		switch {
		case slices.Contains(names[:i], n):
			report("decode.csv.columns", fmt.Sprintf("has %q twice", n))
		case !nameable(n):
			report("decode.csv.columns", fmt.Sprintf("has %q, which is no name for a metric", n))
		}
	}
	return sources{what: "column", names: names}
}

func (m *Metric) validate(report func(field, problem string), name string, names sources) {
	if problem := names.check(m.path(name)); problem != "" {
		report("path", problem)
	} else if problem := checkStars(name, m.path(name), names.each); names.what == "" && problem != "" {
		report("path", problem)
	}
	if _, ok := kindOf(m.Type); !ok {
		report("type", fmt.Sprintf("is %q, want float, int, uint, bool or string", m.Type))
	}
	m.validateMetric(report)
}

// validateMetric reports what is wrong with what a value means.
func (m *Metric) validateMetric(report func(field, problem string)) {
	if !utf8.ValidString(m.Unit) {
		report("unit", "is not UTF-8")
	}
	m.validateMap(report)
	m.validateRange(report)
	m.validateNumber(report, "scale", m.Scale)
	m.validateNumber(report, "offset", m.Offset)
	if m.Scale != nil && *m.Scale == 0 {
		report("scale", "is 0, which would make every value the same")
	}
}

// validateMap reports what a text cannot mean for a metric of that type.
func (m *Metric) validateMap(report func(field, problem string)) {
	kind, ok := kindOf(m.Type)
	if m.IsSet() { // then the type is that of the registers
		kind = protocol.KindNull
	}
	r := rule{kind: kind, scaled: newScaling(m.Scale, m.Offset)}
	for _, sent := range slices.Sorted(maps.Keys(m.Map)) {
		if _, fits := r.value(plainScalar([]byte(m.Map[sent]))); ok && !fits {
			report("map."+sent, fmt.Sprintf("is %q, want %s", m.Map[sent], r.wanted()))
		}
	}
}

func (m *Metric) validateRange(report func(field, problem string)) {
	switch {
	case m.Range == nil:
	case len(m.Range) != 2:
		report("range", fmt.Sprintf("has %d numbers, want two: the least and the largest plausible value", len(m.Range)))
	case !(m.Range[0] <= m.Range[1]):
		report("range", fmt.Sprintf("is %v, want the smaller number first", m.Range))
	case m.Type == "bool" || m.Type == "string":
		report("range", "needs a number, but type is "+m.Type)
	}
}

func (m *Metric) validateNumber(report func(field, problem string), field string, n *float64) {
	switch {
	case n == nil:
	case math.IsNaN(*n) || math.IsInf(*n, 0):
		report(field, fmt.Sprintf("is %v, want a number", *n))
	case m.Type == "bool" || m.Type == "string":
		report(field, "needs a number, but type is "+m.Type)
	}
}

func (t *Time) validate(report func(field, problem string), names sources) {
	own := (names.what == "name" || names.what == "record") && t.Path == "" // the decoder finds the time itself
	switch problem := names.check(t.Path); {
	case own:
	case names.what == "record":
		report("time.path", "is not for senml, whose records say their time")
	case t.Path == "":
		report("time.path", "is required: where a message holds its time")
	case problem != "":
		report("time.path", problem)
	}
	if problem := t.checkFormat(); problem != "" && (!own || t.Format != "") {
		report("time.format", problem)
	}
	if _, err := time.LoadLocation(t.Zone); err != nil {
		report("time.zone", fmt.Sprintf("is %q, want the name of a zone, such as Europe/Berlin", t.Zone))
	} else if _, layout := t.form(); t.Zone != "" && (layout == "" || t.Format == "rfc3339") {
		report("time.zone", "is of no use: only a layout has no zone of its own")
	}
	if t.MaxSkew < 0 {
		report("time.max_skew", fmt.Sprintf("is %v, want a time such as 10m", t.MaxSkew))
	}
}

// checkFormat returns what is wrong with the format, "" when nothing is. A
// layout has to bring a date back as it was.
func (t *Time) checkFormat() string {
	const want = "unix, unix_ms, unix_us, unix_ns, rfc3339 or a Go layout such as \"2006-01-02 15:04:05\""
	if t.Format == "" {
		return "is required: " + want
	}
	_, layout := t.form()
	if layout == "" {
		return ""
	}
	at := time.Date(2031, 11, 23, 22, 47, 58, 0, time.UTC)
	back, err := time.Parse(layout, at.Format(layout))
	switch {
	case strings.Contains(layout, "MST"):
		return fmt.Sprintf("is %q, but zone abbreviations do not tell the zone: want -0700", layout)
	case err != nil || back.Year() != at.Year() || back.YearDay() != at.YearDay():
		return fmt.Sprintf("is %q, want %s", layout, want)
	case back.Hour() != at.Hour() && back.Hour() != 0:
		return fmt.Sprintf("is %q, which has the hour of a 12-hour clock without PM", layout)
	}
	return ""
}
