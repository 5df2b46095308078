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
)

// Validate reports what is wrong with p: the field's path in the file and the
// problem.
func (p *Profile) Validate(report func(field, problem string)) {
	names := p.Decode.validate(report)
	if p.Time != nil {
		p.Time.validate(report, names)
	}
	for _, name := range slices.Sorted(maps.Keys(p.Metrics)) {
		m := p.Metrics[name]
		field := "metrics." + name
		if !nameable(name) {
			report(field, "is no name for a metric: want text without control characters, at most 256 bytes")
		}
		m.validate(func(f, problem string) { report(field+"."+f, problem) }, name, names)
	}
}

func nameable(name string) bool {
	return name != "" && len(name) <= maxName && utf8.ValidString(name) &&
		strings.IndexFunc(name, func(r rune) bool { return r < ' ' || r == 0x7f }) < 0
}

// sources is what paths may refer to: any path in JSON, otherwise names.
type sources struct {
	what  string // what a name is of, "" for JSON
	names []string
}

// check returns what is wrong with a path, "" when nothing is.
func (s sources) check(path string) string {
	switch {
	case s.what == "":
		if slices.Contains(strings.Split(path, "."), "") {
			return fmt.Sprintf("is %q, want names joined by dots, such as a.b", path)
		}
	case len(s.names) > 0 && !slices.Contains(s.names, path):
		return fmt.Sprintf("is %q, want a %s: %s", path, s.what, strings.Join(s.names, ", "))
	}
	return ""
}

// validate reports problems and returns what paths may refer to.
func (d *Decode) validate(report func(field, problem string)) sources {
	chosen := 0
	for _, set := range []bool{d.JSON != nil, d.Regex != "", d.CSV != nil, d.Sparkplug != nil} {
		if set {
			chosen++
		}
	}
	switch {
	case chosen == 0:
		report("decode", "is required: json, regex or csv")
	case chosen > 1:
		report("decode", "names several decoders, want one of json, regex and csv")
	case d.CSV != nil:
		return d.CSV.validate(report)
	case d.Regex != "":
		return sources{"named group", groups(d.Regex, report)}
	case d.Sparkplug != nil:
		d.Sparkplug.Validate(func(field, problem string) { report("decode.sparkplug."+field, problem) })
		return sources{what: "metric"}
	}
	return sources{}
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
	return sources{"column", names}
}

func (m *Metric) validate(report func(field, problem string), name string, names sources) {
	if problem := names.check(m.path(name)); problem != "" {
		report("path", problem)
	}
	if _, ok := kindOf(m.Type); !ok {
		report("type", fmt.Sprintf("is %q, want float, int, uint, bool or string", m.Type))
	}
	if !utf8.ValidString(m.Unit) {
		report("unit", "is not UTF-8")
	}
	m.validateNumber(report, "scale", m.Scale)
	m.validateNumber(report, "offset", m.Offset)
	if m.Scale != nil && *m.Scale == 0 {
		report("scale", "is 0, which would make every value the same")
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
	if t.Path == "" {
		report("time.path", "is required: where a message holds its time")
	} else if problem := names.check(t.Path); problem != "" {
		report("time.path", problem)
	}
	if problem := t.checkFormat(); problem != "" {
		report("time.format", problem)
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
