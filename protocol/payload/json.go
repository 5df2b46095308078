package payload

import (
	"strconv"

	"sluice/protocol"
)

// jsonDecoder reads JSON: the metrics that the profile lists, or every scalar
// there is.
type jsonDecoder struct {
	plan
	doc     document
	names   *names
	name    []byte // of the value being looked at, while walking
	scratch []byte // the text of the value being looked at
}

// Decode implements Decoder.
func (d *jsonDecoder) Decode(b *protocol.Batch, m Message) error {
	if err := oversized(m.Payload); err != nil {
		return err
	}
	d.name, d.scratch = again(d.name), again(d.scratch)
	if err := d.doc.parse(m.Payload); err != nil {
		return err
	}
	r := begin(b, m)
	return finish(b, r, d.fill(r, m.Metric))
}

func (d *jsonDecoder) fill(r *protocol.Reading, metric string) *protocol.Refusal {
	stamped, err := d.time(r)
	if err != nil {
		return err
	}
	switch {
	case len(d.rules) == 0:
		return d.all(r, stamped, metric)
	case !d.doc.holds(0):
		return d.bare(r, metric)
	}
	rules := d.listed(metric)
	for i := range rules {
		n := d.doc.find(&rules[i].path)
		if err := d.add(r, &rules[i], n); err != nil {
			return err
		}
	}
	return nil
}

// time sets the device's time and returns its node, -1 when there is none.
func (d *jsonDecoder) time(r *protocol.Reading) (int, *protocol.Refusal) {
	if d.when == nil {
		return -1, nil
	}
	n := d.doc.find(&d.when.path)
	if n < 0 || d.doc.nodes[n].kind == nullNode {
		return n, nil
	}
	if k := d.doc.nodes[n].kind; k != textNode && k != numberNode {
		return n, protocol.Refuse("time", "want a number or a text, found %s", excerpt(d.doc.source(n)))
	}
	var err *protocol.Refusal
	r.SourceTime, err = d.when.read(d.scalar(n))
	return n, err
}

// bare reads a message that is one value, for the listed metric of its name.
func (d *jsonDecoder) bare(r *protocol.Reading, metric string) *protocol.Refusal {
	if metric == "" {
		metric = unnamed
	}
	if rules := d.listed(metric); len(rules) == 1 {
		return d.add(r, &rules[0], 0)
	}
	return nil
}

// add appends the value at node n, if there is one.
func (d *jsonDecoder) add(r *protocol.Reading, rule *rule, n int) *protocol.Refusal {
	switch {
	case n < 0 || d.doc.nodes[n].kind == nullNode:
		return nil
	case d.doc.holds(n):
		return protocol.Refuse("type", "metric %s: want one value, found %s", rule.name, excerpt(d.doc.source(n)))
	}
	return rule.add(r, d.scalar(n))
}

// all appends every scalar but the time.
func (d *jsonDecoder) all(r *protocol.Reading, stamped int, metric string) *protocol.Refusal {
	if metric == "" {
		metric = unnamed
	}
	d.names.next()
	return d.walk(r, 0, stamped, metric)
}

// walk appends what node n holds. d.name is the name of n, and as it was when
// walk returns. A value without a name of its own is called byDefault.
func (d *jsonDecoder) walk(r *protocol.Reading, n, stamped int, byDefault string) *protocol.Refusal {
	at := d.doc.nodes[n]
	switch {
	case n == stamped || at.kind == nullNode:
		return nil
	case !d.doc.holds(n):
		return d.leaf(r, n, byDefault)
	}
	outer := len(d.name)
	for i, index := n+1, 0; i < int(at.next); index++ {
		if n > 0 {
			d.name = append(d.name, '_')
		}
		if at.kind == objectNode {
			d.name = d.doc.appendText(d.name, i)
			i++
		} else {
			d.name = strconv.AppendInt(d.name, int64(index), 10)
		}
		if err := d.walk(r, i, stamped, byDefault); err != nil {
			return err
		}
		d.name = d.name[:outer]
		i = int(d.doc.nodes[i].next)
	}
	return nil
}

// leaf appends the scalar at node n. Of two that have the same name the first
// one counts.
func (d *jsonDecoder) leaf(r *protocol.Reading, n int, byDefault string) *protocol.Refusal {
	if len(d.name) == 0 || string(d.name) == unnamed {
		d.name = append(d.name[:0], byDefault...)
	}
	if len(d.name) > maxName {
		return protocol.Refuse("size", "name of %d bytes, want at most %d: %s", len(d.name), maxName, excerpt(d.name))
	}
	name, fresh := d.names.use(d.name)
	if !fresh {
		return nil
	}
	if len(r.Metrics) == maxMetrics {
		return protocol.Refuse("size", "more than %d metrics", maxMetrics)
	}
	free := rule{name: name}
	return free.add(r, d.scalar(n))
}

// scalar returns the value at node n, which is valid until the next one.
func (d *jsonDecoder) scalar(n int) scalar {
	at := &d.doc.nodes[n]
	if !at.escaped {
		return scalar{at.kind, d.doc.src[at.start:at.end]}
	}
	d.scratch = d.doc.appendText(d.scratch[:0], n)
	return scalar{textNode, d.scratch}
}
