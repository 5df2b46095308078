package payload

import (
	"bytes"

	"sluice/protocol"
)

// csvDecoder reads separated values from one line. A field may stand in double
// quotes and then hold the separator, and a quote as two quotes; blanks around
// a field do not count, and fields after the last column are not looked at.
type csvDecoder struct {
	line
	separator string // " ": any run of blanks
	blanks    string // the characters that do not count around a field
	scratch   []byte // holds fields that had quotes inside
}

func newCSV(p plan, c *CSV) *csvDecoder {
	d := &csvDecoder{line: newLine(p, c.Columns), separator: c.separator(), blanks: " \t"}
	if d.separator == "\t" {
		d.blanks = " "
	}
	return d
}

func (c *CSV) separator() string {
	if c.Separator == "" {
		return ","
	}
	return c.Separator
}

// Decode implements Decoder.
func (d *csvDecoder) Decode(b *protocol.Batch, m Message) error {
	text, err := trim(m.Payload)
	if err != nil {
		return err
	}
	if bytes.ContainsAny(text, "\r\n") {
		return protocol.Refuse("syntax", "want one line, found more")
	}
	if err := d.split(text); err != nil {
		return err
	}
	return d.read(b, m)
}

// split sets the fields of the line.
func (d *csvDecoder) split(text []byte) *protocol.Refusal {
	d.fields, d.scratch = d.fields[:0], again(d.scratch)
	for more := true; len(d.fields) < len(d.names); {
		if !more {
			return protocol.Refuse("missing", "want %d columns, found %d", len(d.names), len(d.fields))
		}
		field, rest, ok := d.field(bytes.TrimLeft(text, d.blanks))
		if ok {
			text, more, ok = d.next(rest)
		}
		if !ok {
			return protocol.Refuse("syntax", "column %d: bad quotes", len(d.fields)+1)
		}
		d.fields = append(d.fields, field)
	}
	return nil
}

// field reads the field at the beginning of text, and false when its quotes do
// not close.
func (d *csvDecoder) field(text []byte) (field, rest []byte, ok bool) {
	if len(text) > 0 && text[0] == '"' {
		return d.quoted(text[1:])
	}
	end := bytes.Index(text, []byte(d.separator))
	if d.separator == " " {
		end = bytes.IndexAny(text, d.blanks)
	}
	if end < 0 {
		end = len(text)
	}
	return bytes.TrimRight(text[:end], d.blanks), text[end:], true
}

// quoted reads a field up to its closing quote.
func (d *csvDecoder) quoted(text []byte) (field, rest []byte, ok bool) {
	first := len(d.scratch)
	for {
		end := bytes.IndexByte(text, '"')
		if end < 0 {
			return nil, nil, false
		}
		if end+1 == len(text) || text[end+1] != '"' {
			d.scratch = append(d.scratch, text[:end]...)
			return d.scratch[first:len(d.scratch):len(d.scratch)], text[end+1:], true
		}
		d.scratch = append(d.scratch, text[:end+1]...)
		text = text[end+2:]
	}
}

// next steps over the separator after a field, and reports whether another
// field follows. It is false when something else stands there.
func (d *csvDecoder) next(text []byte) (rest []byte, more, ok bool) {
	rest = bytes.TrimLeft(text, d.blanks)
	if len(rest) == 0 {
		return nil, false, true
	}
	if d.separator == " " {
		return rest, true, len(rest) < len(text)
	}
	rest, ok = bytes.CutPrefix(rest, []byte(d.separator))
	return rest, true, ok
}
