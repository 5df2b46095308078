package sml

import (
	"math/bits"

	"sluice/protocol"
	"sluice/protocol/checksum"
)

// The limits of a message; one that is beyond them is refused with the reason
// "size".
const (
	maxMessage = 1 << 16 // bytes
	maxEntries = 256     // in a file; meters send up to 40
)

// mostFill is how many zeros may follow the last message of a file.
const mostFill = 3

// The kinds of message that matter here.
const (
	getListResponse   = 0x0701
	attentionResponse = 0xff01
)

// Decoder reads SML files. It is owned by one goroutine.
type Decoder struct {
	texts   *texts
	scratch []byte // a file whose escapes were undone
	x25     checksum.Sum
	kermit  checksum.Sum

	entries   int // of this file
	lists     int
	attention bool
}

// New returns a Decoder.
func New() *Decoder {
	d := &Decoder{texts: newTexts(), x25: x25()}
	d.kermit, _ = checksum.Lookup("CRC-16/KERMIT")
	return d
}

func x25() checksum.Sum {
	sum, _ := checksum.Lookup("CRC-16/IBM-SDLC")
	return sum
}

// summed reports whether sum, the high byte first, is the checksum of p: KERMIT,
// as Holley's meters have it, or X-25, whose low byte comes first.
func (d *Decoder) summed(p []byte, sum uint16) bool {
	return sum == bits.ReverseBytes16(uint16(d.x25.Of(p))) || sum == uint16(d.kermit.Of(p))
}

// Decode appends what the SML file in message holds to b; on error b is as it
// was before. The error is a *protocol.Refusal: "kind" for a file that holds no
// SML_GetList.Res, such as one with an attention message, which says that a
// request was turned down.
func (d *Decoder) Decode(b *protocol.Batch, message []byte) error {
	before := len(b.Readings)
	d.entries, d.lists, d.attention = 0, 0, false
	d.texts.next()
	file, err := d.unframe(message)
	if err == nil {
		err = d.file(b, file)
	}
	if err == nil && len(b.Readings) == before {
		err = d.nothing()
	}
	if err != nil {
		b.Readings = b.Readings[:before]
		return err
	}
	return nil
}

// nothing says why a sound file gives no reading.
func (d *Decoder) nothing() *protocol.Refusal {
	switch {
	case d.attention:
		return protocol.Refuse("kind", "an attention message: the meter turned a request down")
	case d.lists == 0:
		return protocol.Refuse("kind", "the file holds no SML_GetList.Res")
	}
	return protocol.Refuse("missing", "the lists in the file hold no value")
}

// file reads the messages of a file, and the zeros that may follow them.
func (d *Decoder) file(b *protocol.Batch, file []byte) *protocol.Refusal {
	r := reader{src: file}
	for r.pos < len(file) && r.err == nil {
		if file[r.pos] == 0 && r.pos > 0 {
			return fill(file[r.pos:])
		}
		d.message(b, &r)
	}
	return r.err
}

func fill(rest []byte) *protocol.Refusal {
	for _, c := range rest {
		if c != 0 || len(rest) > mostFill {
			return protocol.Refuse("syntax", "%d bytes after the last message", len(rest))
		}
	}
	return nil
}

// message reads one SML_Message.
func (d *Decoder) message(b *protocol.Batch, r *reader) {
	from := r.pos
	r.list(6, "a message")
	r.skip(3) // transaction, group and what to do on errors
	r.list(2, "a message's body")
	tag, _ := r.unsigned()
	switch tag {
	case getListResponse:
		d.list(b, r)
	case attentionResponse:
		d.attention = true
		r.skip(1)
	default:
		r.skip(1)
	}
	to := r.pos
	sum, ok := r.unsigned()
	switch {
	case r.err != nil:
	case !ok || sum > 0xffff || !d.summed(r.src[from:to], uint16(sum)):
		r.err = protocol.Refuse("checksum", "the message at byte %d says %04x", from, sum)
	case r.pos == len(r.src) || r.src[r.pos] != 0:
		r.fail("the message at byte %d has no end", from)
	default:
		r.pos++
	}
}
