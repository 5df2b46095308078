package payload

import "sluice/protocol"

// format reads one family of payloads, each in a package of its own: it names
// metrics as the family's documents do and gives values as they are meant.
type format interface {
	// Decode appends what message holds to b, without received time. A
	// reading's device is nil, or holds what the message itself says about it.
	// On error, a *protocol.Refusal, b is as it was before.
	Decode(b *protocol.Batch, message []byte) error
}

// refined applies a profile to what a format reads: its metrics are found by
// the names that the format gives them.
type refined struct {
	plan
	format
	fresh   func() format               // makes one for a device, where it remembers something; nil: it does not
	own     map[*protocol.Device]format // by device
	devices identities
	raw     []protocol.Metric // of the reading being refined, as the format gave them
	ordered bool              // raw metrics have the names of the rules and come in their order
	next    int               // then: the rule that was applied last
}

// keptFormats is how many devices have a format of their own.
const keptFormats = 256

func newRefined(p plan, f format) *refined {
	return &refined{plan: p, format: f, devices: newIdentities()}
}

// Decode implements Decoder.
func (d *refined) Decode(b *protocol.Batch, m Message) error {
	if err := oversized(m.Payload); err != nil {
		return err
	}
	first := len(b.Readings)
	if err := d.of(m.Device).Decode(b, m.Payload); err != nil {
		return err
	}
	return d.refine(b, first, m)
}

// of returns the format for the messages of a device.
func (d *refined) of(device *protocol.Device) format {
	if d.fresh == nil {
		return d.format
	}
	if own := d.own[device]; own != nil {
		return own
	}
	if len(d.own) >= keptFormats || d.own == nil {
		d.own = map[*protocol.Device]format{} // more devices than that start over
	}
	own := d.fresh()
	d.own[device] = own
	return own
}

// refine makes readings of what the format appended to b from the first one on.
// A reading that none of the profile's metrics is in goes.
func (d *refined) refine(b *protocol.Batch, first int, m Message) error {
	var err *protocol.Refusal
	for i := first; i < len(b.Readings) && err == nil; i++ {
		r := &b.Readings[i]
		r.Device, r.ReceivedTime = d.devices.of(m.Device, r.Device), m.Received
		err = d.fill(r, m.Metric)
	}
	return d.settle(b, first, err)
}

func (d *refined) fill(r *protocol.Reading, metric string) *protocol.Refusal {
	d.raw = append(d.raw[:0], r.Metrics...)
	r.Metrics = r.Metrics[:0]
	for i := range d.raw {
		at := &d.raw[i]
		if at.Name == unnamed && metric != "" {
			at.Name = metric
		}
		if d.when != nil && at.Name == d.when.path.text {
			if err := d.stamp(r, at.Value); err != nil {
				return err
			}
			continue
		}
		if err := d.apply(r, at, metric); err != nil {
			return err
		}
	}
	return nil
}

// apply appends what the rules make of one raw metric.
func (d *refined) apply(r *protocol.Reading, at *protocol.Metric, metric string) *protocol.Refusal {
	if d.ordered {
		return d.applyNext(r, at)
	}
	taken := false
	for i := range d.rules {
		rule := &d.rules[i]
		if rule.path.text != at.Name {
			continue
		}
		taken = true
		if metric != "" && rule.name != metric {
			continue
		}
		if err := d.spare(r, rule.refine(r, at)); err != nil {
			return err
		}
	}
	if !taken && d.keep {
		r.Metrics = append(r.Metrics, *at)
	}
	return nil
}

// applyNext is apply for a metric that has the name of one of the rules, which
// most often is the one behind the last.
func (d *refined) applyNext(r *protocol.Reading, at *protocol.Metric) *protocol.Refusal {
	for range d.rules {
		if d.next++; d.next >= len(d.rules) {
			d.next = 0
		}
		if rule := &d.rules[d.next]; rule.name == at.Name {
			return d.spare(r, rule.refine(r, at))
		}
	}
	return nil
}

func (d *refined) stamp(r *protocol.Reading, v protocol.Value) *protocol.Refusal {
	if v.IsNull() {
		return nil
	}
	var err *protocol.Refusal
	r.SourceTime, err = d.when.read(scalarOf(v))
	return err
}

// refine converts a raw metric and appends it to r.
func (r *rule) refine(to *protocol.Reading, raw *protocol.Metric) *protocol.Refusal {
	v, ok := r.convert(raw.Value)
	if !ok {
		return protocol.Refuse("type", "metric %s: want %s, found %s", r.name, r.wanted(), excerpt([]byte(raw.Value.String())))
	}
	m := protocol.Metric{Name: r.name, Value: v, Unit: raw.Unit, Quality: max(raw.Quality, r.trust(v))}
	if r.unit != "" {
		m.Unit = r.unit
	}
	to.Metrics = append(to.Metrics, m)
	return nil
}

// convert converts a value to the type of the metric. No value stays none.
func (r *rule) convert(v protocol.Value) (protocol.Value, bool) {
	if v.IsNull() || r.means == nil && r.scaled == nil && (r.kind == protocol.KindNull || r.kind == v.Kind()) {
		return v, true
	}
	return r.value(scalarOf(v))
}

// trust returns the quality of a value that may lie outside what is plausible.
func (r *rule) trust(v protocol.Value) protocol.Quality {
	if n, ok := v.Number(); ok && r.bounds != nil && !(n >= r.bounds[0] && n <= r.bounds[1]) {
		return protocol.Bad
	}
	return protocol.Good
}
