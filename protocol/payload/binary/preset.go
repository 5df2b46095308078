package binary

import (
	"slices"

	"sluice/protocol"
	"sluice/protocol/binary"
)

// preset is a sensor whose datasheet is known.
type preset struct {
	name   string
	length int
	header string
	tail   string
	sum    *Checksum
	unwrap func(d *Decoder, b *protocol.Batch, message []byte) error // nil: a message is one frame
	fields []value
}

// value is a metric of a preset.
type value struct {
	name   string
	unit   string
	exp    int // of the power of ten that the sensor counts in
	offset int64
	binary.Field
}

// Presets returns the names that Config.Preset may have, sorted.
func Presets() []string {
	names := make([]string, len(presets))
	for i := range presets {
		names[i] = presets[i].name
	}
	slices.Sort(names)
	return names
}

func presetOf(name string) (preset, bool) {
	i := slices.IndexFunc(presets, func(p preset) bool { return p.name == name })
	if i < 0 {
		return preset{}, false
	}
	return presets[i], true
}

// presets are the sensors, as their datasheets describe them.
var presets = []preset{
	{name: "mcu680", length: 20, header: "ZZ\x3f\x0f", sum: atEnd("sum8"), fields: []value{
		signed(4, "temperature", "°C", -2), word(6, "humidity", "%", -2),
		{name: "pressure", unit: "hPa", exp: -2, Field: binary.Field{At: 8, Type: "uint24"}},
		{name: "iaq_accuracy", Field: binary.Field{At: 11, Type: "uint16", Bits: "12-15"}},
		{name: "iaq", Field: binary.Field{At: 11, Type: "uint16", Bits: "0-11"}},
		{name: "gas_resistance", unit: "Ω", Field: binary.Field{At: 13, Type: "uint32"}},
		signed(17, "altitude", "m", 0),
	}},
	{name: "mhz19", length: 9, header: "\xff\x86", sum: &Checksum{Name: "sum8-complement", From: 1}, fields: []value{
		word(2, "co2", "ppm", 0),
		// The datasheet is silent about this byte, and its examples have 0
		// in it; sensors send the temperature.
		{name: "temperature", unit: "°C", offset: -40, Field: binary.Field{At: 4, Type: "uint8", Missing: []string{"0"}}},
	}},
	{name: "pms1003", length: 32, header: "BM\x00\x1c", sum: atEnd("sum16"), fields: plantower(6)},
	{name: "pms3003", length: 24, header: "BM\x00\x14", sum: atEnd("sum16"), fields: masses()},
	{name: "pms5003", length: 32, header: "BM\x00\x1c", sum: atEnd("sum16"), fields: plantower(6)},
	{name: "pms5003s", length: 32, header: "BM\x00\x1c", sum: atEnd("sum16"), fields: plantower(6, word(28, "formaldehyde", "mg/m³", -3))},
	{name: "pms5003st", length: 40, header: "BM\x00\x24", sum: atEnd("sum16"), fields: plantower(6, word(28, "formaldehyde", "mg/m³", -3),
		signed(30, "temperature", "°C", -1), word(32, "humidity", "%", -1), single(37, "error_code"))},
	{name: "pms5003t", length: 32, header: "BM\x00\x1c", sum: atEnd("sum16"), fields: plantower(4,
		signed(24, "temperature", "°C", -1), word(26, "humidity", "%", -1), single(29, "error_code"))},
	{name: "pms7003", length: 32, header: "BM\x00\x1c", sum: atEnd("sum16"), fields: plantower(6, single(29, "error_code"))},
	{name: "pmsa003", length: 32, header: "BM\x00\x1c", sum: atEnd("sum16"), fields: plantower(6, single(29, "error_code"))},
	nova("sds011", "\xaa\xc0", little(2, "pm2_5", -1), little(4, "pm10", -1)),
	nova("sds018", "\xaa\xc0", little(2, "pm2_5", -1), little(4, "pm10", -1)),
	nova("sds021", "\xaa\xc0", little(2, "pm2_5", -1), little(4, "pm10", -1)),
	nova("sds198", "\xaa\xcf", little(4, "pm100", 0)),
	{name: "sps30", length: 40, unwrap: (*Decoder).shdlc, fields: sensirion("float32", 4, 0)},
}

// What people write for the units of particles.
const (
	microgram    = "µg/m³"
	perDecilitre = "#/dL"
	perCubic     = "#/cm³"
)

func atEnd(sum string) *Checksum { return &Checksum{Name: sum} }

func word(at int, name, unit string, exp int) value {
	return value{name: name, unit: unit, exp: exp, Field: binary.Field{At: at, Type: "uint16"}}
}

func signed(at int, name, unit string, exp int) value {
	return value{name: name, unit: unit, exp: exp, Field: binary.Field{At: at, Type: "int16"}}
}

func single(at int, name string) value {
	return value{name: name, Field: binary.Field{At: at, Type: "uint8"}}
}

func little(at int, name string, exp int) value {
	return value{name: name, unit: microgram, exp: exp, Field: binary.Field{At: at, Type: "uint16", Order: "little"}}
}

// nova returns a sensor of Nova Fitness. The two bytes before the checksum are
// its number.
func nova(name, header string, fields ...value) preset {
	return preset{
		name: name, length: 10, header: header, tail: "\xab", fields: fields,
		sum: &Checksum{Name: "sum8", At: 8, From: 2},
	}
}

// masses returns the concentrations that every sensor of Plantower begins with:
// for the factory's particles (CF = 1), then for the air outside.
func masses() []value {
	return []value{
		word(4, "pm1_0_cf1", microgram, 0), word(6, "pm2_5_cf1", microgram, 0), word(8, "pm10_cf1", microgram, 0),
		word(10, "pm1_0", microgram, 0), word(12, "pm2_5", microgram, 0), word(14, "pm10", microgram, 0),
	}
}

// plantower returns the concentrations, the first n counts of particles beyond a
// diameter in 0.1 L of air, and what else the sensor measures.
func plantower(n int, more ...value) []value {
	all := masses()
	sizes := [...]string{"0_3", "0_5", "1_0", "2_5", "5_0", "10"}
	for i, size := range sizes[:n] {
		all = append(all, word(16+2*i, "particles_"+size+"um", perDecilitre, 0))
	}
	return append(all, more...)
}

// decoder returns the decoder of p.
func (p *preset) decoder() (*Decoder, error) {
	d := &Decoder{texts: binary.NewTexts(), unwrap: p.unwrap, layout: layout{
		length: p.length, header: p.header, tail: p.tail, body: len(p.header),
	}}
	if p.sum != nil {
		d.sum = newSum(p.sum)
	}
	var err error
	if d.metrics, err = metricsOf(p.fields); err == nil && p.unwrap != nil {
		d.whole, err = integers()
	}
	return d, err
}

func metricsOf(fields []value) ([]metric, error) {
	var all []metric
	for _, v := range fields {
		codec, err := binary.Compile(v.Field)
		if err != nil {
			return nil, err
		}
		all = append(all, metric{
			names: []string{v.name}, unit: v.unit, exp: v.exp, offset: v.offset, raw: v.Type == "float32", codec: codec,
		})
	}
	return all, nil
}

// Framing returns how long the frames of a preset are and what each begins with;
// false for a sensor that speaks only when asked.
func Framing(preset string) (length int, sync string, ok bool) {
	p, ok := presetOf(preset)
	return p.length, p.header, ok && p.unwrap == nil
}
