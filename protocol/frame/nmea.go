package frame

import "bytes"

// AppendNMEA appends sentence, which begins with $ or !, with its checksum and
// the line end of NMEA 0183.
func AppendNMEA(dst, sentence []byte) []byte {
	const digits = "0123456789ABCDEF"
	var sum byte
	for _, c := range sentence[min(1, len(sentence)):] {
		sum ^= c
	}
	dst = append(dst, sentence...)
	return append(dst, '*', digits[sum>>4], digits[sum&15], '\r', '\n')
}

// nmea is the grammar of NMEA 0183 sentences: $ or !, text, * and a checksum, at
// the end of a line. The payload is the sentence without its line end.
type nmea struct {
	max  int
	bare bool // sentences may come without a checksum
}

func (g *nmea) limit() int { return g.max + 1 }

func (g *nmea) reset() {}

func (g *nmea) look(p []byte, at place) verdict {
	switch p[0] {
	case '\r', '\n':
		return between(1)
	case '$', '!':
	default:
		return noise(until(p, isSentenceMark))
	}
	if len(p) > 1 && !isAlnum(p[1]) {
		return noise(1)
	}
	from := max(at.seen, 1)
	end := from + until(p[from:], isControl)
	switch {
	case end == len(p):
		return wait()
	case p[end] != '\r' && p[end] != '\n':
		return reject(end, 1)
	}
	sentence := bytes.TrimRight(p[:end], " ")
	if !g.valid(sentence) {
		return reject(end, 1)
	}
	return found(end, sentence)
}

// valid reports whether a sentence is whole. One without a checksum must not
// hold the beginning of another.
func (g *nmea) valid(sentence []byte) bool {
	star := bytes.LastIndexByte(sentence, '*')
	if star < 0 {
		return g.bare && len(sentence) > 4 && until(sentence[1:], isSentenceMark) == len(sentence)-1
	}
	if len(sentence)-star != 3 {
		return false
	}
	high, ok := fromHex(sentence[star+1])
	low, ok2 := fromHex(sentence[star+2])
	sum := high<<4 | low
	for _, c := range sentence[1:star] {
		sum ^= c
	}
	return ok && ok2 && sum == 0
}

// until returns how many bytes come before one that is what is asked for.
func until(p []byte, is func(byte) bool) int {
	for i, c := range p {
		if is(c) {
			return i
		}
	}
	return len(p)
}

func isSentenceMark(c byte) bool { return c == '$' || c == '!' || c == '\r' || c == '\n' }

func isControl(c byte) bool { return c < ' ' || c == 0x7f }

func isAlnum(c byte) bool {
	return '0' <= c && c <= '9' || 'A' <= c && c <= 'Z' || 'a' <= c && c <= 'z'
}

// fromHex returns what a hexadecimal digit stands for.
func fromHex(c byte) (byte, bool) {
	switch {
	case '0' <= c && c <= '9':
		return c - '0', true
	case 'A' <= c && c <= 'F':
		return c - 'A' + 10, true
	case 'a' <= c && c <= 'f':
		return c - 'a' + 10, true
	}
	return 0, false
}
