package checksum

import (
	"hash/crc32"
	"hash/crc64"
	"math/bits"
	"strings"
)

// Sum computes one kind of checksum. It never changes after Lookup made it, so
// that any number of goroutines may use it.
type Sum struct {
	name  string
	width int
	of    func(p []byte) uint64
}

// plain are the checksums that are no CRC.
var plain = [...]Sum{
	{"lrc", 1, complement8},
	{"sum16", 2, func(p []byte) uint64 { return total(p) & all16 }},
	{"sum8", 1, func(p []byte) uint64 { return total(p) & 0xff }},
	{"sum8-complement", 1, complement8},
	{"sum8-inverted", 1, func(p []byte) uint64 { return ^total(p) & 0xff }},
	{"xor", 1, xor},
}

// Lookup returns the checksum of a name, in whatever case: one of Names, or
// another name that the catalogue has for one of them. False: there is none.
func Lookup(name string) (Sum, bool) {
	for _, s := range plain {
		if strings.EqualFold(s.name, name) {
			return s, true
		}
	}
	for _, a := range aliases {
		if strings.EqualFold(a.alias, name) {
			name = a.name
		}
	}
	for i := range catalogue {
		if strings.EqualFold(catalogue[i].name, name) {
			return catalogue[i].sum(), true
		}
	}
	return Sum{}, false
}

// Wanted says to people what Lookup knows.
const Wanted = "a name from the RevEng catalogue such as CRC-16/MODBUS, or sum8, sum8-complement, sum8-inverted, sum16, xor or lrc"

// Names returns the names of all checksums, CRCs by width: the catalogue's, and
//
//	lrc              the two's complement of the sum of the bytes
//	sum16            their sum in 16 bits
//	sum8             their sum in 8 bits
//	sum8-complement  its two's complement, so that all bytes together give 0
//	sum8-inverted    its one's complement
//	xor              their exclusive or
func Names() []string {
	names := make([]string, 0, len(catalogue)+len(plain))
	for i := range catalogue {
		names = append(names, catalogue[i].name)
	}
	for _, s := range plain {
		names = append(names, s.name)
	}
	return names
}

// Name returns the checksum's name, "" for the zero Sum.
func (s Sum) Name() string { return s.name }

// Width returns how many bytes the checksum has, 1 to 8.
func (s Sum) Width() int { return s.width }

// Of returns the checksum of p. Of the zero Sum it is 0.
func (s Sum) Of(p []byte) uint64 {
	if s.of == nil {
		return 0
	}
	return s.of(p)
}

// Append appends the checksum of p to dst, the low byte first when little.
func (s Sum) Append(dst, p []byte, little bool) []byte {
	sum := s.Of(p)
	for i := range s.width {
		at := i
		if !little {
			at = s.width - 1 - i
		}
		dst = append(dst, byte(sum>>(8*at)))
	}
	return dst
}

// total is the sum of the bytes.
func total(p []byte) uint64 {
	var sum uint64
	for _, c := range p {
		sum += uint64(c)
	}
	return sum
}

func complement8(p []byte) uint64 { return -total(p) & 0xff }

func xor(p []byte) uint64 {
	var sum byte
	for _, c := range p {
		sum ^= c
	}
	return uint64(sum)
}

// sum makes the model's tables. The standard library computes what it can: it
// uses the processor's instructions for two of the polynomials and eight
// tables for the others.
func (m *model) sum() Sum {
	s := Sum{name: m.name, width: m.bits / 8}
	switch {
	case m.reflect && m.bits == 32:
		s.of = m.standard32()
	case m.reflect && m.bits == 64:
		s.of = m.standard64()
	case m.reflect:
		s.of = m.reflected()
	default:
		s.of = m.straight()
	}
	return s
}

// standard32 computes with hash/crc32, which inverts the register before and
// after.
func (m *model) standard32() func(p []byte) uint64 {
	table := crc32.MakeTable(bits.Reverse32(uint32(m.poly)))
	init, xorout := ^bits.Reverse32(uint32(m.init)), ^uint32(m.xorout)
	return func(p []byte) uint64 { return uint64(crc32.Update(init, table, p) ^ xorout) }
}

// standard64 is standard32 with hash/crc64.
func (m *model) standard64() func(p []byte) uint64 {
	table := crc64.MakeTable(bits.Reverse64(m.poly))
	init, xorout := ^bits.Reverse64(m.init), ^m.xorout
	return func(p []byte) uint64 { return crc64.Update(init, table, p) ^ xorout }
}

// Neither the standard library nor a module that is maintained computes CRCs
// of 8, 16 and 24 bits or such that take the high bit first: the two functions
// below do, with one table. They do 420 MB/s and more, a serial line 0.01.

// reflected computes with the low bit first.
func (m *model) reflected() func(p []byte) uint64 {
	poly := bits.Reverse64(m.poly) >> (64 - m.bits)
	table := new([256]uint64)
	for i := range table {
		reg := uint64(i)
		for range 8 {
			reg = reg>>1 ^ poly&-(reg&1)
		}
		table[i] = reg
	}
	init, xorout := bits.Reverse64(m.init)>>(64-m.bits), m.xorout
	return func(p []byte) uint64 {
		reg := init
		for _, c := range p {
			reg = reg>>8 ^ table[byte(reg)^c]
		}
		return reg ^ xorout
	}
}

// straight computes with the high bit first, in the high bits of the register.
func (m *model) straight() func(p []byte) uint64 {
	up := 64 - m.bits
	poly := m.poly << up
	table := new([256]uint64)
	for i := range table {
		reg := uint64(i) << 56
		for range 8 {
			reg = reg<<1 ^ poly&-(reg>>63)
		}
		table[i] = reg
	}
	init, xorout := m.init<<up, m.xorout
	return func(p []byte) uint64 {
		reg := init
		for _, c := range p {
			reg = reg<<8 ^ table[byte(reg>>56)^c]
		}
		return reg>>up ^ xorout
	}
}
