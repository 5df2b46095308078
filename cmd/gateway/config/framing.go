package config

import (
	"errors"
	"fmt"
	"reflect"

	"sluice/protocol/frame"
	"sluice/protocol/payload"
	"sluice/protocol/payload/binary"
)

// ParseFraming reads how messages are told apart on a line, as it stands behind
// "frame:" in a file: a word, or a mapping such as "{fixed: {length: 9}}". For
// "auto" it is as the devices of a decoder do it.
func ParseFraming(text string, d payload.Decode) (frame.Config, error) {
	if text == "auto" {
		return framing(d), nil
	}
	p := newParser("frame", Options{})
	var file struct {
		Frame frame.Config `yaml:"frame"`
	}
	if root := p.document([]byte("frame: " + text)); root != nil {
		p.fields(root, "", reflect.ValueOf(&file).Elem())
		p.validate(child(root, "frame"), "frame.", &file.Frame)
	}
	var all []error
	for _, problem := range p.problems {
		all = append(all, errors.New(problem.Message))
	}
	return file.Frame, errors.Join(all...)
}

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
