package frame

import "encoding/binary"

// AppendPrefixed appends payload as c frames it: the sync bytes, the length,
// zeros for the rest of the header and for the trailer. The checksum is up to
// the caller. A length that does not fit is cut off.
func AppendPrefixed(dst []byte, c Prefixed, payload []byte) []byte {
	g := newPrefixed(&c)
	begin := len(dst)
	dst = append(dst, g.sync...)
	dst = append(dst, make([]byte, g.header-len(g.sync))...)
	dst = append(dst, payload...)
	dst = append(dst, make([]byte, g.trailer)...)
	n := uint64(len(payload))
	if g.whole {
		n = uint64(len(dst) - begin)
	}
	field := dst[begin+g.offset:][:g.width]
	for i := range field {
		shift := 8 * i
		if !g.little {
			shift = 8 * (g.width - 1 - i)
		}
		field[i] = byte(n >> shift)
	}
	return dst
}

// prefixed is the grammar of frames that say how long they are.
type prefixed struct {
	sync    []byte // what they begin with, or nothing
	offset  int    // where the length stands
	width   int    // its bytes: 1, 2 or 4
	little  bool   // its low byte comes first
	whole   bool   // it counts the whole frame, else the payload
	header  int    // bytes before the payload
	trailer int    // bytes behind it
	max     int    // the whole frame's bytes
	check   *check
}

func (g *prefixed) limit() int { return g.max }

func (g *prefixed) reset() {}

func (g *prefixed) look(p []byte, _ place) verdict {
	if len(g.sync) > 0 {
		if n := indexStart(p, g.sync); n > 0 {
			return noise(n)
		}
	}
	known := g.offset + g.width
	if len(p) < known {
		return wait()
	}
	size := g.size(p)
	switch {
	case size < uint64(max(g.header+g.trailer, known)):
		return reject(known, 1)
	case size > uint64(g.max):
		return tooLong(known, 1)
	case size > uint64(len(p)):
		return wait()
	}
	frame := p[:size]
	if ok, _, _ := g.check.holds(frame); !ok {
		return reject(len(frame), 1)
	}
	return found(len(frame), frame)
}

// size returns how long the frame says it is.
func (g *prefixed) size(p []byte) uint64 {
	var n uint64
	switch field := p[g.offset:][:g.width]; {
	case g.width == 1:
		n = uint64(field[0])
	case g.width == 2 && g.little:
		n = uint64(binary.LittleEndian.Uint16(field))
	case g.width == 2:
		n = uint64(binary.BigEndian.Uint16(field))
	case g.little:
		n = uint64(binary.LittleEndian.Uint32(field))
	default:
		n = uint64(binary.BigEndian.Uint32(field))
	}
	if g.whole {
		return n
	}
	return n + uint64(g.header+g.trailer)
}
