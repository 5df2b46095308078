package lineproto

import (
	"fmt"
	"maps"
	"slices"

	"sluice/sink"
)

// Format is how readings become lines.
type Format struct {
	Measurement string            `yaml:"measurement"` // template, default {profile}
	Tags        map[string]string `yaml:"tags"`        // further tags, the values are templates
	Units       bool              `yaml:"units"`       // a field METRIC_unit for each metric that has a unit
	Quality     bool              `yaml:"quality"`     // a field METRIC_quality where it is not good, clock_unset=true where the clock was not set, clock_skewed=true where the device's was too far off

	// Precision of the times: ns (default), us, ms or s. A coarser one makes
	// smaller files, but times are cut down to it: of two readings of one device
	// whose times are equal then, InfluxDB keeps only the later one.
	Precision string `yaml:"precision"`
}

// DefaultFormat returns the values that hold where the file is silent.
func DefaultFormat() Format { return Format{Measurement: "{profile}", Precision: "ns"} }

// units of a time, in nanoseconds.
var precisions = []struct {
	name string
	unit int64
}{{"ns", 1}, {"us", 1e3}, {"ms", 1e6}, {"s", 1e9}}

// unit returns the nanoseconds of the smallest step of time, 0 for a precision
// that there is not.
func (f *Format) unit() int64 {
	for _, p := range precisions {
		if p.name == f.Precision {
			return p.unit
		}
	}
	return 0
}

// Validate reports what is wrong with f: the field's path in the file and the
// problem.
func (f *Format) Validate(report func(field, problem string)) {
	if _, err := sink.ParseTemplate(f.Measurement); err != nil {
		report("measurement", "is wrong: "+err.Error())
	}
	for _, key := range slices.Sorted(maps.Keys(f.Tags)) {
		if key == "" {
			report("tags", "has a tag without a name")
		}
		if _, err := sink.ParseTemplate(f.Tags[key]); err != nil {
			report("tags."+key, "is wrong: "+err.Error())
		}
	}
	if f.unit() == 0 {
		report("precision", fmt.Sprintf("is %q, want ns, us, ms or s", f.Precision))
	}
}
