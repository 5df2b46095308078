package frame

import (
	"bytes"

	"sluice/protocol/checksum"
)

// The escape of SML's transport and what may follow it.
const (
	smlEscape = "\x1b\x1b\x1b\x1b"
	smlBegin  = "\x01\x01\x01\x01"
	smlEnd    = 0x1a // then the number of fill bytes and the checksum
)

// AppendSML appends message, a whole SML file, between the escape sequences of
// version 1, with its fill bytes and checksum.
func AppendSML(dst, message []byte) []byte {
	crc, _ := checksum.Lookup("CRC-16/IBM-SDLC")
	begin := len(dst)
	dst = append(dst, smlEscape+smlBegin...)
	for {
		n := bytes.Index(message, []byte(smlEscape))
		if n < 0 {
			break
		}
		dst = append(append(dst, message[:n+4]...), smlEscape...)
		message = message[n+4:]
	}
	dst = append(dst, message...)
	fill := -(len(dst) - begin) & 3
	dst = append(dst, 0, 0, 0)[:len(dst)+fill]
	dst = append(dst, smlEscape...)
	dst = append(dst, smlEnd, byte(fill))
	return crc.Append(dst, dst[begin:], true)
}

// sml is the grammar of SML files in their transport of version 1. The payload
// is the file without escapes and fill bytes.
type sml struct {
	max    int
	begin  []byte
	crc    checksum.Sum
	crcOld checksum.Sum // some meters compute this one
	modern bool         // but not the one that is heard here
	at     int          // where the search for an escape goes on
	base   int          // from here on nothing is copied to out yet
	out    []byte       // the file so far, when it holds an escaped escape
}

func newSML(max int) *sml {
	g := &sml{max: max, begin: []byte(smlEscape + smlBegin)}
	g.crc, _ = checksum.Lookup("CRC-16/IBM-SDLC")
	g.crcOld, _ = checksum.Lookup("CRC-16/KERMIT")
	return g
}

func (g *sml) limit() int { return g.max }

func (g *sml) reset() { g.modern = false }

func (g *sml) look(p []byte, at place) verdict {
	if n := indexStart(p, g.begin); n > 0 {
		return noise(n)
	}
	if at.seen == 0 {
		g.at, g.base, g.out = len(g.begin), len(g.begin), g.out[:0]
	}
	for g.at < len(p) {
		esc := bytes.Index(p[g.at:], []byte(smlEscape))
		if esc < 0 {
			g.at = max(g.at, len(p)-len(smlEscape)+1)
			break
		}
		g.at += esc
		if len(p) < g.at+8 {
			break
		}
		switch next := p[g.at+4 : g.at+8]; {
		case g.endsLater(next):
			g.at += -g.at & 3
		case string(next) == smlEscape:
			g.out = append(g.out, p[g.base:g.at+4]...)
			g.at += 8
			g.base = g.at
		case next[0] == smlEnd:
			return g.finish(p[:g.at+8])
		case string(next) == smlBegin:
			return reject(g.at, g.at)
		default:
			return reject(g.at+8, 1)
		}
	}
	return wait()
}

// endsLater reports whether the escape at g.at is a file's last bytes together
// with the first of the end: the end stands at a multiple of four bytes.
func (g *sml) endsLater(next []byte) bool {
	late := -g.at & 3
	return late > 0 && string(next[:late]) == smlEscape[:late] && next[late] == smlEnd
}

// finish judges a frame whose end was found.
func (g *sml) finish(frame []byte) verdict {
	fill, n := int(frame[g.at+5]), len(frame)
	want := uint64(frame[n-2]) | uint64(frame[n-1])<<8
	switch covered := frame[:n-2]; {
	case g.crc.Of(covered) == want:
		g.modern = true
	case g.modern || g.crcOld.Of(covered) != want:
		return reject(n, 1)
	}
	file := frame[g.base:g.at]
	if g.base > len(g.begin) {
		g.out = append(g.out, file...)
		file = g.out
	}
	if fill > 3 || fill > len(file) {
		return reject(n, 1)
	}
	return found(n, file[:len(file)-fill])
}
