package wire

import (
	"errors"
	"slices"
	"strconv"
	"strings"

	"sluice/protocol/payload"
	"sluice/protocol/payload/cayennelpp"
)

// lppKind is a type of the Cayenne Low Power Payload: the part of its metrics'
// names before the channel, and its values.
type lppKind struct {
	name   string
	kind   cayennelpp.Type
	parts  []string // of the name behind the channel; nil: one value
	values []field
}

func lppOne(name string, kind cayennelpp.Type, v field) lppKind {
	v.whole = v.decimals == 0 && kind != cayennelpp.Humidity
	return lppKind{name, kind, nil, []field{v}}
}

func lppThree(name string, kind cayennelpp.Type, parts []string, values ...field) lppKind {
	return lppKind{name, kind, parts, values}
}

var xyz = []string{"x", "y", "z"}

var lppKinds = []lppKind{
	lppOne("digital_input", cayennelpp.DigitalInput, field{high: 1}),
	lppOne("digital_output", cayennelpp.DigitalOutput, field{high: 1}),
	lppOne("analog_input", cayennelpp.AnalogInput, field{high: 10, step: 0.1, decimals: 2}),
	lppOne("analog_output", cayennelpp.AnalogOutput, field{high: 10, step: 0.1, decimals: 2}),
	lppOne("generic", cayennelpp.Generic, field{high: 1e9, step: 3, counter: true}),
	lppOne("luminosity", cayennelpp.Luminosity, field{unit: "lx", high: 2000, step: 25}),
	lppOne("presence", cayennelpp.Presence, field{high: 1}),
	lppOne("temperature", cayennelpp.Temperature, field{unit: "°C", low: 5, high: 35, step: 0.3, decimals: 1}),
	lppOne("humidity", cayennelpp.Humidity, field{unit: "%", low: 20, high: 90, step: 1}),
	lppOne("barometer", cayennelpp.Barometer, field{unit: "hPa", low: 970, high: 1040, step: 0.4, decimals: 1}),
	lppOne("voltage", cayennelpp.Voltage, field{unit: "V", low: 2.9, high: 4.2, step: 0.01, decimals: 2}),
	lppOne("current", cayennelpp.Current, field{unit: "A", high: 32, step: 0.5, decimals: 3}),
	lppOne("frequency", cayennelpp.Frequency, field{unit: "Hz", low: 49, high: 51, step: 1}),
	lppOne("percentage", cayennelpp.Percentage, field{unit: "%", high: 100, step: 1}),
	lppOne("altitude", cayennelpp.Altitude, field{unit: "m", low: 400, high: 460, step: 1}),
	lppOne("concentration", cayennelpp.Concentration, field{unit: "ppm", low: 400, high: 2000, step: 15}),
	lppOne("power", cayennelpp.Power, field{unit: "W", high: 7400, step: 120}),
	lppOne("distance", cayennelpp.Distance, field{unit: "m", high: 4, step: 0.02, decimals: 3}),
	lppOne("energy", cayennelpp.Energy, field{unit: "kWh", high: 4e6, step: 0.01, decimals: 3, counter: true}),
	lppOne("direction", cayennelpp.Direction, field{unit: "°", high: 359, step: 5}),
	lppOne("switch", cayennelpp.Switch, field{high: 1}),
	lppThree("accelerometer", cayennelpp.Accelerometer, xyz, lppAxis("g", 2, 3), lppAxis("g", 2, 3), lppAxis("g", 2, 3)),
	lppThree("gyrometer", cayennelpp.Gyrometer, xyz, lppAxis("°/s", 50, 2), lppAxis("°/s", 50, 2), lppAxis("°/s", 50, 2)),
	lppThree("colour", cayennelpp.Colour, []string{"red", "green", "blue"}, lppByte, lppByte, lppByte),
	lppThree("gps", cayennelpp.GPS, []string{"latitude", "longitude", "altitude"},
		field{unit: "°", low: 47.3, high: 47.5, step: 0.0002, decimals: 4}, field{unit: "°", low: 8.4, high: 8.6, step: 0.0002, decimals: 4},
		field{unit: "m", low: 400, high: 460, step: 0.3, decimals: 2}),
}

func lppAxis(unit string, most float64, decimals int) field {
	return field{unit: unit, low: -most, high: most, step: most / 50, decimals: decimals}
}

var lppByte = field{high: 255, step: 5, whole: true}

// lppEntry is a type on a channel, and the slot of its first value.
type lppEntry struct {
	*lppKind
	channel int
	slot    int
}

// cayenne gives f the slots and the layout of a message in which each metric of
// the profile stands, or a few where it lists none.
func (f *Form) cayenne(p *payload.Profile, only string) error {
	by := readers{p, only}
	names := by.names("")
	if len(p.Metrics) == 0 {
		names = nil
	}
	if by.keeps() {
		names = append(names, "temperature_1", "humidity_2", "analog_input_3", "presence_4")
	}
	l := &lppLayout{}
	var list []field
	for _, name := range names {
		e, ok := lppEntryOf(name)
		if !ok || slices.ContainsFunc(l.entries, func(o lppEntry) bool { return o.lppKind == e.lppKind && o.channel == e.channel }) {
			continue
		}
		e.slot = len(list)
		l.entries = append(l.entries, e)
		list = append(list, e.fields()...)
	}
	if len(list) == 0 {
		return errors.New("no metric is called as those of Cayenne LPP, such as temperature_1")
	}
	if p.Decode.CayenneLPP.Time {
		if err := f.ownClock(p, "unix", true); err != nil {
			return err
		}
		var err error
		if f.stamps, err = by.of(lppTime); err != nil {
			return err
		}
		for i := range f.stamps {
			t := &f.stamps[i]
			t.whole = t.means == nil
			if t.unit == "" {
				t.unit = "s"
			}
		}
	}
	f.layout = l
	return f.fields(p, list, only)
}

// lppTime is the metric of the value that is the device's time.
const lppTime = "unixtime_0"

// lppEntryOf returns the type and the channel of a metric's name.
func lppEntryOf(name string) (lppEntry, bool) {
	for i := range lppKinds {
		k := &lppKinds[i]
		rest, ok := strings.CutPrefix(name, k.name+"_")
		if !ok {
			continue
		}
		number, part, _ := strings.Cut(rest, "_")
		channel, err := strconv.Atoi(number)
		fits := part == "" && k.parts == nil || slices.Contains(k.parts, part)
		if err == nil && channel >= 0 && channel <= 255 && strconv.Itoa(channel) == number && fits {
			return lppEntry{lppKind: k, channel: channel}, true
		}
	}
	return lppEntry{}, false
}

// fields returns the values of an entry with the names of their metrics.
func (e lppEntry) fields() []field {
	list := slices.Clone(e.values)
	for i := range list {
		list[i].name = e.name + "_" + strconv.Itoa(e.channel)
		if e.parts != nil {
			list[i].name += "_" + e.parts[i]
		}
	}
	return list
}

type lppLayout struct{ entries []lppEntry }

func (l *lppLayout) compose(dst []byte, m *message) ([]byte, bool) {
	if m.time != "" {
		seconds, _ := strconv.ParseFloat(m.time, 64)
		dst = cayennelpp.Append(dst, 0, cayennelpp.UnixTime, seconds)
	}
	for _, e := range l.entries {
		var values []float64
		for i := range e.values {
			v, _ := strconv.ParseFloat(m.texts[e.slot+i], 64) // digits and a point
			values = append(values, v)
		}
		dst = cayennelpp.Append(dst, byte(e.channel), e.kind, values...)
	}
	return dst, true
}
