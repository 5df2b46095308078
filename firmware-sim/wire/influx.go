package wire

import (
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"

	"sluice/protocol"
	"sluice/protocol/payload"
	"sluice/protocol/payload/lineproto"
)

// influx gives f the slots and the layout of a line of InfluxDB's line protocol.
func (f *Form) influx(name string, p *payload.Profile, only string) error {
	c := *p.Decode.Influx
	format, whole := "unix_ns", false
	switch c.Precision {
	case "us":
		format = "unix_us"
	case "ms":
		format = "unix_ms"
	case "s":
		format, whole = "unix", true
	}
	if err := f.ownClock(p, format, whole); err != nil {
		return err
	}
	l := &influxLayout{measurement: measurement(name), device: c.Device}
	p = l.prefixed(p, c)
	if err := f.records(name, p, only); err != nil {
		return err
	}
	f.slots = l.prepend(f.slots)
	l.slots = f.slots
	if c.Measurement == "" || c.Measurement == "tag" {
		f.tags = func(string) []protocol.Tag { return []protocol.Tag{{Key: "measurement", Value: l.measurement}} }
	}
	f.layout = l
	return nil
}

// measurement returns the name of a profile as a measurement.
func measurement(profile string) string {
	name := regexp.MustCompile(`[^A-Za-z0-9]+`).ReplaceAllString(path.Base(profile), "")
	if name == "" {
		return "device"
	}
	return name
}

// prefixed chooses the measurement where it stands in front of the metrics'
// names: the first one that the profile mentions. It returns the profile for the
// fields of that measurement.
func (l *influxLayout) prefixed(p *payload.Profile, c lineproto.Config) *payload.Profile {
	if c.Measurement != "prefix" {
		return p
	}
	own := *p
	own.Metrics = map[string]payload.Metric{}
	for _, name := range slices.Sorted(maps.Keys(p.Metrics)) {
		m := p.Metrics[name]
		if m.Path == "" {
			m.Path = name
		}
		before, _, ok := strings.Cut(m.Path, "_")
		if ok && len(own.Metrics) == 0 {
			l.measurement = before
		}
		if ok && before == l.measurement {
			own.Metrics[name] = m
		}
	}
	l.prefix = l.measurement + "_"
	return &own
}

// prepend puts the prefix in front of the names that were invented.
func (l *influxLayout) prepend(slots []Slot) []Slot {
	has := func(name string) bool { return slices.ContainsFunc(slots, func(s Slot) bool { return s.Name == name }) }
	var own []Slot
	for _, s := range slots {
		if !strings.HasPrefix(s.Name, l.prefix) {
			if has(l.prefix + s.Name) {
				continue
			}
			s.Name = l.prefix + s.Name
			s.targets[0].name = s.Name
		}
		own = append(own, s)
	}
	return own
}

// influxLayout writes measurement, device, fields and time.
type influxLayout struct {
	slots       []Slot
	measurement string
	prefix      string // of the metrics' names, "" for none
	device      string // the tag that names the device, "" for none
}

// Characters that take a backslash in names and in texts.
var (
	influxNames = strings.NewReplacer(",", `\,`, "=", `\=`, " ", `\ `)
	influxTexts = strings.NewReplacer(`"`, `\"`, `\`, `\\`)
)

func (l *influxLayout) compose(dst []byte, m *message) ([]byte, bool) {
	dst = append(dst, l.measurement...)
	if l.device != "" && m.device != "" {
		dst = append(append(dst, ','), influxNames.Replace(l.device)...)
		dst = append(append(dst, '='), influxNames.Replace(m.device)...)
	}
	separator := byte(' ')
	for i := range l.slots {
		dst = append(dst, separator)
		separator = ','
		dst = append(append(dst, influxNames.Replace(strings.TrimPrefix(l.slots[i].Name, l.prefix))...), '=')
		if l.slots[i].shown == Word {
			dst = append(append(append(dst, '"'), influxTexts.Replace(m.texts[i])...), '"')
		} else {
			dst = append(dst, m.texts[i]...)
		}
	}
	return append(append(dst, ' '), m.time...), true
}
