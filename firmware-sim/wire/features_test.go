package wire_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"sluice/firmware-sim/wire"
	"sluice/protocol"
	"sluice/protocol/payload"
	"sluice/protocol/payload/cayennelpp"
	"sluice/protocol/payload/lineproto"
	"sluice/protocol/payload/nmea"
)

func valueOf(metrics map[string]payload.Metric) payload.Profile {
	return payload.Profile{Decode: payload.Decode{Value: &payload.Value{}}, Metrics: metrics}
}

func eachOf(each string, metrics map[string]payload.Metric) payload.Profile {
	return payload.Profile{Decode: payload.Decode{JSON: &payload.JSON{Each: each}}, Metrics: metrics}
}

func keeping(p payload.Profile) payload.Profile { p.Others = "keep"; return p }

func encoded(p payload.Profile, encoding string) payload.Profile { p.Encoding = encoding; return p }

func within(p payload.Profile, path string) payload.Profile { p.Inside = path; return p }

var onOff = map[string]string{"ON": "true", "OFF": "false"}

var climate = map[string]payload.Metric{"temperature": {Path: "t", Unit: "°C"}, "humidity": {Path: "rh", Unit: "%", Scale: f64(0.1)}}

// features are profiles for what a profile can say beside paths and types.
var features = map[string]payload.Profile{
	"value":         valueOf(nil),
	"value rule":    valueOf(map[string]payload.Metric{"*": {Map: onOff}}),
	"value switch":  valueOf(map[string]payload.Metric{"value": {Type: "bool"}, "online": {Type: "bool"}, "state": {Type: "string"}}),
	"value scaled":  keeping(valueOf(map[string]payload.Metric{"power": {Unit: "W", Scale: f64(0.1), Range: []float64{0, 500}}})),
	"value mapped":  valueOf(map[string]payload.Metric{"value": {Map: map[string]string{"low": "10.5", "high": "90", "unknown": "1", " x": "2"}, Type: "float", Scale: f64(2)}}),
	"value nothing": valueOf(map[string]payload.Metric{"*": {Type: "string", Map: map[string]string{"unknown": "away", "home": "here"}}}),

	"maps": jsonOf(map[string]payload.Metric{
		"relay": {Path: "s", Map: onOff}, "as sent": {Path: "s"}, "level": {Map: map[string]string{"0": "off", "1": "on", "2": "auto"}},
		"open": {Type: "bool", Map: map[string]string{"closed": "0", "opened": "on"}}, "code": {Type: "int", Map: map[string]string{"a": "1", "b": "2"}, Offset: f64(5)},
		"flag": {Map: map[string]string{"true": "running", "false": "halted"}}, "bad": {Range: []float64{0, 1}, Map: map[string]string{"no": "-1", "yes": "1"}},
		"text": {Type: "string", Map: map[string]string{"1": "one", "02": "two"}},
	}),
	"maps on a line": regexOf(`(?P<state>ON|OFF|on),(?P<v>\d+)`, map[string]payload.Metric{"state": {Map: onOff}, "v": {Range: []float64{5, 50}}}),
	"maps in columns": {Decode: csvOf(";", "a", "b").Decode, Metrics: map[string]payload.Metric{
		"a": {Map: map[string]string{"x;y": "1", "z": "2"}, Type: "int"}, "b": {Range: []float64{-1, 1}, Scale: f64(0.01)}}},
	"ranges": jsonOf(map[string]payload.Metric{
		"inside": {Range: []float64{10, 20}, Unit: "°C"}, "apart": {Range: []float64{-200, -100}, Unit: "°C"}, "narrow": {Range: []float64{0.05, 0.06}},
		"one": {Range: []float64{1.1, 1.1}}, "scaled": {Range: []float64{0, 1}, Scale: f64(0.001)}, "negative": {Range: []float64{-5, 5}, Scale: f64(-0.5), Offset: f64(1)},
		"whole": {Range: []float64{0, 255}, Type: "int"}, "shared": {Path: "whole", Range: []float64{100, 1000}}, "open": {Range: []float64{0, 1e300}},
	}),

	"kept climate":  keeping(jsonOf(map[string]payload.Metric{"temperature": {Unit: "°C"}, "level": {Path: "battery.level", Unit: "%"}})),
	"dropped":       {Decode: jsonOf(nil).Decode, Others: "drop", Metrics: climate},
	"kept timed":    keeping(timed(jsonOf(climate), "value", "unix")),
	"star climate":  jsonOf(map[string]payload.Metric{"*": {Path: "object.*"}, "port": {Path: "fPort", Type: "int"}}),
	"stars":         keeping(timed(jsonOf(map[string]payload.Metric{"*_t": {Path: "*.t", Unit: "°C"}, "*_h": {Path: "*.h"}, "*_*": {Path: "a.*.*.v"}, "x": {Path: "a.b.c.v"}, "*": {Path: "*"}}), "ts", "unix_ms")),
	"first match":   jsonOf(map[string]payload.Metric{"one": {Path: "*.t"}, "two": {Path: "*.t"}, "*_t": {Path: "*.t"}, "exact": {Path: "z.t"}}),
	"star mapped":   jsonOf(map[string]payload.Metric{"POWER*": {Path: "relays.*", Map: onOff}}),
	"star timed":    timed(jsonOf(map[string]payload.Metric{"*_t": {Path: "sensors.*.t"}}), "*.at", "unix"),
	"each":          timed(eachOf("samples", climate), "at", "unix_ms"),
	"each root":     eachOf("$", climate),
	"each beside":   keeping(timed(eachOf("data.samples", map[string]payload.Metric{"t": {}, "serial": {Path: "$.id", Type: "string"}, "*_x": {Path: "axis.*"}}), "$.at", "rfc3339")),
	"each anywhere": eachOf("sensors.*.values", nil),

	"gzip":            encoded(jsonOf(climate), "gzip"),
	"deflate":         encoded(jsonOf(climate), "deflate"),
	"base64 gzip":     encoded(timed(jsonOf(climate), "ts", "unix"), "base64 gzip"),
	"hex":             encoded(csvOf("", "a", "b"), "hex"),
	"many":            encoded(valueOf(nil), "hex base64 deflate gzip"),
	"inside":          within(jsonOf(climate), "data.payload"),
	"inside twice":    within(encoded(csvOf("", "a", "b"), "base64"), "rx.*.frm"),
	"zone":            zoned(timed(jsonOf(climate), "at", "2006-01-02 15:04:05"), "Europe/Berlin"),
	"zone on a line":  zoned(timed(csvOf(" ", "at", "v"), "at", "02.01.2006 15:04"), "America/St_Johns"),
	"skew":            skewed(timed(jsonOf(climate), "at", "unix_ms"), time.Minute),
	"skew of seconds": skewed(timed(jsonOf(climate), "at", "2006-01-02T15:04:05"), 20*time.Minute),
}

func senmlOf(metrics map[string]payload.Metric) payload.Profile {
	return payload.Profile{Decode: payload.Decode{SenML: &payload.SenML{}}, Metrics: metrics}
}

func influxOf(c lineproto.Config, metrics map[string]payload.Metric) payload.Profile {
	return payload.Profile{Decode: payload.Decode{Influx: &c}, Metrics: metrics}
}

func ruuviOf(metrics map[string]payload.Metric) payload.Profile {
	return payload.Profile{Decode: payload.Decode{Ruuvi: &payload.Ruuvi{}}, Metrics: metrics}
}

func lppOf(c cayennelpp.Config, metrics map[string]payload.Metric) payload.Profile {
	return payload.Profile{Decode: payload.Decode{CayenneLPP: &c}, Metrics: metrics}
}

// mixed has what metrics can be, for formats whose values have their kinds.
var mixed = map[string]payload.Metric{
	"temperature": {Path: "t", Unit: "°C"}, "fahrenheit": {Path: "t", Unit: "°F", Scale: f64(1.8), Offset: f64(32)}, "count": {Type: "int"},
	"label": {Type: "string"}, "open": {Type: "bool"}, "relay": {Map: onOff}, "state": {}, "level": {Range: []float64{10, 20}}, "code": {Map: map[string]string{"0": "off", "1": "on"}},
}

// once leaves out the metric that reads what another one reads.
func once(metrics map[string]payload.Metric) map[string]payload.Metric {
	metrics = maps.Clone(metrics)
	delete(metrics, "fahrenheit")
	return metrics
}

// formats are profiles for formats that name their values themselves.
var formats = map[string]payload.Profile{
	"senml climate": senmlOf(nil),
	"senml mixed":   senmlOf(once(mixed)),
	"senml kept":    keeping(senmlOf(climate)),
	"senml skew":    skewed(timed(senmlOf(nil), "", ""), time.Minute),

	"influx weather": influxOf(lineproto.Config{}, nil),
	"influx mixed":   influxOf(lineproto.Config{Precision: "ms", Measurement: "ignore"}, mixed),
	"influx kept":    keeping(influxOf(lineproto.Config{Precision: "us", Device: "host"}, climate)),
	"influx prefix":  influxOf(lineproto.Config{Precision: "s", Measurement: "prefix", Device: "dev"}, map[string]payload.Metric{"idle": {Path: "cpu_idle"}, "cpu_user": {Unit: "%"}, "free": {Path: "mem_free"}}),
	"influx power":   influxOf(lineproto.Config{Measurement: "prefix"}, nil),

	"ruuvi":       ruuviOf(nil),
	"ruuvi some":  ruuviOf(map[string]payload.Metric{"kelvin": {Path: "temperature", Offset: f64(273.15), Unit: "K"}, "humidity": {Range: []float64{30, 31}}, "pressure": {Scale: f64(0.01), Unit: "hPa"}, "moved": {Path: "movement_counter", Type: "string"}}),
	"ruuvi kept":  encoded(keeping(ruuviOf(map[string]payload.Metric{"battery_voltage": {Type: "string"}, "acceleration_x": {Scale: f64(9.80665)}})), "hex"),
	"lpp":         lppOf(cayennelpp.Config{}, nil),
	"lpp timed":   keeping(lppOf(cayennelpp.Config{Time: true}, map[string]payload.Metric{"door": {Path: "digital_input_7", Type: "bool"}, "x": {Path: "accelerometer_3_x"}, "seen": {Path: "unixtime_0"}})),
	"lpp the lot": lppOf(cayennelpp.Config{}, lot()),
}

// lot is a metric of each type of Cayenne LPP.
func lot() map[string]payload.Metric {
	metrics := map[string]payload.Metric{}
	for i, name := range []string{"digital_input", "digital_output", "analog_input", "analog_output", "generic", "luminosity", "presence", "temperature", "humidity",
		"barometer", "voltage", "current", "frequency", "percentage", "altitude", "concentration", "power", "distance", "energy", "direction", "switch"} {
		metrics[name] = payload.Metric{Path: fmt.Sprintf("%s_%d", name, i)}
	}
	for _, name := range []string{"gyrometer_1_z", "colour_2_red", "gps_9_latitude", "gps_9_altitude"} {
		metrics[name] = payload.Metric{Type: "float"}
	}
	return metrics
}

func nmeaOf(metrics map[string]payload.Metric) payload.Profile {
	return payload.Profile{Decode: payload.Decode{NMEA: &nmea.Config{}}, Metrics: metrics}
}

func TestSentencesTakeTurns(t *testing.T) {
	cases := map[string]struct {
		profile payload.Profile
		forms   int
	}{
		"all":  {nmeaOf(nil), 2},
		"some": {nmeaOf(map[string]payload.Metric{"latitude": {Range: []float64{-34.1, -33.9}}, "knots": {Path: "speed", Scale: f64(0.5)}, "altitude": {Type: "int", Scale: f64(1)}, "fix": {Map: map[string]string{"1": "gps"}}}), 2},
		"GGA":  {nmeaOf(map[string]payload.Metric{"satellites": {}}), 1},
		"RMC":  {skewed(timed(nmeaOf(map[string]payload.Metric{"course": {}}), "", ""), time.Minute), 1},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			forms, err := wire.All(name, &c.profile)
			if err != nil {
				t.Fatal(err)
			}
			if len(forms) != c.forms {
				t.Fatalf("%d forms, want %d", len(forms), c.forms)
			}
			roundTrips(t, forms, c.profile, "", 200)
		})
	}
}

func zoned(p payload.Profile, zone string) payload.Profile { p.Time.Zone = zone; return p }

func skewed(p payload.Profile, most time.Duration) payload.Profile { p.Time.MaxSkew = most; return p }

// everything is what the round trip is tried with.
func everything() map[string]payload.Profile {
	all := maps.Clone(profiles)
	maps.Copy(all, features)
	maps.Copy(all, formats)
	for name, p := range maps.Clone(all) {
		if j := p.Decode.JSON; j != nil && !(p.Inside != "" && p.Encoding == "") {
			p.Decode = payload.Decode{CBOR: &payload.CBOR{Each: j.Each}}
			all["cbor "+name] = p
			p.Decode = payload.Decode{MsgPack: &payload.MsgPack{Each: j.Each}}
			all["msgpack "+name] = p
		}
	}
	return all
}

func TestFeaturesThatCannotBeSimulatedSaySo(t *testing.T) {
	cases := map[string]payload.Profile{
		`lies in the range [-5 -1]`: jsonOf(map[string]payload.Metric{"a": {Type: "uint", Range: []float64{-5, -1}}}),
		`lies in the range [0.2 0`:  jsonOf(map[string]payload.Metric{"a": {Type: "int", Range: []float64{0.2, 0.8}}}),
		`its map explains`:          regexOf(`(?P<s>[a-z]+)`, map[string]payload.Metric{"s": {Map: onOff}}),
		`no topic names a metric`:   valueOf(map[string]payload.Metric{"power": {}}),
		`no message reads back`:     within(encoded(jsonOf(nil), "gzip"), "data"),
	}
	for want, p := range cases {
		if _, err := wire.New("x", &p); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

// A device whose clock shows seconds waits before it runs ahead too far.
func TestAClockDoesNotRunAheadOfItsSkew(t *testing.T) {
	p := skewed(timed(jsonOf(climate), "at", "2006-01-02T15:04:05"), time.Minute)
	form, err := wire.New("x", &p)
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(1, 1))
	var last protocol.Timestamp
	sent := 0
	for ; form.Due(now, last) && sent < 1000; sent++ {
		if s, ok := form.Encode(wire.Input{Ticks: draw(form, r), At: now, Last: last, Rand: r}); ok {
			last = s.Time
		}
	}
	if sent < 20 || sent > 40 || !form.Due(now+protocol.Timestamp(time.Minute), last) {
		t.Errorf("%d messages at once", sent)
	}
}
