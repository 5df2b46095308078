package sml

import (
	"bytes"
	"encoding/binary"

	"sluice/protocol"
)

// The signs of the transport frame, version 1.
const (
	escape  = "\x1b\x1b\x1b\x1b"
	version = "\x01\x01\x01\x01"
	ending  = 0x1a
)

// lineEnds may follow a message.
const lineEnds = "\r\n"

// unframe returns the file in message, which is valid until the next call. A
// bare file is returned as it is.
func (d *Decoder) unframe(message []byte) ([]byte, *protocol.Refusal) {
	switch {
	case len(message) == 0:
		return nil, protocol.Refuse("empty", "the message is empty")
	case len(message) > maxMessage:
		return nil, protocol.Refuse("size", "%d bytes, want at most %d", len(message), maxMessage)
	case message[0] != escape[0]:
		return bytes.TrimRight(message, lineEnds), nil
	case !bytes.HasPrefix(message, []byte(escape+version)):
		return nil, protocol.Refuse("kind", "the frame is not of transport version 1")
	}
	d.scratch = d.scratch[:0]
	from := len(escape + version)
	for {
		n := bytes.Index(message[from:], []byte(escape))
		if n < 0 || len(message) < from+n+8 {
			return nil, protocol.Refuse("syntax", "the frame has no end")
		}
		at := from + n
		sign := message[at+4 : at+8]
		switch {
		case sign[0] == ending:
			file := message[from:at]
			if len(d.scratch) > 0 {
				d.scratch = append(d.scratch, file...)
				file = d.scratch
			}
			return d.closed(message, at+8, file)
		case string(sign) == escape:
			d.scratch = append(d.scratch, message[from:at+4]...)
			from = at + 8
		default:
			return nil, protocol.Refuse("syntax", "escape %x at byte %d", sign, at)
		}
	}
}

// closed returns file without its fill bytes, when the frame that ends at byte
// end of message is sound.
func (d *Decoder) closed(message []byte, end int, file []byte) ([]byte, *protocol.Refusal) {
	if rest := bytes.TrimRight(message[end:], lineEnds); len(rest) > 0 {
		return nil, protocol.Refuse("syntax", "%d bytes after the frame", len(rest))
	}
	if sum := binary.BigEndian.Uint16(message[end-2:]); !d.summed(message[:end-2], sum) {
		return nil, protocol.Refuse("checksum", "the frame says %04x", sum)
	}
	fill := int(message[end-3])
	if fill > mostFill || fill > len(file) {
		return nil, protocol.Refuse("syntax", "%d fill bytes", fill)
	}
	return file[:len(file)-fill], nil
}
