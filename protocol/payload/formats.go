package payload

import (
	"reflect"

	"sluice/protocol/payload/binary"
	"sluice/protocol/payload/cayennelpp"
	"sluice/protocol/payload/dsmr"
	"sluice/protocol/payload/lineproto"
	"sluice/protocol/payload/mbus"
	"sluice/protocol/payload/nmea"
	"sluice/protocol/payload/ruuvi"
	"sluice/protocol/payload/sdi12"
	"sluice/protocol/payload/sml"
	"sluice/protocol/payload/vedirect"
)

// SML has no settings: files of the Smart Message Language, with or without the
// escape sequences of their transport. Metrics are called by OBIS code.
type SML struct{}

// Ruuvi has no settings: the data formats of Ruuvi's tags, bare, in an
// advertisement, or in the message of a Ruuvi Gateway.
type Ruuvi struct{}

// newFormat returns the decoder that d chooses among those that have a package
// of their own, and whether it chooses one. The settings are valid.
func newFormat(d Decode) (f format, ok bool) {
	switch {
	case d.Binary != nil:
		f = must(binary.New(*d.Binary))
	case d.Influx != nil:
		f = lineproto.New(*d.Influx)
	case d.NMEA != nil:
		f = nmea.New(*d.NMEA)
	case d.DSMR != nil:
		f = dsmr.New(*d.DSMR)
	case d.SML != nil:
		f = sml.New()
	case d.MBus != nil:
		f = must(mbus.New(*d.MBus))
	case d.VEDirect != nil:
		f = vedirect.New(*d.VEDirect)
	case d.SDI12 != nil:
		f = sdi12.New(*d.SDI12)
	case d.CayenneLPP != nil:
		f = cayennelpp.New(*d.CayenneLPP)
	case d.Ruuvi != nil:
		f = ruuvi.New()
	}
	return f, f != nil
}

// must is for settings that Validate has found right.
func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// complete returns d with the defaults where its settings are silent.
func (d Decode) complete() Decode {
	d.Influx = filled(d.Influx, lineproto.DefaultConfig())
	d.NMEA = filled(d.NMEA, nmea.DefaultConfig())
	d.DSMR = filled(d.DSMR, dsmr.DefaultConfig())
	d.VEDirect = filled(d.VEDirect, vedirect.DefaultConfig())
	d.SDI12 = filled(d.SDI12, sdi12.DefaultConfig())
	return d
}

// filled returns a copy of settings whose zero fields are those of defaults.
func filled[T any](settings *T, defaults T) *T {
	if settings == nil {
		return nil
	}
	all, given := reflect.ValueOf(&defaults).Elem(), reflect.ValueOf(settings).Elem()
	for i := range given.NumField() {
		if !given.Field(i).IsZero() {
			all.Field(i).Set(given.Field(i))
		}
	}
	return &defaults
}
