package nmea

import (
	"bytes"
	"unicode/utf8"

	"sluice/protocol"
	"sluice/protocol/payload/plain"
)

// keptSources is how many names of sources are remembered. A bus has a few
// dozen; one that invents names makes it start over.
const keptSources = 256

// tag is what a tag block (\s:radar,c:1553390539*62\) says about its sentence.
type tag struct {
	at     protocol.Timestamp // 0: it says none
	source *protocol.Device   // nil: it says none
}

// sources keeps one device per name of a source.
type sources map[string]*protocol.Device

func (s *sources) get(name []byte) *protocol.Device {
	if at := (*s)[string(name)]; at != nil {
		return at
	}
	if *s == nil || len(*s) >= keptSources {
		*s = sources{}
	}
	at := &protocol.Device{Tags: []protocol.Tag{{Key: "source", Value: string(name)}}}
	(*s)[string(name)] = at
	return at
}

// tagged reads the tag block in front of a sentence, if there is one, and
// returns the sentence.
func (d *Decoder) tagged(text []byte) ([]byte, *protocol.Refusal) {
	d.tag = tag{}
	if text[0] != '\\' {
		return text, nil
	}
	block, sentence, ok := bytes.Cut(text[1:], []byte{'\\'})
	if !ok {
		return nil, protocol.Refuse("syntax", "the tag block has no end")
	}
	block, sum, _ := bytes.Cut(block, []byte{'*'})
	if want, ok := plain.Hex(sum); !ok || len(sum) != 2 || int64(Checksum(block)) != want {
		return nil, protocol.Refuse("checksum", "the tag block says %q, its bytes give %02X", excerpt(sum), Checksum(block))
	}
	for more := true; more; {
		var part []byte
		part, block, more = bytes.Cut(block, []byte{','})
		if refusal := d.tagPart(part); refusal != nil {
			return nil, refusal
		}
	}
	return sentence, nil
}

// tagPart reads one parameter of a tag block: s is the source, c the time in
// seconds or milliseconds, r and n are numbers. Others are not looked at.
func (d *Decoder) tagPart(part []byte) *protocol.Refusal {
	key, value, _ := bytes.Cut(part, []byte{':'})
	if len(key) != 1 || len(value) == 0 {
		return nil
	}
	switch n, ok := plain.Int(value); key[0] {
	case 'c':
		if n < 1e11 {
			n *= 1000
		}
		if !ok || n < 0 || n > 9e12 {
			return protocol.Refuse("time", "the tag block's time is %q, want Unix time", excerpt(value))
		}
		d.tag.at = protocol.Timestamp(n * 1e6)
	case 'r', 'n':
		if !ok {
			return protocol.Refuse("syntax", "the tag block's %c is %q, want a number", key[0], excerpt(value))
		}
	case 's':
		if !utf8.Valid(value) {
			return protocol.Refuse("utf8", "the tag block's source is %q", excerpt(value))
		}
		d.tag.source = d.sources.get(value)
	}
	return nil
}
