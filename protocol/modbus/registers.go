package modbus

import (
	"fmt"

	"sluice/protocol"
	"sluice/protocol/binary"
)

// Registers are registers from an address on, as a response holds them.
type Registers struct {
	Start uint16
	Data  []byte // two bytes for each, the high one first
}

// Coils are coils or discrete inputs from an address on.
type Coils struct {
	Start uint16
	Data  []byte // the first one in bit 0 of the first byte
}

// Coil returns the coil at an address, and false when it is not among them.
func (c Coils) Coil(address uint16) (on, ok bool) {
	at := int(address) - int(c.Start)
	if at < 0 || at >= len(c.Data)*8 {
		return false, false
	}
	return c.Data[at/8]>>(at%8)&1 != 0, true
}

// Set sets the coil at an address, and reports whether it is among them.
func (c Coils) Set(address uint16, on bool) bool {
	at := int(address) - int(c.Start)
	if at < 0 || at >= len(c.Data)*8 {
		return false
	}
	c.Data[at/8] &^= 1 << (at % 8)
	if on {
		c.Data[at/8] |= 1 << (at % 8)
	}
	return true
}

// Point is a field at an address: the field's offset counts from the high byte
// of the register there, so that an int8 with offset 1 is the register's low
// byte. It is never changed and may be shared.
type Point struct {
	codec   *binary.Codec
	address uint16 // of the register in which the field begins
	low     bool   // it begins with that register's low byte
}

// NewPoint compiles a field at an address. Its offset must not be negative, and
// it must end before register 65536 does. Where f names no size for a bool, the
// whole register is meant.
func NewPoint(address uint16, f binary.Field) (Point, error) {
	if f.Type == "bool" && f.Length == 0 && f.At == 0 {
		f.Length = 2
	}
	if f.At < 0 {
		return Point{}, fmt.Errorf("compile field: at is %d, want 0 or more in registers", f.At)
	}
	first := int(address) + f.At/2
	f.At %= 2
	codec, err := binary.Compile(f)
	switch {
	case err != nil:
		return Point{}, err
	case 2*first+f.At+codec.Size() > 2<<16:
		return Point{}, fmt.Errorf("compile field: %d bytes from register %d on end behind register 65535", codec.Size(), first)
	}
	return Point{codec: codec, address: uint16(first), low: f.At == 1}, nil
}

// Span returns the first register of the point and how many it touches.
func (p *Point) Span() (first uint16, n int) {
	n = p.codec.Size() + 1
	if p.low {
		n++
	}
	return p.address, n / 2
}

// Count returns how many values the point has, 1 for one that is no array.
func (p *Point) Count() int { return p.codec.Count() }

// Value returns value i (from 0) of the point, null when the device says that
// there is none. The error is a *protocol.Refusal: missing where a register is
// not among those of r, utf8 or type where they hold no such value.
func (p *Point) Value(r Registers, i int, texts *binary.Texts) (protocol.Value, error) {
	at := 2 * (int(p.address) - int(r.Start))
	if at < 0 || at > len(r.Data) {
		return protocol.Value{}, protocol.Refuse("missing", "register %d is not among %d from %d on", p.address, len(r.Data)/2, r.Start)
	}
	return p.codec.Value(r.Data[at:], i, texts)
}

// Put writes v as value i of the point into the registers, as Codec.Put does.
func (p *Point) Put(r Registers, i int, v protocol.Value) error {
	at := 2 * (int(p.address) - int(r.Start))
	if at < 0 || at > len(r.Data) {
		return fmt.Errorf("put value %d: register %d is not among %d from %d on", i, p.address, len(r.Data)/2, r.Start)
	}
	return p.codec.Put(r.Data[at:], i, v)
}
