package binary

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"unicode/utf8"

	"sluice/protocol"
)

// Codec is a Field, compiled. It is never changed and may be shared.
type Codec struct {
	at      int // of the first value; negative: from the end
	size    int // bytes of one value
	count   int
	kind    kind
	order   Order
	shift   uint8    // bits below the range
	width   uint8    // bits of the range, all of them without a range
	missing []uint64 // raw numbers that stand for no value
}

// Compile returns the codec of f. An error names the first problem that
// f.Validate reports.
func Compile(f Field) (*Codec, error) {
	var err error
	f.Validate(func(field, problem string) {
		if err == nil {
			err = fmt.Errorf("compile field: %s %s", field, problem)
		}
	})
	if err != nil {
		return nil, err
	}
	known, _ := f.form()
	c := newCodec(&f, known)
	for _, text := range f.Missing {
		n, _ := c.code(text)
		c.missing = append(c.missing, n)
	}
	return &c, nil
}

// newCodec compiles all but the missing codes of f, as far as it is valid.
func newCodec(f *Field, known form) Codec {
	c := Codec{at: f.At, size: known.size, count: max(f.Count, 1), kind: known.kind}
	c.order, _ = ParseOrder(f.Order)
	if known.size <= 8 {
		c.width = uint8(known.size * 8)
	}
	if from, to, ok := parseBits(f.Bits); ok && from <= to && to < int(c.width) {
		c.shift, c.width = uint8(from), uint8(to-from+1)
	}
	return c
}

// Count returns how many values the field has, 1 for one that is no array.
func (c *Codec) Count() int { return c.count }

// Size returns how many bytes the field covers.
func (c *Codec) Size() int { return c.size * c.count }

// Span returns the first byte and the byte behind the last one of the field in
// a message of n bytes, and whether they lie in it.
func (c *Codec) Span(n int) (from, to int, ok bool) {
	from = c.at
	if from < 0 {
		from += n
	}
	to = from + c.size*c.count
	return from, to, from >= 0 && to <= n
}

// Value returns value i (from 0) of the field in message, null when the device
// says that there is none. Texts that were seen before come from texts, which
// may be nil. The error is a *protocol.Refusal: missing where the message ends
// before the field, utf8 or type where the bytes are no such value.
func (c *Codec) Value(message []byte, i int, texts *Texts) (protocol.Value, error) {
	at := c.at
	if at < 0 {
		at += len(message)
	}
	at += i * c.size
	if at < 0 || at+c.size > len(message) {
		return protocol.Value{}, c.beyond(at, len(message))
	}
	p := message[at : at+c.size]
	switch c.kind {
	case kindFloat:
		return c.float(p), nil
	case kindString:
		return c.text(p, texts)
	case kindBytes:
		return protocol.Bytes(texts.of(p)), nil
	}
	n := c.number(p)
	for _, code := range c.missing {
		if n == code {
			return protocol.Value{}, nil
		}
	}
	return c.whole(n)
}

func (c *Codec) beyond(at, n int) error {
	return protocol.Refuse("missing", "want bytes %d to %d, the message has %d", at, at+c.size-1, n)
}

// number returns the bits of the range as they stand in p.
func (c *Codec) number(p []byte) uint64 {
	return c.order.load(p) >> c.shift & c.mask()
}

// mask has the bits of a number of the range's width.
func (c *Codec) mask() uint64 { return math.MaxUint64 >> (64 - c.width) }

// whole returns what a number's bits mean.
func (c *Codec) whole(n uint64) (protocol.Value, error) {
	switch c.kind {
	case kindInt:
		up := 64 - c.width
		return protocol.Int(int64(n<<up) >> up), nil
	case kindBool:
		return protocol.Bool(n != 0), nil
	case kindBCD:
		digits, ok := fromBCD(n)
		if !ok {
			return protocol.Value{}, protocol.Refuse("type", "%0*x is no BCD number", c.size*2, n)
		}
		return protocol.Uint(digits), nil
	}
	return protocol.Uint(n), nil
}

// float returns what the bits of a float mean, null when it is NaN.
func (c *Codec) float(p []byte) protocol.Value {
	var n uint64
	switch {
	case c.size == 4 && c.order == Big:
		n = uint64(binary.BigEndian.Uint32(p))
	case c.size == 4 && c.order == CDAB:
		n = uint64(binary.BigEndian.Uint16(p)) | uint64(binary.BigEndian.Uint16(p[2:]))<<16
	default:
		n = c.order.load(p)
	}
	for _, code := range c.missing {
		if n == code {
			return protocol.Value{}
		}
	}
	f := c.meaning(n)
	if math.IsNaN(f) {
		return protocol.Value{}
	}
	return protocol.Float(f + 0) // there is no -0
}

func (c *Codec) meaning(n uint64) float64 {
	switch c.size {
	case 2:
		return shortest16(uint16(n))
	case 4:
		return Shortest(math.Float32frombits(uint32(n)))
	}
	return math.Float64frombits(n)
}

func (c *Codec) text(p []byte, texts *Texts) (protocol.Value, error) {
	if c.order == BADC {
		p = texts.swapped(p)
	}
	if end := bytes.IndexByte(p, 0); end >= 0 {
		p = p[:end]
	}
	p = bytes.TrimSpace(p)
	switch {
	case len(p) == 0:
		return protocol.Value{}, nil
	case !utf8.Valid(p):
		return protocol.Value{}, protocol.Refuse("utf8", "the text is not UTF-8: %.32x", p)
	}
	return protocol.String(texts.of(p)), nil
}
