package frame

import "bytes"

// The bytes of RFC 1055 that mean something.
const (
	slipEnd    = 0xc0
	slipEsc    = 0xdb
	slipEscEnd = 0xdc // behind slipEsc: an slipEnd
	slipEscEsc = 0xdd // behind slipEsc: an slipEsc
)

// AppendSLIP appends payload as RFC 1055 frames it, with an END on both sides,
// so that noise in front of it is a frame of its own.
func AppendSLIP(dst, payload []byte) []byte {
	dst = append(dst, slipEnd)
	for _, c := range payload {
		switch c {
		case slipEnd:
			dst = append(dst, slipEsc, slipEscEnd)
		case slipEsc:
			dst = append(dst, slipEsc, slipEscEsc)
		default:
			dst = append(dst, c)
		}
	}
	return append(dst, slipEnd)
}

// DecodeSLIP appends what body holds, the bytes between two ENDs, to dst; false
// when body has an escape that RFC 1055 does not know.
func DecodeSLIP(dst, body []byte) ([]byte, bool) {
	for {
		esc := bytes.IndexByte(body, slipEsc)
		if esc < 0 {
			return append(dst, body...), true
		}
		if esc == len(body)-1 {
			return dst, false
		}
		dst = append(dst, body[:esc]...)
		switch body[esc+1] {
		case slipEscEnd:
			dst = append(dst, slipEnd)
		case slipEscEsc:
			dst = append(dst, slipEsc)
		default:
			return dst, false
		}
		body = body[esc+2:]
	}
}

// unslip is DecodeSLIP, which does not copy what has no escapes.
func unslip(dst, body []byte) ([]byte, bool) {
	if bytes.IndexByte(body, slipEsc) < 0 {
		return body, true
	}
	return DecodeSLIP(dst, body)
}
