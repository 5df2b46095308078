package config

import (
	"fmt"

	"sluice/protocol/frame"
	"sluice/protocol/payload"
	"sluice/protocol/payload/binary"
)

// framing returns how the messages of a decoder are told apart on a line where
// the file does not say: as the devices that send them do it.
func framing(d payload.Decode) frame.Config {
	switch {
	case d.NMEA != nil:
		return frame.Config{NMEA: &frame.NMEA{Checksum: d.NMEA.Checksum}}
	case d.DSMR != nil:
		return frame.Config{DSMR: &frame.DSMR{}}
	case d.SML != nil:
		return frame.Config{SML: &frame.SML{}}
	case d.MBus != nil:
		return frame.Config{MBus: &frame.MBus{}}
	case d.VEDirect != nil:
		return frame.Config{VEDirect: &frame.VEDirect{}}
	case d.Binary != nil:
		if length, sync, ok := binary.Framing(d.Binary.Preset); ok {
			return frame.Config{Fixed: &frame.Fixed{Length: length, Sync: fmt.Sprintf("hex:%x", sync)}}
		}
	}
	return frame.Config{}
}
