package payload

import (
	"bytes"
	"unicode/utf8"

	"sluice/protocol"
)

// valueDecoder reads a message that is one value in plain text. A metric called
// "*" in the profile is the rule for all that have none of their own.
type valueDecoder struct{ plan }

// Decode implements Decoder.
func (d *valueDecoder) Decode(b *protocol.Batch, m Message) error {
	if err := oversized(m.Payload); err != nil {
		return err
	}
	text := bytes.TrimSpace(m.Payload)
	switch {
	case len(text) == 0:
		return protocol.Refuse("empty", "the message is empty")
	case !utf8.Valid(text):
		return protocol.Refuse("utf8", "the message is not UTF-8")
	}
	r := begin(b, m)
	return d.settle(b, len(b.Readings)-1, d.fill(r, plainScalar(unquoted(text)), m.Metric))
}

func (d *valueDecoder) fill(r *protocol.Reading, s scalar, metric string) *protocol.Refusal {
	if metric == "" {
		metric = unnamed
	}
	rule, ok := d.ruleOf(metric)
	switch {
	case !ok:
		return nil
	case s.src[0] == '{' || s.src[0] == '[':
		return protocol.Refuse("kind", "want one value, found %s", excerpt(s.src))
	}
	if rule.kind != protocol.KindString && isNothing(s.src) {
		return protocol.Refuse("missing", "metric %s is %s, which is no value", metric, s.src)
	}
	return rule.add(r, s)
}

// ruleOf returns the rule for a metric: its own, that of "*" for all others, or
// none that changes anything.
func (d *valueDecoder) ruleOf(metric string) (r rule, ok bool) {
	for _, name := range [...]string{metric, "*"} {
		if at := d.listed(name); len(at) == 1 {
			r, ok = at[0], true
			break
		}
	}
	r.name = metric
	return r, ok || d.keep
}

// nothings are the words that devices send when a sensor gives no value.
var nothings = [...]string{"nan", "null", "none", "unavailable", "unknown"}

// isNothing reports whether a text says that there is no value. A metric of
// type string takes such a word as it is.
func isNothing(text []byte) bool {
	for _, word := range nothings {
		if bytes.EqualFold(text, []byte(word)) {
			return true
		}
	}
	return false
}

// unquoted takes away the quotes that some devices put around a text.
func unquoted(text []byte) []byte {
	if n := len(text); n >= 2 && text[0] == '"' && text[n-1] == '"' && !bytes.ContainsAny(text[1:n-1], `"\`) {
		return text[1 : n-1]
	}
	return text
}
