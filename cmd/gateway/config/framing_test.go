package config

import (
	"testing"

	"sluice/protocol/frame"
	"sluice/protocol/payload"
	"sluice/protocol/payload/binary"
	"sluice/protocol/payload/dsmr"
	"sluice/protocol/payload/mbus"
	"sluice/protocol/payload/nmea"
	"sluice/protocol/payload/vedirect"
)

// TestFramingIsValid: what a decoder brings along makes a reader.
func TestFramingIsValid(t *testing.T) {
	for _, d := range []payload.Decode{
		{NMEA: &nmea.Config{}}, {NMEA: &nmea.Config{Checksum: "optional"}},
		{VEDirect: &vedirect.Config{}}, {DSMR: &dsmr.Config{}}, {MBus: &mbus.Config{}}, {SML: &payload.SML{}}, {JSON: &payload.JSON{}}, {Binary: &binary.Config{Preset: "sps30"}}, {Binary: &binary.Config{Preset: "sds011"}},
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
