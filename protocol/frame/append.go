package frame

import (
	"bytes"
	"fmt"
)

// Append appends the frame that a Reader of c, which is valid, delivers as
// payload. Kinds whose payload is the whole frame take it as it is; the others
// put around it what belongs there, a checksum in its default place among it.
func Append(c Config, dst, payload []byte) []byte {
	switch {
	case c.Delimited != nil:
		return c.Delimited.append(dst, payload)
	case c.SLIP != nil:
		return AppendSLIP(dst, seal(c.SLIP.Checksum, payload))
	case c.COBS != nil:
		return AppendCOBS(dst, seal(c.COBS.Checksum, payload))
	case c.COBSR != nil:
		return AppendCOBSR(dst, seal(c.COBSR.Checksum, payload))
	case c.NMEA != nil, c.DSMR != nil:
		return CRLF.Append(append(dst, payload...))
	case c.SML != nil:
		return AppendSML(dst, payload)
	case c.Fixed != nil, c.Prefixed != nil, c.Idle != nil, c.MBus != nil, c.VEDirect != nil, c.ModbusRTU != nil:
		return append(dst, payload...)
	case c.Lines != nil:
		return c.Lines.append(dst, payload)
	}
	return CRLF.Append(append(dst, payload...))
}

func (l *Lines) append(dst, payload []byte) []byte {
	dst = append(dst, seal(l.Checksum, payload)...)
	if l.Terminator != "" {
		return append(dst, literal(l.Terminator)...)
	}
	eol := Auto
	if l.EOL != "" {
		eol, _ = ParseEOL(l.EOL)
	}
	return eol.Append(dst)
}

func (d *Delimited) append(dst, payload []byte) []byte {
	start, end := literal(d.Start), literal(d.End)
	var trailer []byte
	if d.Trailer > 0 {
		payload := append(bytes.Clone(payload), end...)
		trailer = append(make([]byte, d.Trailer), seal(d.Checksum, payload)[len(payload):]...)
		trailer = trailer[len(trailer)-d.Trailer:]
	} else {
		payload = seal(d.Checksum, payload)
	}
	if d.Escape != "" {
		dst = AppendEscaped(dst, start, payload, end, literal(d.Escape)[0], byte(d.EscapeXOR))
	} else {
		dst = AppendDelimited(dst, start, payload, end)
	}
	return append(dst, trailer...)
}

// seal returns payload with the checksum of c, if there is one, behind it.
func seal(c *Checksum, payload []byte) []byte {
	k := newCheck(c, 0, 0)
	switch {
	case k == nil:
		return payload
	case len(k.after) > 0:
		return fmt.Appendf(bytes.Clone(payload), "%s%0*X", k.after, 2*k.sum.Width(), k.sum.Of(payload))
	}
	return k.sum.Append(bytes.Clone(payload), payload, k.little)
}
