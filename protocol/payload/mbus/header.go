package mbus

import (
	"sluice/protocol"
)

// longHeader and shortHeader are how many bytes stand between CI and records.
const (
	longHeader  = 12
	shortHeader = 4
)

// header is what stands in front of the records.
type header struct {
	identity []byte // id, manufacturer, version, medium; low byte first. nil: the telegram has none
	status   byte
	mode     byte // of encryption; 0 for none
}

// readHeader reads the header of n bytes in front of data.
func (t *telegram) readHeader(data []byte, n int) (h header, rest []byte, err *protocol.Refusal) {
	if len(data) < n {
		return h, nil, protocol.Refuse("syntax", "%d bytes, want a header of %d", len(data), n)
	}
	rest = data[n:]
	switch n {
	case longHeader:
		identity := t.identity[:0]
		identity = append(identity, t.low(data[:4])...)
		identity = append(identity, t.low(data[4:6])...)
		h.identity = append(identity, data[6], data[7])
		data = data[8:]
	case 0:
		return h, rest, nil
	}
	h.status = data[1]
	h.mode = t.low(data[2:4])[1] & 0x1f
	if h.mode != 0 && (len(rest) < 2 || rest[0] != filler || rest[1] != filler) {
		return h, nil, protocol.Refuse("kind", "the telegram is encrypted, mode %d", h.mode)
	}
	return h, rest, nil
}

// qualityOf returns how far the values are to be trusted beside a status byte.
func qualityOf(status byte) protocol.Quality {
	const busy, failed = 1, 2
	switch {
	case status&3 == failed || status&0x08 != 0:
		return protocol.Bad
	case status&3 == busy || status&0x10 != 0:
		return protocol.Uncertain
	}
	return protocol.Good
}

// media are the device types by code; codes without a meaning have none.
var media = [...]string{
	"other", "oil", "electricity", "gas", "heat", "steam", "warm water", "water", "heat cost allocator",
	"compressed air", "cooling, outlet", "cooling, inlet", "heat, inlet", "heat and cooling", "bus",
	"unknown", 0x14: "calorific value", 0x15: "hot water", 0x16: "cold water", 0x17: "dual register water",
	0x18: "pressure", 0x19: "A/D converter", 0x1a: "smoke", 0x1b: "room sensor", 0x1c: "gas sensor",
	0x20: "breaker", 0x21: "valve", 0x25: "customer unit", 0x28: "waste water", 0x29: "garbage",
	0x2a: "carbon dioxide", 0x31: "communication controller", 0x32: "unidirectional repeater",
	0x33: "bidirectional repeater", 0x36: "radio converter, system side", 0x37: "radio converter, meter side",
}

// fixedMedia are those of the fixed structure.
var fixedMedia = [...]string{
	"other", "oil", "electricity", "gas", "heat", "steam", "hot water", "water", "heat cost allocator",
	"", "gas", "heat", "hot water", "water", "heat cost allocator", "",
}

// letters returns the manufacturer of a code of three times five bits, "" when
// that is none.
func letters(code uint16) string {
	name := [3]byte{byte(code>>10&31) + '@', byte(code>>5&31) + '@', byte(code&31) + '@'}
	for _, c := range name {
		if c < 'A' || c > 'Z' {
			return ""
		}
	}
	return string(name[:])
}

// codeOf returns the code of a manufacturer of three capital letters.
func codeOf(manufacturer string) uint16 {
	var code uint16
	for i := range min(len(manufacturer), 3) {
		code = code<<5 | uint16(manufacturer[i]-'@')&31
	}
	return code
}
