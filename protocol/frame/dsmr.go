package frame

import (
	"bytes"

	"sluice/protocol/checksum"
)

// AppendDSMR appends telegram, which begins with / and ends with !, with the
// checksum and line end of DSMR 4 and 5.
func AppendDSMR(dst, telegram []byte) []byte {
	const digits = "0123456789ABCDEF"
	sum, _ := checksum.Lookup("CRC-16/ARC")
	crc := sum.Of(telegram)
	dst = append(dst, telegram...)
	return append(dst, digits[crc>>12&15], digits[crc>>8&15], digits[crc>>4&15], digits[crc&15], '\r', '\n')
}

// dsmr is the grammar of the telegrams of a meter's P1 port: / to !, and from
// DSMR 4 on a checksum behind it. The payload is the telegram with its
// checksum, without its line end.
type dsmr struct {
	max int
	crc checksum.Sum
}

func newDSMR(max int) *dsmr {
	crc, _ := checksum.Lookup("CRC-16/ARC")
	return &dsmr{max: max, crc: crc}
}

func (g *dsmr) limit() int { return g.max }

func (g *dsmr) reset() {}

// versioned is in telegrams that have a checksum: the version of DSMR 4 and 5,
// and of their Belgian sister.
var versioned = [...][]byte{[]byte("1-3:0.2.8("), []byte("0-0:96.1.4(")}

func (g *dsmr) look(p []byte, at place) verdict {
	switch p[0] {
	case '\r', '\n':
		return between(1)
	case '/':
	default:
		return noise(until(p, isTelegramMark))
	}
	// The end is looked for again from a little before: what follows it may
	// have been missing.
	from := max(at.seen-5, 0)
	end := bytes.IndexByte(p[from:], '!')
	if end < 0 || from+end+1 == len(p) {
		return wait()
	}
	end += from
	switch sum := p[end+1:]; {
	case sum[0] == '\r' || sum[0] == '\n':
		return g.bare(p[:end+1])
	case len(sum) >= 4:
		return g.checked(p[:end+5], end+1)
	}
	return wait()
}

// bare judges a telegram without a checksum: only its structure tells that it
// is whole.
func (g *dsmr) bare(telegram []byte) verdict {
	if again := bytes.LastIndexByte(telegram, '/'); again > 0 {
		return reject(again, again)
	}
	end := len(telegram) - 1
	if before := telegram[end-1]; before != '\n' && before != '\r' || bytes.IndexByte(telegram, '(') < 0 {
		return reject(end, 1)
	}
	for _, v := range versioned {
		if bytes.Contains(telegram, v) {
			return reject(len(telegram), 1)
		}
	}
	return found(len(telegram), telegram)
}

func (g *dsmr) checked(telegram []byte, end int) verdict {
	var want uint64
	for _, c := range telegram[end:] {
		digit, ok := fromHex(c)
		if !ok {
			return reject(end, 1)
		}
		want = want<<4 | uint64(digit)
	}
	if g.crc.Of(telegram[:end]) != want {
		return reject(len(telegram), 1)
	}
	return found(len(telegram), telegram)
}

func isTelegramMark(c byte) bool { return c == '/' || c == '\r' || c == '\n' }
