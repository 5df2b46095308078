package lineproto

import "fmt"

// Config says how lines become readings.
type Config struct {
	Precision   string `yaml:"precision"`   // the unit of times without one: ns (default), us, ms or s
	Measurement string `yaml:"measurement"` // tag (default), prefix or ignore
	Device      string `yaml:"device"`      // the tag that holds the device's name; "": the topic or port names it
}

// What becomes of the measurement's name.
const (
	asTag    = "tag"    // the device's tag "measurement"
	asPrefix = "prefix" // in front of the metric's name: cpu_usage_idle
	ignored  = "ignore" // it is not looked at
)

// DefaultConfig returns the values that hold where the file is silent. The
// measurement is a tag then: what an agent such as Telegraf sends uses the same
// field names in many measurements, and one device has several of them (one per
// disk, one per interface), which only its tags tell apart. As a tag it is part
// of that identity, fields keep the names that dashboards know, and a sink that
// writes lines gets the measurement back from the tag.
func DefaultConfig() Config { return Config{Precision: "ns", Measurement: asTag} }

var precisions = []struct {
	name string
	unit int64
}{{"ns", 1}, {"us", 1e3}, {"ms", 1e6}, {"s", 1e9}}

// unit returns the nanoseconds of the smallest step of time, 0 for a precision
// that there is not.
func (c *Config) unit() int64 {
	for _, p := range precisions {
		if p.name == c.Precision {
			return p.unit
		}
	}
	return 0
}

// Validate reports what is wrong with c: the field's path in the file and the
// problem.
func (c *Config) Validate(report func(field, problem string)) {
	if c.unit() == 0 {
		report("precision", fmt.Sprintf("is %q, want ns, us, ms or s", c.Precision))
	}
	switch c.Measurement {
	case asTag, asPrefix, ignored:
	default:
		report("measurement", fmt.Sprintf("is %q, want tag, prefix or ignore", c.Measurement))
	}
}
