package config

import (
	"testing"

	"sluice/protocol/frame"
	"sluice/protocol/payload"
	"sluice/protocol/payload/binary"
	"sluice/protocol/payload/nmea"
)

// TestFramingIsValid: what a decoder brings along makes a reader.
func TestFramingIsValid(t *testing.T) {
	for _, d := range []payload.Decode{
		{NMEA: &nmea.Config{}}, {NMEA: &nmea.Config{Checksum: "optional"}},
		{JSON: &payload.JSON{}}, {Binary: &binary.Config{Preset: "sps30"}}, {Binary: &binary.Config{Preset: "sds011"}},
	} {
		c := framing(d)
		c.Validate(func(field, problem string) { t.Errorf("%s: %s %s", d.Kind(), field, problem) })
		if _, err := frame.New(c); err != nil {
			t.Errorf("%s: %v", d.Kind(), err)
		}
	}
	if c := framing(payload.Decode{Binary: &binary.Config{Preset: "sds011"}}); c.Fixed == nil || c.Fixed.Sync != "hex:aac0" || c.Fixed.Length != 10 {
		t.Errorf("sds011: %+v", c.Fixed)
	}
}
