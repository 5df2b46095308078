package wire_test

import (
	"errors"
	"testing"

	"sluice/cmd/gateway/config"
	"sluice/firmware-sim/wire"
)

// later are the ways to send that the simulator does not know yet.
var later = map[string]bool{"sparkplug": true, "dsmr": true, "vedirect": true, "sml": true, "mbus": true, "sdi12": true, "binary": true}

func TestBuiltinProfilesAreSimulated(t *testing.T) {
	for _, b := range config.Builtins() {
		t.Run(b.Name, func(t *testing.T) {
			if b.Profile.Decode.Value != nil {
				for _, metric := range wire.Metrics(b.Name, b.Profile) {
					form, err := wire.NewMetric(b.Name, b.Profile, metric)
					if err != nil {
						t.Fatal(err)
					}
					roundTrip(t, form, *b.Profile, metric)
				}
				return
			}
			forms, err := wire.All(b.Name, b.Profile)
			if unknown := (*wire.Unknown)(nil); later[b.Profile.Decode.Kind()] && errors.As(err, &unknown) {
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			for _, form := range forms {
				if form.Space() < 1 {
					t.Errorf("%v different samples", form.Space())
				}
			}
			roundTrips(t, forms, *b.Profile, "", 200)
		})
	}
}
