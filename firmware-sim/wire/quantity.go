package wire

import (
	"slices"
	"strings"
)

// quantity is a physical quantity as a device nearby would measure it: its
// range, its largest change from one sample to the next, and the decimals that
// people write.
type quantity struct {
	min, max, step float64
	decimals       int
	counter        bool // only ever rises
}

// quantities are known by their unit.
var quantities = map[string]quantity{
	"°c": {5, 35, 0.3, 1, false}, "c": {5, 35, 0.3, 1, false}, "k": {278, 308, 0.3, 1, false}, "°f": {41, 95, 0.5, 1, false},
	"%": {20, 90, 0.8, 1, false}, "%rh": {20, 90, 0.8, 1, false},
	"v": {218, 242, 0.6, 1, false}, "mv": {2900, 4200, 9, 0, false}, "kv": {9.5, 10.5, 0.02, 3, false},
	"a": {0, 32, 0.7, 2, false}, "ma": {4, 20, 0.2, 2, false},
	"w": {0, 7400, 120, 1, false}, "kw": {0, 120, 2, 2, false}, "va": {0, 7400, 120, 1, false}, "var": {0, 3000, 60, 1, false},
	"wh": {0, 9e8, 40, 0, true}, "kwh": {0, 9e6, 0.4, 2, true}, "mwh": {0, 9e4, 0.01, 3, true},
	"hz": {49.8, 50.2, 0.01, 3, false},
	"pa": {97000, 104000, 25, 0, false}, "hpa": {970, 1040, 0.4, 1, false}, "mbar": {970, 1040, 0.4, 1, false},
	"kpa": {97, 104, 0.05, 2, false}, "bar": {0, 10, 0.08, 2, false},
	"kg": {0, 1500, 12, 1, false}, "g": {0, 5000, 40, 1, false}, "t": {0, 60, 0.5, 2, false},
	"lx": {0, 2000, 25, 0, false}, "lux": {0, 2000, 25, 0, false}, "ppm": {400, 2000, 15, 0, false}, "ppb": {0, 900, 9, 0, false},
	"µg/m³": {0, 150, 2, 1, false}, "ug/m3": {0, 150, 2, 1, false},
	"m/s": {0, 25, 0.6, 1, false}, "km/h": {0, 120, 3, 1, false}, "rpm": {0, 3000, 35, 0, false},
	"l": {0, 9e7, 5, 1, true}, "m³": {0, 9e5, 0.02, 3, true}, "m3": {0, 9e5, 0.02, 3, true}, "l/min": {0, 80, 1.5, 1, false}, "m³/h": {0, 40, 0.6, 2, false},
	"mm": {0, 4000, 20, 0, false}, "cm": {0, 400, 3, 1, false}, "m": {0, 30, 0.3, 2, false},
	"db": {30, 110, 2, 1, false}, "dbm": {-110, -40, 2, 0, false}, "°": {0, 360, 5, 1, false}, "ph": {4, 10, 0.05, 2, false},
	"s": {0, 9e8, 10, 0, true}, "h": {0, 9e5, 0.1, 1, true},
}

// names are known when there is no unit, by what they contain; the first that
// fits counts.
var names = []struct{ part, unit string }{
	{"temp", "°c"}, {"hum", "%"}, {"energy", "kwh"}, {"kwh", "kwh"}, {"volt", "v"}, {"current", "a"}, {"amp", "a"}, {"power", "w"}, {"watt", "w"},
	{"freq", "hz"}, {"press", "hpa"}, {"weight", "kg"}, {"mass", "kg"}, {"co2", "ppm"}, {"lux", "lx"}, {"illum", "lx"}, {"light", "lx"},
	{"wind", "m/s"}, {"speed", "km/h"}, {"rpm", "rpm"}, {"flow", "l/min"}, {"volume", "m³"}, {"level", "cm"}, {"dist", "mm"},
	{"rssi", "dbm"}, {"snr", "db"}, {"noise", "db"}, {"angle", "°"}, {"heading", "°"}, {"uptime", "s"}, {"hours", "h"}, {"batt", "%"},
}

// guess returns the quantity that a metric most likely is.
func guess(name, unit string) quantity {
	name, unit = strings.ToLower(name), strings.ToLower(strings.TrimSpace(unit))
	battery := strings.Contains(name, "batt") || strings.Contains(name, "vcc")
	switch {
	case battery && unit == "v":
		return quantity{2.9, 4.2, 0.01, 3, false}
	case strings.HasPrefix(name, "lat"):
		return quantity{47.3, 47.5, 0.0002, 5, false}
	case strings.HasPrefix(name, "lon") || strings.HasPrefix(name, "lng"):
		return quantity{8.4, 8.6, 0.0002, 5, false}
	}
	if q, ok := quantities[unit]; ok {
		return q
	}
	for _, n := range names {
		if strings.Contains(name, n.part) {
			return quantities[n.unit]
		}
	}
	if strings.Contains(name, "count") || strings.Contains(name, "total") {
		return quantity{0, 9e9, 5, 0, true}
	}
	return quantity{0, 1000, 9, 2, false}
}

// invented is what a device reports whose profile lists no metrics, by what the
// profile's name contains. A dot nests.
var invented = []struct {
	part  string
	paths []string
}{
	{"power", []string{"voltage", "current", "power", "energy"}},
	{"meter", []string{"voltage", "current", "power", "energy"}},
	{"energy", []string{"voltage", "current", "power", "energy"}},
	{"climate", []string{"temperature", "humidity", "battery.level"}},
	{"temp", []string{"temperature", "battery.level"}},
	{"air", []string{"co2", "temperature", "humidity"}},
	{"weather", []string{"temperature", "humidity", "pressure", "wind.speed"}},
	{"tank", []string{"level", "temperature"}},
	{"flow", []string{"flow", "volume", "temperature"}},
	{"vib", []string{"speed", "axis.x", "axis.y", "axis.z"}},
	{"scale", []string{"weight", "status.stable"}},
	{"weigh", []string{"weight", "status.stable"}},
	{"pump", []string{"flow", "pressure", "status.running"}},
	{"", []string{"value", "status.ok", "status.rssi"}},
}

func invent(profile string) []string {
	profile = strings.ToLower(profile)
	for _, i := range invented {
		if strings.Contains(profile, i.part) {
			return slices.Clone(i.paths)
		}
	}
	return nil
}

// Words that say without a type that something is on or off, or in one of a
// few states.
var (
	switches = []string{"stable", "running", "online", "open", "alarm", "motion", "enabled", "presence"}
	states   = []string{"idle", "running", "paused", "fault"}
)

func isSwitch(name string) bool {
	name = strings.ToLower(name)
	if name == "ok" || strings.HasSuffix(name, "_ok") || strings.HasSuffix(name, ".ok") {
		return true
	}
	for _, s := range switches {
		if strings.HasSuffix(name, s) {
			return true
		}
	}
	return false
}

func isState(name string) bool {
	name = strings.ToLower(name)
	return strings.HasSuffix(name, "state") || strings.HasSuffix(name, "status") || strings.HasSuffix(name, "mode")
}
