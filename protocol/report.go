package protocol

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// Report says when a metric is worth a reading. What a field leaves open is
// said by a Report that stands further up, and there it has its default.
type Report struct {
	When     string         `yaml:"when"`     // changed (default) or always
	Deadband *Deadband      `yaml:"deadband"` // a number that moved by no more has not changed; default 0: any move is a change
	Min      *time.Duration `yaml:"min"`      // no two reports within it; default 0s
	Max      *time.Duration `yaml:"max"`      // after it a reading is reported although nothing has changed; default 0s: never
}

// Reports is what the profile of a device says of when its readings are reported. It
// is not changed.
type Reports struct {
	All        *Report           // of all metrics; nil: every reading is reported
	Metrics    map[string]Report // by metric name: what differs; a "*" stands for one character or more
	StaleAfter time.Duration     // a device is silent when nothing came for so long; 0: never
}

// The words of Report.When.
const (
	WhenChanged = "changed"
	WhenAlways  = "always"
)

// Deadband is how far a number may move from the last one that was reported
// before it has changed. In a file it is written as 0.5 or 2%.
type Deadband struct {
	Width   float64 // in the metric's unit, or in percent of the last reported number
	Percent bool
}

// UnmarshalText reads a number that is not negative, with or without a percent
// sign behind it.
func (d *Deadband) UnmarshalText(text []byte) error {
	number, percent := strings.CutSuffix(string(text), "%")
	width, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
	if err != nil || !(width >= 0) || math.IsInf(width, 0) {
		return fmt.Errorf("deadband %q is not %w", text, errDeadband)
	}
	*d = Deadband{width, percent}
	return nil
}

var errDeadband = errors.New("a number from 0 on such as 0.5, or percent such as 2%")

// String returns the form that UnmarshalText reads.
func (d Deadband) String() string {
	text := strconv.FormatFloat(d.Width, 'g', -1, 64)
	if d.Percent {
		text += "%"
	}
	return text
}

// noise is how much of a deadband rounding may add to a difference: 21.4 − 21.3
// is a little more than 0.1 in binary.
const noise = 1e-9

// Holds reports whether v has not left the deadband around last. Outside of the
// numbers, and around what is no number, nothing holds but the same again.
func (d Deadband) Holds(last, v float64) bool {
	if last == v {
		return true
	}
	width := d.Width
	if d.Percent {
		width *= math.Abs(last) / 100
	}
	return math.Abs(v-last) <= width*(1+noise) && !math.IsInf(last, 0)
}

// Over returns r with what it leaves open taken from below.
func (r Report) Over(below Report) Report {
	if r.When == "" {
		r.When = below.When
	}
	if r.Deadband == nil {
		r.Deadband = below.Deadband
	}
	if r.Min == nil {
		r.Min = below.Min
	}
	if r.Max == nil {
		r.Max = below.Max
	}
	return r
}

// Validate reports what is wrong with r by itself: the field and the problem.
func (r *Report) Validate(report func(field, problem string)) {
	if r.When != "" && r.When != WhenChanged && r.When != WhenAlways {
		report("when", fmt.Sprintf("is %q, want changed or always", r.When))
	}
	if r.When == WhenAlways && r.Deadband != nil {
		report("deadband", "is of no use where when is always: every value is reported")
	}
	if r.When == WhenAlways && r.Max != nil {
		report("max", "is of no use where when is always: every value is reported")
	}
	for _, of := range []struct {
		field string
		time  *time.Duration
	}{{"min", r.Min}, {"max", r.Max}} {
		if of.time != nil && (*of.time < 0 || *of.time > 366*24*time.Hour) {
			report(of.field, fmt.Sprintf("is %v, want 0s to a year", *of.time))
		}
	}
	if r.Min != nil && r.Max != nil && *r.Max > 0 && *r.Max < *r.Min {
		report("max", fmt.Sprintf("is %v, want no less than min (%v)", *r.Max, *r.Min))
	}
}
