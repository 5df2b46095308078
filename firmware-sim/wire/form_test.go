package wire_test

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"sluice/firmware-sim/wire"
	"sluice/protocol"
	"sluice/protocol/payload"
)

const now protocol.Timestamp = 1790000000_123_456_789

// oneDevice is the device that all samples of a form are of: decoders remember
// by pointer, as drivers hand out one for each device.
var oneDevice = &protocol.Device{Name: "d-1"}

func f64(f float64) *float64 { return &f }

func jsonOf(metrics map[string]payload.Metric) payload.Profile {
	return payload.Profile{Decode: payload.Decode{JSON: &payload.JSON{}}, Metrics: metrics}
}

func regexOf(expr string, metrics map[string]payload.Metric) payload.Profile {
	return payload.Profile{Decode: payload.Decode{Regex: expr}, Metrics: metrics}
}

func csvOf(separator string, columns ...string) payload.Profile {
	return payload.Profile{Decode: payload.Decode{CSV: &payload.CSV{Separator: separator, Columns: columns}}}
}

func timed(p payload.Profile, path, format string) payload.Profile {
	p.Time = &payload.Time{Path: path, Format: format}
	return p
}

// profiles are what the round trip is tried with, config.yaml's first.
var profiles = map[string]payload.Profile{
	"climate": timed(jsonOf(map[string]payload.Metric{
		"temperature": {Path: "t", Unit: "°C"},
		"humidity":    {Path: "rh", Unit: "%", Scale: f64(0.1)},
	}), "ts", "unix_ms"),
	"power": jsonOf(nil),
	"weighbridge": regexOf(`^(?P<state>ST|US),GS,\s*(?P<weight>[-+]?[0-9.]+)\s*kg`, map[string]payload.Metric{
		"state": {Type: "string"}, "weight": {Type: "float", Unit: "kg"},
	}),

	"nested": timed(jsonOf(map[string]payload.Metric{
		"outer":  {Path: "env.temperature", Unit: "°C", Type: "float"},
		"second": {Path: "probes.1.value", Unit: "V"},
		"fourth": {Path: "probes.3"},
		"flag":   {Path: "env.open", Type: "bool"},
		"mode":   {Type: "string"},
	}), "meta.at", "rfc3339"),
	"scales": jsonOf(map[string]payload.Metric{
		"fahrenheit": {Path: "t", Unit: "°F", Scale: f64(1.8), Offset: f64(32)},
		"celsius":    {Path: "t", Unit: "°C"},
		"current":    {Path: "a", Unit: "A", Scale: f64(0.001)},
		"power":      {Path: "p", Unit: "W", Scale: f64(1000)},
		"odd":        {Path: "o", Scale: f64(0.3048), Offset: f64(-12.5)},
		"negative":   {Path: "n", Unit: "kg", Scale: f64(-0.25)},
		"rounded":    {Path: "r", Type: "int", Scale: f64(0.1)},
		"unsigned":   {Path: "u", Type: "uint", Unit: "dBm", Offset: f64(120)},
		"third":      {Path: "q", Scale: f64(1.0 / 3)},
	}),
	"types": jsonOf(map[string]payload.Metric{
		"i": {Type: "int", Unit: "dBm"}, "u": {Type: "uint"}, "f": {Type: "float"}, "s": {Type: "string"}, "b": {Type: "bool"},
		"both": {Path: "i", Type: "string"}, "energy": {Unit: "kWh"}, "running": {}, "state": {},
	}),
	"one path": jsonOf(map[string]payload.Metric{
		"as number": {Path: "x", Type: "float"}, "as text": {Path: "x", Type: "string"}, "as sent": {Path: "x"},
		"on": {Path: "running", Type: "bool"}, "word": {Path: "running", Type: "string"},
		"online": {}, "online text": {Path: "online", Type: "string"},
	}),
	"dotted": jsonOf(map[string]payload.Metric{"a": {Path: "a"}, "ab": {Path: "a.b"}, "strange": {Path: `sp ace."q"`}}),
	"stamp as metric": timed(jsonOf(map[string]payload.Metric{
		"uptime": {Path: "ts", Type: "int"}, "v": {},
	}), "ts", "unix_ns"),
	"auto timed":    timed(jsonOf(nil), "time", "unix"),
	"auto pump":     jsonOf(nil),
	"auto weather":  timed(jsonOf(nil), "at.time", "unix_us"),
	"layout":        timed(jsonOf(nil), "at", "2006-01-02 15:04:05"),
	"layout millis": timed(jsonOf(nil), "at", "02.01.2006 15:04:05.000"),

	"csv":         csvOf("", "temperature", "humidity", "", "state"),
	"csv blanks":  timed(csvOf(" ", "at", "pressure", "wind_speed"), "at", "2006-01-02 15:04:05"),
	"csv listed":  {Decode: csvOf(";", "id", "w", "ts").Decode, Time: &payload.Time{Path: "ts", Format: "unix"}, Metrics: map[string]payload.Metric{"weight": {Path: "w", Unit: "kg", Scale: f64(0.01)}}},
	"csv running": csvOf("\t", "running", "value"),
}

func TestWhatIsSentIsWhatTheGatewayReads(t *testing.T) {
	for name, p := range everything() {
		t.Run(name, func(t *testing.T) {
			form, err := wire.New(name, &p)
			if err != nil {
				t.Fatal(err)
			}
			roundTrip(t, form, p, "")
		})
	}
}

// roundTrip sends many samples through the gateway's decoder.
func roundTrip(t *testing.T, form *wire.Form, p payload.Profile, metric string) {
	t.Helper()
	samples := 200
	if metric != "" {
		samples = 40 // of each metric
	}
	roundTrips(t, []*wire.Form{form}, p, metric, samples)
}

// roundTrips sends messages of several forms by turns.
func roundTrips(t *testing.T, forms []*wire.Form, p payload.Profile, metric string, samples int) {
	t.Helper()
	decoder, err := payload.New(p)
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(7, 7))
	made := 0
	var last protocol.Timestamp
	at := now
	for i := range samples {
		form := forms[i%len(forms)]
		for !form.Due(at, last) {
			at += protocol.Timestamp(time.Second)
		}
		s, ok := form.Encode(wire.Input{Ticks: draw(form, r), At: at, Last: last, Device: "d-1", Rand: r})
		if !ok {
			continue
		}
		made++
		if form.Timed() && s.Time <= last {
			t.Fatalf("time %v does not follow %v", s.Time, last)
		}
		last = max(last, s.Time)
		compare(t, decoder, form, s, metric, at)
	}
	if made < samples/2 {
		t.Errorf("only %d of %d samples could be made", made, samples)
	}
}

func compare(t rapid.TB, decoder payload.Decoder, form *wire.Form, s wire.Sample, metric string, at protocol.Timestamp) {
	t.Helper()
	var b protocol.Batch
	if err := decoder.Decode(&b, payload.Message{Payload: s.Payload, Device: oneDevice, Received: at, Metric: metric}); err != nil {
		t.Fatalf("decode %s: %v", s.Payload, err)
	}
	if len(b.Readings) != 1 {
		t.Fatalf("%s: %d readings", s.Payload, len(b.Readings))
	}
	got := b.Readings[0]
	slices.SortFunc(got.Metrics, func(a, b protocol.Metric) int { return strings.Compare(a.Name, b.Name) })
	checkTags(t, form, got.Device)
	if got.SourceTime != s.Time {
		t.Fatalf("%s: time %v, want %v", s.Payload, got.SourceTime.Time(), s.Time.Time())
	}
	if !slices.Equal(got.Metrics, s.Metrics) {
		t.Fatalf("%s:\n got %+v\nwant %+v", s.Payload, got.Metrics, s.Metrics)
	}
}

// checkTags compares what a message said about its device.
func checkTags(t rapid.TB, form *wire.Form, d *protocol.Device) {
	t.Helper()
	if want := form.Tags("d-1"); d.Name != "d-1" || !slices.Equal(d.Tags, want) {
		t.Fatalf("device %+v, want tags %v", d, want)
	}
}

func draw(form *wire.Form, r *rand.Rand) []int64 {
	var ticks []int64
	for _, s := range form.Slots() {
		ticks = append(ticks, s.Min+r.Int64N(s.Max-s.Min+1))
	}
	return ticks
}

func TestATopicThatNamesTheMetric(t *testing.T) {
	for name, p := range everything() {
		t.Run(name, func(t *testing.T) {
			for _, metric := range wire.Metrics(name, &p) {
				form, err := wire.NewMetric(name, &p, metric)
				if err != nil {
					t.Fatal(err)
				}
				roundTrip(t, form, p, metric)
			}
		})
	}
}

// The examples of config.yaml, with the values a reader expects.
func TestMessagesLookLikeThoseOfTheDevice(t *testing.T) {
	cases := map[string]struct {
		ticks []int64
		want  string
	}{
		"climate":     {[]int64{453, 214}, `{"ts":1790000000123,"rh":453,"t":21.4}`},
		"power":       {[]int64{2301, 150, 3452, 120034}, `{"voltage":230.1,"current":1.50,"power":345.2,"energy":1200.34}`},
		"weighbridge": {[]int64{0, 1234}, `ST,GS,123.4kg`},
	}
	for name, c := range cases {
		p := profiles[name]
		form, err := wire.New(name, &p)
		if err != nil {
			t.Fatal(err)
		}
		s, ok := form.Encode(wire.Input{Ticks: c.ticks, At: now, Rand: rand.New(rand.NewPCG(1, 1))})
		if got := strings.ReplaceAll(string(s.Payload), " ", ""); !ok || got != c.want {
			t.Errorf("%s: got %s, want %s", name, s.Payload, c.want)
		}
	}
}

func TestProfilesThatCannotBeSimulatedSaySo(t *testing.T) {
	cases := map[string]payload.Profile{
		`has no decode`:               {},
		`want both a bool`:            jsonOf(map[string]payload.Metric{"a": {Path: "x", Type: "bool"}, "b": {Path: "x", Type: "int"}}),
		`no group is called "w"`:      regexOf(`(?P<v>\d+)`, map[string]payload.Metric{"w": {}}),
		`group "v" takes no numbers`:  regexOf(`(?P<v>[a-z]+)`, map[string]payload.Metric{"v": {Type: "float"}}),
		`neither true and false`:      regexOf(`(?P<v>[x-z]+)`, map[string]payload.Metric{"v": {Type: "bool"}}),
		`does not fit the group "t"`:  timed(regexOf(`(?P<t>[a-z]+) (?P<v>\d+)`, nil), "t", "unix"),
		`no column is called "b"`:     timed(csvOf("", "a"), "b", "unix"),
		`no message reads back`:       regexOf(`(?P<a>\d*)(?P<b>\d+)`, nil),
		`does not read back as it is`: timed(jsonOf(nil), "t", "15:04:05"),
		`have no inverse`:             jsonOf(map[string]payload.Metric{"a": {Scale: f64(0)}}),
	}
	for want, p := range cases {
		if _, err := wire.New("x", &p); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}
