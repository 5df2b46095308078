package ruuvi

import (
	"encoding/json"
	"math"
	"strconv"
	"unicode/utf8"

	"sluice/protocol"
)

// envelope is what a gateway says about an advertisement.
type envelope struct {
	data    []byte // hexadecimal digits, in the message
	rssi    int64
	hasRSSI bool
	time    protocol.Timestamp // when the gateway heard it, 0 when its clock is not set
}

// readEnvelope reads the gateway's JSON. Of two members with one name the first
// counts.
func readEnvelope(message []byte) (e envelope, err *protocol.Refusal) {
	switch {
	case !utf8.Valid(message):
		return e, protocol.Refuse("utf8", "the message is not UTF-8")
	case !json.Valid(message):
		return e, protocol.Refuse("syntax", "the message is no JSON")
	}
	data, rssi := member(message, "data"), member(message, "rssi")
	if len(data) < 2 || data[0] != '"' {
		return e, protocol.Refuse("kind", "the message holds no advertisement as text in data")
	}
	if e.data = data[1 : len(data)-1]; len(e.data) == 0 {
		return e, protocol.Refuse("empty", "data is empty")
	}
	if e.hasRSSI = rssi != nil && string(rssi) != "null"; e.hasRSSI {
		n, err := strconv.ParseInt(string(rssi), 10, 16)
		if err != nil {
			return e, protocol.Refuse("type", "rssi is no whole number of dBm")
		}
		e.rssi = n
	}
	at := member(message, "ts")
	if at == nil {
		at = member(message, "gwts")
	}
	e.time, err = readTime(at)
	return e, err
}

// readTime reads seconds since 1970, a number or a text that holds one.
func readTime(p []byte) (protocol.Timestamp, *protocol.Refusal) {
	if len(p) > 1 && p[0] == '"' {
		p = p[1 : len(p)-1]
	}
	if len(p) == 0 || string(p) == "null" {
		return 0, nil
	}
	s, err := strconv.ParseInt(string(p), 10, 64)
	if err != nil || s < 0 || s > math.MaxInt64/int64(1e9) {
		return 0, protocol.Refuse("time", "the gateway's time is no number of seconds since 1970")
	}
	return protocol.Timestamp(s * 1e9), nil
}

// member returns the value of a member of the object that is all of message, nil
// when there is none. The message is valid JSON.
func member(message []byte, name string) []byte {
	p := blanks(message)[1:] // behind the {
	for {
		if p = blanks(p); p[0] != '"' {
			return nil // an empty object
		}
		n := skip(p)
		key := p[1 : n-1]
		p = blanks(blanks(p[n:])[1:]) // behind the :
		n = skip(p)
		if string(key) == name {
			return p[:n]
		}
		if p = blanks(p[n:]); p[0] != ',' {
			return nil
		}
		p = p[1:]
	}
}

// skip returns the length of the value at the beginning of p.
func skip(p []byte) int {
	depth, quoted := 0, false
	for i := 0; i < len(p); i++ {
		switch c := p[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			if quoted = !quoted; !quoted && depth == 0 {
				return i + 1
			}
		case quoted:
		case c == '{' || c == '[':
			depth++
		case c == '}' || c == ']':
			if depth--; depth < 0 {
				return i
			}
			if depth == 0 {
				return i + 1
			}
		case depth == 0 && (c == ',' || c == ' ' || c == '\t' || c == '\r' || c == '\n'):
			return i
		}
	}
	return len(p)
}

func blanks(p []byte) []byte {
	for len(p) > 0 && (p[0] == ' ' || p[0] == '\t' || p[0] == '\r' || p[0] == '\n') {
		p = p[1:]
	}
	return p
}
