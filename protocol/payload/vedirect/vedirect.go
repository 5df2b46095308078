// Package vedirect reads and writes the text blocks of VE.Direct, which
// Victron's battery monitors, solar chargers and inverters send every second.
//
//	\r\nPID\t0xA053\r\nV\t12540\r\nI\t40 … \r\nChecksum\t?    all bytes add up to 0 mod 256
package vedirect

import (
	"bytes"
	"fmt"
	"unicode/utf8"

	"sluice/protocol"
	"sluice/protocol/payload/plain"
)

const (
	maxBlock = 4096 // bytes; devices send up to 22 fields of at most 43 bytes
	maxLabel = 32
)

// lineEnd is the sum of the CR LF that a block begins with.
const lineEnd = '\r' + '\n'

// Config says how blocks are read.
type Config struct {
	Checksum string `yaml:"checksum"` // required, or optional (default): a block without one, as MQTT may carry it, is read too
}

// DefaultConfig returns the settings that hold where none are given.
func DefaultConfig() Config { return Config{Checksum: "optional"} }

// Validate reports what is wrong with c.
func (c *Config) Validate(report func(field, problem string)) {
	if c.Checksum != "" && c.Checksum != "required" && c.Checksum != "optional" {
		report("checksum", fmt.Sprintf("is %q, want required or optional", c.Checksum))
	}
}

// Decoder reads text blocks. It is owned by one goroutine.
type Decoder struct {
	strict  bool
	known   map[string]*Label
	words   plain.Words
	scratch []byte
}

// New returns a Decoder for c.
func New(c Config) *Decoder {
	d := &Decoder{strict: c.Checksum == "required", known: map[string]*Label{}}
	for i := range labels {
		d.known[labels[i].Label] = &labels[i]
	}
	return d
}

// Decode appends the block in message to b as one reading. Metrics are named by
// the labels, such as "VPV"; Labels has words for them. Numbers are the integers
// that the device sends, with their unit where it is one (mV, mA, W) and none
// where the profile has to scale it (0.01 kWh); ON and OFF are bools; bit fields
// and product numbers, which are sent as 0x…, are integers; serial numbers,
// models and firmware versions are texts. "---" is no value, nor is a time to go
// of -1, which means for ever. Of a label that stands twice the first one counts.
//
// The checksum is verified when there is one. The CR LF that a block begins
// with may be missing, and HEX records inside it are left out.
//
// The error is a *protocol.Refusal, and b is as it was.
func (d *Decoder) Decode(b *protocol.Batch, message []byte) error {
	fields, refusal := d.open(message)
	if refusal != nil {
		return refusal
	}
	kept := len(b.Readings)
	if refusal := d.read(b.Add(), fields); refusal != nil {
		b.Readings = b.Readings[:kept]
		return refusal
	}
	return nil
}

// open checks the sum of a block and returns its fields.
func (d *Decoder) open(message []byte) ([]byte, *protocol.Refusal) {
	if len(message) > maxBlock {
		return nil, protocol.Refuse("size", "block of %d bytes, want at most %d", len(message), maxBlock)
	}
	text := bytes.TrimLeft(d.withoutRecords(message), "\r\n")
	fields, sum, ok := bytes.Cut(text, []byte("\nChecksum\t"))
	switch {
	case len(text) == 0:
		return nil, protocol.Refuse("empty", "there is no block")
	case bytes.HasPrefix(text, []byte("Checksum\t")):
		return nil, protocol.Refuse("missing", "the block holds no field")
	case !ok && d.strict:
		return nil, protocol.Refuse("checksum", "the block has none")
	case !ok:
		return bytes.TrimRight(text, " \r\n\x00"), nil
	case len(sum) == 0:
		return nil, protocol.Refuse("checksum", "the block ends where its checksum should stand")
	case len(bytes.Trim(sum[1:], "\r\n")) > 0:
		return nil, protocol.Refuse("syntax", "behind the checksum stands %q", excerpt(sum[1:]))
	}
	total := byte(lineEnd)
	for _, c := range text[:len(text)-len(sum)+1] {
		total += c
	}
	if total != 0 {
		return nil, protocol.Refuse("checksum", "the block adds up to %d, want 0", total)
	}
	return fields, nil
}

// withoutRecords returns message without its HEX records, which begin with a
// colon, end with LF and may stand anywhere. The checksum may be a colon too.
func (d *Decoder) withoutRecords(message []byte) []byte {
	colon := bytes.IndexByte(message, ':')
	if colon < 0 {
		return message
	}
	d.scratch = append(d.scratch[:0], message[:colon]...)
	for rest := message[colon:]; len(rest) > 0; {
		n := record(rest)
		if n == 0 || bytes.HasSuffix(d.scratch, []byte("\nChecksum\t")) {
			d.scratch = append(d.scratch, rest[0])
			n = 1
		}
		rest = rest[n:]
	}
	return d.scratch
}

// record returns the length of the HEX record that p begins with, 0 when it
// begins with none.
func record(p []byte) int {
	if p[0] != ':' {
		return 0
	}
	for i, c := range p[1:] {
		if _, ok := plain.HexDigit(c); !ok {
			if c != '\n' || i == 0 {
				return 0
			}
			return i + 2
		}
	}
	return 0
}

// read sets r to the fields.
func (d *Decoder) read(r *protocol.Reading, fields []byte) *protocol.Refusal {
	d.words.Next()
	for more := true; more; {
		var line []byte
		line, fields, more = bytes.Cut(fields, []byte{'\n'})
		line = bytes.TrimSuffix(line, []byte{'\r'})
		label, text, ok := bytes.Cut(line, []byte{'\t'})
		if !ok || len(label) == 0 || len(label) > maxLabel || !isText(label) {
			return protocol.Refuse("syntax", "want a label, a tab and a value, found %q", excerpt(line))
		}
		if refusal := d.field(r, label, bytes.Trim(text, " ")); refusal != nil {
			return refusal
		}
	}
	if len(r.Metrics) == 0 {
		return protocol.Refuse("missing", "the block holds no value")
	}
	return nil
}

// field adds a field.
func (d *Decoder) field(r *protocol.Reading, label, text []byte) *protocol.Refusal {
	if len(text) == 0 || string(text) == "---" {
		return nil
	}
	at := d.known[string(label)]
	if at == nil {
		at = &unknown
	}
	if !utf8.Valid(text) {
		return protocol.Refuse("utf8", "%s is %q", label, excerpt(text))
	}
	value, ok := at.kind.value(&d.words, text)
	switch {
	case !ok || !isText(text):
		return protocol.Refuse("syntax", "%s is %q, want %s", label, excerpt(text), at.kind.wanted())
	case at.kind == minutes && value.Int() < 0:
		return nil
	}
	if name, fresh := d.words.Use(label); fresh {
		r.Metrics = append(r.Metrics, protocol.Metric{Name: name, Value: value, Unit: at.Sent})
	}
	return nil
}

// isText reports whether text is UTF-8 without control characters.
func isText(text []byte) bool {
	return utf8.Valid(text) && bytes.IndexFunc(text, func(r rune) bool { return r < ' ' || r == 0x7f }) < 0
}

// excerpt cuts text to what an error may quote.
func excerpt(text []byte) []byte { return text[:min(len(text), 32)] }

// Field is a label and its value as they are sent.
type Field struct{ Label, Value string }

// AppendBlock appends a block of fields with its checksum to dst. Neither labels
// nor values hold control characters or colons.
func AppendBlock(dst []byte, fields ...Field) []byte {
	first := len(dst)
	for _, f := range fields {
		dst = append(append(append(append(dst, "\r\n"...), f.Label...), '\t'), f.Value...)
	}
	dst = append(dst, "\r\nChecksum\t"...)
	sum := byte(0)
	for _, c := range dst[first:] {
		sum += c
	}
	return append(dst, -sum)
}
