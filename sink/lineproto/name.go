package lineproto

import "unicode/utf8"

// The characters that end a name, and so need a backslash inside it.
const (
	endsMeasurement = ", "
	endsKey         = ",= " // tag keys, tag values and field keys
)

// appendName appends the escaped form of s. What no parser of the line protocol
// reads back the same way is percent-encoded: control characters, invalid UTF-8,
// a backslash before a character that is escaped itself, before another one or
// at the end, and a # that would make the line a comment.
func appendName(dst []byte, s, ends string) []byte {
	if isPlain(s) {
		return append(dst, s...)
	}
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case c < ' ' || c == 0x7f:
			dst = appendPercent(dst, c)
		case c == '\\' && (i+1 == len(s) || s[i+1] == '\\' || isIn(s[i+1], endsKey)):
			dst = appendPercent(dst, c)
		case c == '#' && i == 0 && ends == endsMeasurement:
			dst = appendPercent(dst, c)
		case isIn(c, ends):
			dst = append(dst, '\\', c)
		case c < utf8.RuneSelf:
			dst = append(dst, c)
		default:
			r, n := utf8.DecodeRuneInString(s[i:])
			if r == utf8.RuneError && n == 1 {
				dst = appendPercent(dst, c)
				continue
			}
			dst = append(dst, s[i:i+n]...)
			i += n - 1
		}
	}
	return dst
}

// isPlain reports whether s is the same in every part of a line, as nearly all
// names are.
func isPlain(s string) bool {
	for i := range len(s) {
		switch c := s[i]; {
		case c <= ' ', c >= 0x7f, c == ',', c == '=', c == '\\', c == '#':
			return false
		}
	}
	return true
}

func appendPercent(dst []byte, c byte) []byte {
	const digits = "0123456789ABCDEF"
	return append(dst, '%', digits[c>>4], digits[c&15])
}

func isIn(c byte, set string) bool {
	for i := range len(set) {
		if set[i] == c {
			return true
		}
	}
	return false
}

// isReserved reports whether InfluxDB drops points with this tag or field key.
func isReserved(key string) bool {
	return key == "time" || key == "_field" || key == "_measurement"
}

// freeKey returns key with an underscore if it is reserved, and with as many
// more as it takes to be free.
func freeKey(key string, taken func(string) bool) string {
	if !isReserved(key) {
		return key
	}
	for key += "_"; taken(key); key += "_" {
	}
	return key
}
