package frame

import "bytes"

// cobsFull is the code of a block of 254 bytes that no zero follows.
const cobsFull = 0xff

// AppendCOBS appends payload in consistent overhead byte stuffing, with the
// zero that ends it.
func AppendCOBS(dst, payload []byte) []byte {
	dst, _ = appendCOBS(dst, payload)
	return append(dst, 0)
}

// AppendCOBSR appends payload as COBS/R does: its last byte takes the place of
// the last code where the reader can tell.
func AppendCOBSR(dst, payload []byte) []byte {
	dst, last := appendCOBS(dst, payload)
	if n := len(dst) - 1; n > last && dst[n] >= dst[last] {
		dst[last] = dst[n]
		dst = dst[:n]
	}
	return append(dst, 0)
}

// appendCOBS appends payload without the zero and returns where the last code
// stands.
func appendCOBS(dst, payload []byte) (encoded []byte, last int) {
	for {
		last = len(dst)
		zero := bytes.IndexByte(payload, 0)
		n := len(payload)
		if zero >= 0 {
			n = zero
		}
		switch {
		case n >= cobsFull-1:
			n = cobsFull - 1
			dst = append(dst, cobsFull)
			dst = append(dst, payload[:n]...)
			if payload = payload[n:]; len(payload) == 0 {
				return dst, last
			}
		default:
			dst = append(dst, byte(n+1))
			dst = append(dst, payload[:n]...)
			if zero < 0 {
				return dst, last
			}
			payload = payload[n+1:]
		}
	}
}

// DecodeCOBS appends what body holds, the bytes before the zero, to dst; false
// when it is not encoded in this way.
func DecodeCOBS(dst, body []byte) ([]byte, bool) { return decodeCOBS(dst, body, false) }

// DecodeCOBSR is DecodeCOBS for COBS/R.
func DecodeCOBSR(dst, body []byte) ([]byte, bool) { return decodeCOBS(dst, body, true) }

func decodeCOBS(dst, body []byte, reduced bool) ([]byte, bool) {
	if len(body) == 0 || bytes.IndexByte(body, 0) >= 0 {
		return dst, false
	}
	for {
		code := body[0]
		n := int(code) - 1
		if body = body[1:]; n > len(body) {
			if !reduced {
				return dst, false
			}
			return append(append(dst, body...), code), true
		}
		dst = append(dst, body[:n]...)
		if body = body[n:]; len(body) == 0 {
			return dst, true
		}
		if code != cobsFull {
			dst = append(dst, 0)
		}
	}
}
