package sparkplug

import (
	"fmt"
	"time"
)

// Config is how a Decoder treats edge nodes.
type Config struct {
	// Rebirth is the least time from one rebirth request to a node to the next;
	// "off" for a listener that must stay silent. Default 10s.
	Rebirth Interval `yaml:"rebirth"`
}

// Interval is a time, or Off. Zero means the default.
type Interval time.Duration

// Off is an Interval that never ends.
const Off Interval = -1

const defaultRebirth = Interval(10 * time.Second)

// UnmarshalText reads "off" or a duration such as 10s.
func (i *Interval) UnmarshalText(text []byte) error {
	if string(text) == "off" {
		*i = Off
		return nil
	}
	d, err := time.ParseDuration(string(text))
	if err != nil || d < 0 {
		return fmt.Errorf("%.48q is neither off nor a duration such as 10s", text)
	}
	*i = Interval(d)
	return nil
}

// MarshalText returns "off" or the duration.
func (i Interval) MarshalText() ([]byte, error) {
	if i < 0 {
		return []byte("off"), nil
	}
	return []byte(time.Duration(i).String()), nil
}

// DefaultConfig returns the values that hold where the file is silent.
func DefaultConfig() Config { return Config{Rebirth: defaultRebirth} }

// Validate reports what is wrong with c: the field's path in the file and the
// problem.
func (c *Config) Validate(report func(field, problem string)) {
	if r := time.Duration(c.Rebirth); r > 0 && r < time.Second || r > 24*time.Hour {
		report("rebirth", fmt.Sprintf("is %v, want off or 1s to 24h", r))
	}
}
