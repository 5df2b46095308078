package config

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"sluice/protocol/payload"
)

// warn adds something at n that works, and is better otherwise.
func (p *parser) warn(n *yaml.Node, message string) {
	p.warnings = append(p.warnings, Problem{p.fileOf(n), n.Line, n.Column, message})
}

// warning is finding for what is better otherwise.
func (p *parser) warning(n *yaml.Node, prefix, field, problem string) {
	at, _ := locate(n, field)
	if p.skip && p.anyIn(at, p.isExpanded) {
		return
	}
	p.warn(at, prefix+field+" "+p.redact(at, problem))
}

// unitNames are units as they are written most, by their lower case.
var unitNames = func() map[string]string {
	names := map[string]string{
		"degc": "°C", "deg c": "°C", "celsius": "°C", "degf": "°F", "fahrenheit": "°F", "kelvin": "K", "percent": "%",
		"volt": "V", "volts": "V", "ampere": "A", "amps": "A", "watt": "W", "watts": "W", "hertz": "Hz", "ohm": "Ω",
		"m3": "m³", "m2": "m²", "m3/h": "m³/h", "ug/m3": "µg/m³", "us/cm": "µS/cm",
	}
	for _, unit := range []string{
		"°C", "°F", "kWh", "MWh", "Wh", "kW", "MW", "kVA", "VA", "var", "kvar", "varh", "kvarh", "VAh", "Ah", "Hz", "kHz", "MHz",
		"hPa", "kPa", "MPa", "bar", "mbar", "psi", "ppm", "ppb", "lx", "dB", "dBm", "rpm", "m³", "m³/h", "l/min", "l/h",
		"km/h", "mm", "cm", "km", "kg", "mg", "µg/m³", "µS/cm", "Ω", "kΩ", "MΩ", "Nm", "GJ", "kJ",
	} {
		names[strings.ToLower(unit)] = unit
	}
	return names
}()

// unusualUnits warns of units that look like others: mA and MA, kWh and KWH are
// told apart by nobody but people.
func (p *parser) unusualUnits(n *yaml.Node, path string, profile *payload.Profile) {
	for _, name := range slices.SortedFunc(maps.Keys(profile.Metrics), cmp.Compare) {
		unit := profile.Metrics[name].Unit
		if usual := unitNames[strings.ToLower(unit)]; usual != "" && usual != unit {
			p.warning(n, path+".", "metrics."+name+".unit", "is "+quote(unit)+"; did you mean "+quote(usual)+"?")
		}
	}
}
