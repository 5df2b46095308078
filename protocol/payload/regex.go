package payload

import (
	"regexp"

	"sluice/protocol"
)

// regexDecoder reads the named groups of a regular expression from one line.
// The line need not be UTF-8 where no group is.
type regexDecoder struct {
	line
	expr *regexp.Regexp
}

// newRegex takes an expression that Validate has found to compile.
func newRegex(p plan, expr string) *regexDecoder {
	re := regexp.MustCompile(expr)
	return &regexDecoder{line: newLine(p, re.SubexpNames()), expr: re}
}

// Decode implements Decoder.
func (d *regexDecoder) Decode(b *protocol.Batch, m Message) error {
	text, bad := trim(m.Payload)
	if bad != nil {
		return bad
	}
	at := d.expr.FindSubmatchIndex(text)
	if at == nil {
		return protocol.Refuse("no_match", "the line does not match: %s", excerpt(text))
	}
	d.fields = d.fields[:0]
	for i := 0; i < len(at); i += 2 {
		if at[i] < 0 { // an alternative that was not taken
			d.fields = append(d.fields, nil)
			continue
		}
		d.fields = append(d.fields, text[at[i]:at[i+1]])
	}
	return d.read(b, m)
}
