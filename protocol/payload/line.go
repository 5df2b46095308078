package payload

import (
	"bytes"
	"slices"
	"unicode/utf8"

	"sluice/protocol"
)

// line is what decoders of one line of text share: named fields, in the order
// in which they stand. An empty field is no value.
type line struct {
	plan
	names  []string // of the fields, "" for one that is not used
	places []int    // of each rule's field
	stamp  int      // the time's field, -1 when there is none
	fields [][]byte // of the line being decoded
}

func newLine(p plan, names []string) line {
	l := line{plan: p, names: names, stamp: -1}
	for i := range p.rules {
		l.places = append(l.places, slices.Index(names, p.rules[i].path.text))
	}
	if p.when != nil {
		l.stamp = slices.Index(names, p.when.path.text)
	}
	return l
}

// trim returns the line of a message without its end.
func trim(payload []byte) ([]byte, *protocol.Refusal) {
	if err := oversized(payload); err != nil {
		return nil, err
	}
	text := bytes.TrimRight(payload, "\r\n")
	if len(bytes.Trim(text, " \t")) == 0 {
		return nil, protocol.Refuse("empty", "the line is empty")
	}
	return text, nil
}

// read appends the reading that the fields hold.
func (l *line) read(b *protocol.Batch, m Message) error {
	r := begin(b, m)
	return l.settle(b, len(b.Readings)-1, l.fill(r, m.Metric))
}

func (l *line) fill(r *protocol.Reading, metric string) *protocol.Refusal {
	if err := l.time(r); err != nil {
		return err
	}
	if len(l.rules) == 0 {
		return l.all(r, metric)
	}
	for i := range l.rules {
		rule := &l.rules[i]
		if metric != "" && rule.name != metric {
			continue
		}
		if err := l.spare(r, l.add(r, rule, l.places[i])); err != nil {
			return err
		}
	}
	return nil
}

// all appends every named field but the time.
func (l *line) all(r *protocol.Reading, metric string) *protocol.Refusal {
	for i, name := range l.names {
		if name == "" || i == l.stamp {
			continue
		}
		if name == unnamed && metric != "" && !slices.Contains(l.names, metric) {
			name = metric
		}
		if err := l.spare(r, l.add(r, &rule{name: name}, i)); err != nil {
			return err
		}
	}
	return nil
}

// add appends the value of a field, if there is one.
func (l *line) add(r *protocol.Reading, rule *rule, field int) *protocol.Refusal {
	text := l.fields[field]
	switch {
	case len(bytes.TrimSpace(text)) == 0:
		return nil
	case !utf8.Valid(text):
		return protocol.Refuse("utf8", "metric %s is not UTF-8: %s", rule.name, excerpt(text))
	}
	return rule.add(r, scalar{kind: bareText, src: text})
}

// time sets the device's time, if there is one.
func (l *line) time(r *protocol.Reading) *protocol.Refusal {
	if l.stamp < 0 || len(bytes.TrimSpace(l.fields[l.stamp])) == 0 {
		return nil
	}
	var err *protocol.Refusal
	r.SourceTime, err = l.when.read(scalar{kind: bareText, src: l.fields[l.stamp]})
	return err
}
