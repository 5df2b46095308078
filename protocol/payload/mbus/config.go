package mbus

import (
	"fmt"
	"time"
)

// Config says what a telegram does not.
type Config struct {
	// Zone is where the meter's clock stands: a name such as "Europe/Berlin",
	// or for a clock that knows no summer time "+01:00". Without it a reading
	// has no time of its own.
	Zone string `yaml:"zone"`

	// ManufacturerData adds the metric manufacturer_data: what follows the
	// records, in hexadecimal digits.
	ManufacturerData bool `yaml:"manufacturer_data"`
}

// DefaultConfig returns the configuration without a zone.
func DefaultConfig() Config { return Config{} }

// Validate calls report for every mistake in c.
func (c *Config) Validate(report func(field, problem string)) {
	if _, err := c.zone(); err != nil {
		report("zone", fmt.Sprintf("is %q, want a name such as Europe/Berlin or an offset such as +01:00", c.Zone))
	}
}

// zone returns the place of the meter's clock, nil when there is none.
func (c *Config) zone() (*time.Location, error) {
	if c.Zone == "" {
		return nil, nil
	}
	if at, err := time.Parse("-07:00", c.Zone); err == nil {
		_, offset := at.Zone()
		return time.FixedZone(c.Zone, offset), nil
	}
	if c.Zone == "Local" {
		return nil, fmt.Errorf("load zone: Local differs from machine to machine")
	}
	zone, err := time.LoadLocation(c.Zone)
	if err != nil {
		return nil, fmt.Errorf("load zone: %w", err)
	}
	return zone, nil
}
