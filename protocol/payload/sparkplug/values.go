package sparkplug

import "sluice/protocol"

// stamped is a value with what stands around it.
type stamped struct {
	raw
	datatype   DataType
	unit       string
	quality    protocol.Quality
	ms         uint64 // its time since 1970, 0: none
	historical bool
}

// metrics appends the values of a message's metrics.
func (d *Decoder) metrics(m *message, birth bool) *protocol.Refusal {
	for f := (fields{left: m.src}); f.member(2); {
		if err := d.metric(f.text, "", stamped{ms: d.time}, birth); err != nil {
			return err
		}
	}
	return nil
}

// metric appends the values of a metric, or of a member of a template whose
// name goes before its own. What it does not state itself it has from around.
func (d *Decoder) metric(src []byte, before string, around stamped, birth bool) *protocol.Refusal {
	var r rawMetric
	switch d.found++; {
	case d.found > maxMetrics:
		return protocol.Refuse("size", "more than %d metrics", maxMetrics)
	case !r.parse(src):
		return protocol.Refuse("syntax", "metric is not well-formed")
	}
	m, err := d.identify(&r, before, birth)
	if err != nil {
		return err
	}
	v := stamped{raw: r.value, unit: m.unit, ms: around.ms, historical: around.historical || r.historical, quality: around.quality}
	if r.stamp != 0 {
		v.ms = r.stamp
	}
	if len(r.properties) > 0 {
		if err := v.describe(m, r.properties); err != nil {
			return err
		}
	}
	switch {
	case m.name == bdSeq && birth && !d.source.device:
		d.node.bdSeq, d.node.hasBdSeq = r.value.num, r.value.part == intPart || r.value.part == longPart
	case m.hidden:
	case r.null || r.value.part == noPart:
		m.shown = m.shown || birth && !m.datatype.composed()
	default:
		v.datatype = m.datatype
		return d.value(m, &v, birth)
	}
	return nil
}

// identify returns the metric that r is of. Its type is known unless the value
// shows it.
func (d *Decoder) identify(r *rawMetric, before string, birth bool) (*metric, *protocol.Refusal) {
	s := d.source
	if len(r.name) == 0 {
		return d.aliased(r)
	}
	name := r.name
	if before != "" {
		d.name = append(append(append(d.name[:0], before...), '_'), r.name...)
		name = d.name
	}
	m, err := s.learn(name)
	switch {
	case err != nil:
		return nil, err
	case birth && (s.names[m.name] != m || r.hasAlias && !s.alias(r.alias, m)):
		return nil, protocol.Refuse("size", "%s has more metrics or aliases than are kept", s.identity.Name)
	}
	if r.datatype != Unknown {
		m.datatype = r.datatype
	}
	if m.datatype == Unknown && (r.value.part == intPart || r.value.part == longPart) && !m.hidden {
		d.ask()
		return nil, protocol.Refuse("sequence", "metric %s states no type, and no birth has", m.name)
	}
	return m, nil
}

// aliased returns the metric of r, which states no name.
func (d *Decoder) aliased(r *rawMetric) (*metric, *protocol.Refusal) {
	if !r.hasAlias {
		return nil, protocol.Refuse("syntax", "metric has neither name nor alias")
	}
	m := d.source.aliases[r.alias]
	switch {
	case m == nil:
		d.distrust()
		return nil, protocol.Refuse("sequence", "no birth of %s has told what alias %d stands for", d.source.identity.Name, r.alias)
	case r.datatype == Unknown || r.datatype == m.datatype:
	case d.node.missed:
		d.distrust()
		return nil, protocol.Refuse("sequence", "alias %d is %v and was born as %v %s", r.alias, r.datatype, m.datatype, m.name)
	default:
		m.datatype = r.datatype
	}
	return m, nil
}

// distrust is for a message that does not fit the birth: when messages are
// missing, a newer birth is among them.
func (d *Decoder) distrust() {
	if d.node.missed {
		d.node.doubt()
	}
	d.ask()
}

// value appends the values that v holds for m.
func (d *Decoder) value(m *metric, v *stamped, birth bool) *protocol.Refusal {
	switch {
	case v.part == dataSetPart && (v.datatype == DataSet || v.datatype == Unknown):
		return d.dataSet(m, *v)
	case v.part == templatePart && (v.datatype == Template || v.datatype == Unknown):
		return d.template(m, *v, birth)
	case v.part == bytesPart && v.datatype.element() != Unknown:
		return d.array(m, *v)
	}
	return d.scalar(m, v)
}

// scalar appends the one value that v is.
func (d *Decoder) scalar(m *metric, v *stamped) *protocol.Refusal {
	to, err := d.reading(v.ms, v.historical)
	if err != nil {
		return err
	}
	value, fits, err := v.convert(m)
	switch {
	case err != nil:
		return err
	case !fits && d.node.missed:
		d.distrust()
		return protocol.Refuse("sequence", "metric %s holds no %v, as it was born", m.name, v.datatype)
	case !fits:
		return protocol.Refuse("type", "metric %s holds no %v", m.name, v.datatype)
	case v.datatype == DateTime && v.unit == "":
		v.unit = "ms"
	}
	if v.beyond() {
		v.quality = max(v.quality, protocol.Uncertain)
	}
	return d.put(to, m, protocol.Metric{Name: m.name, Value: value, Unit: v.unit, Quality: v.quality})
}

// reading returns the number of the reading of a time. There is one for each.
func (d *Decoder) reading(ms uint64, historical bool) (int, *protocol.Refusal) {
	at, err := timestamp(ms)
	if err != nil {
		return 0, err
	}
	all := d.batch.Readings
	if i := d.current; i >= 0 && all[i].SourceTime == at && all[i].Historical == historical {
		return i, nil
	}
	for i := d.first; i < len(all); i++ {
		if all[i].SourceTime == at && all[i].Historical == historical {
			d.current = i
			return i, nil
		}
	}
	r := d.batch.Add()
	r.Device, r.SourceTime, r.Historical = d.source.identity, at, historical
	d.current = len(all)
	return d.current, nil
}

// put appends a metric to the reading with number to, or replaces its value
// there.
func (d *Decoder) put(to int, m *metric, v protocol.Metric) *protocol.Refusal {
	r := &d.batch.Readings[to]
	if m.turn == d.turn {
		if m.reading == to {
			r.Metrics[m.at] = v
			return nil
		}
		for i := range r.Metrics {
			if r.Metrics[i].Name == v.Name {
				r.Metrics[i] = v
				return nil
			}
		}
	}
	if d.count == maxMetrics {
		return protocol.Refuse("size", "more than %d metrics", maxMetrics)
	}
	d.count++
	m.turn, m.reading, m.at, m.shown = d.turn, to, len(r.Metrics), true
	r.Metrics = append(r.Metrics, v)
	return nil
}
