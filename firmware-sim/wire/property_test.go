package wire_test

import (
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"

	"sluice/firmware-sim/wire"
	"sluice/protocol/payload"
)

// drawMetric returns a metric as an operator might write it.
func drawMetric(t *rapid.T, path string) payload.Metric {
	m := payload.Metric{
		Path: path,
		Type: rapid.SampledFrom([]string{"", "", "float", "int", "uint", "bool", "string"}).Draw(t, "type"),
		Unit: rapid.SampledFrom([]string{"", "°C", "kWh", "dBm"}).Draw(t, "unit"),
	}
	number := m.Type != "bool" && m.Type != "string"
	if number && rapid.IntRange(0, 3).Draw(t, "scaled") == 0 {
		m.Scale = f64(rapid.SampledFrom([]float64{0.1, -0.5, 2, 0.3048}).Draw(t, "scale"))
		m.Offset = f64(rapid.SampledFrom([]float64{0, 32, -273.15}).Draw(t, "offset"))
	}
	if number && rapid.IntRange(0, 3).Draw(t, "ranged") == 0 {
		low := float64(rapid.IntRange(-50, 300).Draw(t, "low"))
		m.Range = []float64{low, low + float64(rapid.IntRange(0, 200).Draw(t, "span"))}
	}
	if rapid.IntRange(0, 3).Draw(t, "mapped") == 0 {
		m.Map = rapid.SampledFrom([]map[string]string{onOff, {"0": "1", "1": "0"}, {"a": "12", "b": "15.5", "c": "far"}}).Draw(t, "map")
	}
	return m
}

func drawTree(t *rapid.T) payload.Profile {
	each := rapid.SampledFrom([]string{"", "", "$", "list", "a.*.list"}).Draw(t, "each")
	p := payload.Profile{
		Others:   rapid.SampledFrom([]string{"", "keep", "drop"}).Draw(t, "others"),
		Encoding: rapid.SampledFrom([]string{"", "", "base64", "hex deflate"}).Draw(t, "encoding"),
		Metrics:  map[string]payload.Metric{},
	}
	switch rapid.IntRange(0, 2).Draw(t, "form") {
	case 0:
		p.Decode.JSON = &payload.JSON{Each: each}
	case 1:
		p.Decode.CBOR = &payload.CBOR{Each: each}
	default:
		p.Decode.MsgPack = &payload.MsgPack{Each: each}
	}
	for range rapid.IntRange(0, 6).Draw(t, "metrics") {
		place := rapid.SampledFrom([][2]string{
			{"a", "a"}, {"b", "a"}, {"ab", "a.b"}, {"c", "c.0.d"}, {"e", "c.1.d"}, {"root", "$.r"}, {"*", "*"}, {"x_*", "x.*"}, {"*_t", "*.t"}, {"*_h", "*.h"},
			{"*_t_*", "*.t.*"}, {"first", "*.t"}, {"second", "*.t"}, {"value", "v"}, {"*_value", "sensors.*.value"}, {"temperature", "temperature"}, {"s1_t", "q"}, {"s", "s1.t"},
		}).Draw(t, "place")
		if each == "$" && place[0] == "root" {
			continue // what stands beside the elements is one of them, too
		}
		p.Metrics[place[0]] = drawMetric(t, place[1])
	}
	if rapid.Bool().Draw(t, "timed") {
		p = timed(p, rapid.SampledFrom([]string{"ts", "$.ts", "*.at", "a"}).Draw(t, "time"), rapid.SampledFrom([]string{"unix", "unix_ms", "rfc3339"}).Draw(t, "format"))
	}
	return p
}

// Whatever a profile asks for of a tree, a form is refused or gives what the
// gateway reads.
func TestAnyTreeThatIsSimulatedReadsBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := drawTree(t)
		valid := true
		p.Validate(func(string, string) { valid = false })
		form, err := wire.New("climate", &p)
		if err != nil || !valid {
			t.Skip()
		}
		decoder, err := payload.New(p)
		if err != nil {
			t.Fatal(err)
		}
		r := rand.New(rand.NewPCG(1, 1))
		for range 10 {
			if s, ok := form.Encode(wire.Input{Ticks: draw(form, r), At: now, Device: "d-1", Rand: r}); ok {
				compare(t, decoder, form, s, "", now)
			}
		}
	})
}
