package payload

import (
	"fmt"
	"math"
	"testing"

	"pgregory.net/rapid"

	"sluice/protocol"
)

// drawnReading is a reading as a device may have it, with or without NaN.
func drawnReading(t *rapid.T, name string, binary bool) protocol.Reading {
	float := rapid.Float64()
	if !binary {
		float = rapid.Float64Range(-math.MaxFloat64, math.MaxFloat64)
	}
	value := rapid.OneOf(
		rapid.Map(float, protocol.Float),
		rapid.Map(rapid.Int64(), protocol.Int),
		rapid.Map(rapid.Uint64Min(math.MaxInt64+1), protocol.Uint),
		rapid.Map(rapid.Bool(), protocol.Bool),
		rapid.Map(rapid.String(), protocol.String),
		rapid.Map(rapid.Map(rapid.SliceOf(rapid.Byte()), func(b []byte) string { return string(b) }), protocol.Bytes),
	)
	r := protocol.Reading{Device: device, ReceivedTime: 7}
	seen := map[string]bool{"ts": true, unnamed: true}
	for range rapid.IntRange(1, 6).Draw(t, "metrics") {
		m := protocol.Metric{Name: rapid.StringMatching(name).Draw(t, "name"), Value: value.Draw(t, "value")}
		if !seen[m.Name] {
			seen[m.Name] = true
			r.Metrics = append(r.Metrics, m)
		}
	}
	if len(r.Metrics) == 0 {
		r.Metrics = []protocol.Metric{{Name: "x", Value: protocol.Bool(true)}}
	}
	return r
}

// typed returns the profile that reads r back exactly.
func typed(d Decode, r *protocol.Reading, t *Time) Profile {
	p := Profile{Decode: d, Time: t, Metrics: map[string]Metric{}}
	for _, m := range r.Metrics {
		kind := m.Value.Kind().String()
		if m.Value.Kind() == protocol.KindBytes {
			kind = ""
		}
		p.Metrics[m.Name] = Metric{Type: kind}
	}
	return p
}

func TestEncodersRoundTrip(t *testing.T) {
	for _, f := range []struct {
		name   string
		binary bool
		decode Decode
		encode func([]byte, *protocol.Reading, *Time) []byte
	}{
		{"json", false, Decode{JSON: &JSON{}}, AppendFlatJSON},
		{"cbor", true, Decode{CBOR: &CBOR{}}, AppendCBOR},
		{"msgpack", true, Decode{MsgPack: &MsgPack{}}, AppendMsgPack},
	} {
		t.Run(f.name, rapid.MakeCheck(func(t *rapid.T) {
			r := drawnReading(t, `[a-zäöü:/ "\\-]{1,12}`, f.binary)
			when := &Time{Path: "ts", Format: rapid.SampledFrom([]string{"unix", "unix_ms", "unix_us", "unix_ns", "rfc3339"}).Draw(t, "format")}
			r.SourceTime = protocol.Timestamp(rapid.Int64Range(1, 9e18).Draw(t, "time"))
			if power, layout := when.form(); layout == "" && f.binary {
				r.SourceTime -= r.SourceTime % protocol.Timestamp(powers[power])
			}
			text := f.encode(nil, &r, when)
			p := typed(f.decode, &r, when)
			d, err := New(p)
			if err != nil {
				t.Fatal(err)
			}
			b := &protocol.Batch{}
			if err := d.Decode(b, Message{Payload: text, Device: device, Received: 7}); err != nil {
				t.Fatalf("%q: %v", text, err)
			}
			sameReading(t, &b.Readings[0], &r, f.binary)
		}))
	}
}

// sameReading holds the metrics by name, because a profile's rules stand in the
// order of their names. JSON has no bytes: it gives their base64.
func sameReading(t *rapid.T, got, want *protocol.Reading, binary bool) {
	if got.SourceTime != want.SourceTime || len(got.Metrics) != len(want.Metrics) {
		t.Fatalf("got %+v, want %+v", got, want)
	}
	for _, w := range want.Metrics {
		for _, g := range got.Metrics {
			switch {
			case g.Name != w.Name:
			case w.Value.Kind() == protocol.KindBytes && !binary:
			case !same(g.Value, w.Value) && (g.Value.Float() != 0 || w.Value.Float() != 0 || g.Value.Kind() != w.Value.Kind()):
				t.Fatalf("%s: got %v, want %v", w.Name, g.Value, w.Value)
			}
		}
	}
}

func TestEncodersWithoutAProfile(t *testing.T) {
	r := protocol.Reading{SourceTime: 1763805600250000000, Metrics: []protocol.Metric{
		{Name: "t", Value: protocol.Float(21.5)}, {Name: "n", Value: protocol.Int(-3)}, {Name: "none"}, {Name: "nan", Value: protocol.Float(math.NaN())},
		{Name: "s", Value: protocol.String("a\"b")}, {Name: "b", Value: protocol.Bytes("\x01\x02")},
	}}
	unix := &Time{Path: "ts", Format: "unix"}
	for got, want := range map[string]string{
		string(AppendFlatJSON(nil, &r, unix)):                                      `{"ts":1763805600.25,"t":21.5,"n":-3,"s":"a\"b","b":"AQI="}`,
		string(AppendFlatJSON(nil, &r, nil)):                                       `{"t":21.5,"n":-3,"s":"a\"b","b":"AQI="}`,
		string(AppendFlatJSON(nil, &protocol.Reading{}, unix)):                     `{}`,
		string(AppendFlatJSON(nil, &r, &Time{Path: "ts", Format: "rfc3339"}))[:33]: `{"ts":"2025-11-22T10:00:00.25Z","`,
		fmt.Sprintf("%x", AppendCBOR(nil, &r, unix)):                               "a6" + "627473" + "fb41da486268100000" + "6174" + "fa41ac0000" + "616e22" + "636e616e" + "f97e00" + "6173" + "63612262" + "6162" + "420102",
		fmt.Sprintf("%x", AppendMsgPack(nil, &r, nil)):                             "85" + "a174" + "cb4035800000000000" + "a16efd" + "a36e616e" + "cb7ff8000000000001" + "a173" + "a3612262" + "a162" + "c4020102",
		string(AppendSenML(nil, []protocol.Reading{r})):                            `[{"bt":1763805600.25,"n":"t","v":21.5},{"n":"n","v":-3},{"n":"s","vs":"a\"b"},{"n":"b","vd":"AQI"}]`,
		fmt.Sprintf("%x", AppendSenMLCBOR(nil, []protocol.Reading{r})):             "84" + "a3" + "22c482281b187a4a0a0c2b7680"[:0] + "22c48228" + fmt.Sprintf("1b%016x", 1763805600250000000) + "006174" + "02fa41ac0000" + "a200616e0222" + "a2006173" + "0363612262" + "a2006162" + "08420102",
	} {
		if got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
}

func TestSenMLRoundTrip(t *testing.T) {
	for name, encode := range map[string]func([]byte, []protocol.Reading) []byte{"json": AppendSenML, "cbor": AppendSenMLCBOR} {
		t.Run(name, rapid.MakeCheck(func(t *rapid.T) {
			var readings []protocol.Reading
			at := rapid.Int64Range(relativeBelow*1e9, 8e18).Draw(t, "time")
			for range rapid.IntRange(1, 4).Draw(t, "readings") {
				r := drawnReading(t, `[a-z0-9][a-z:/._-]{0,12}`, false)
				if r.SourceTime = protocol.Timestamp(at); len(readings) == 0 && rapid.Bool().Draw(t, "now") {
					r.SourceTime = 0
				}
				at += rapid.Int64Range(1, 1e15).Draw(t, "step")
				for i := range r.Metrics {
					r.Metrics[i].Unit = rapid.SampledFrom([]string{"", "°C", "%RH"}).Draw(t, "unit")
				}
				readings = append(readings, r)
			}
			pack := encode(nil, readings)
			d, err := New(anySenML)
			if err != nil {
				t.Fatal(err)
			}
			b := &protocol.Batch{}
			if err := d.Decode(b, Message{Payload: pack, Device: device, Received: 7}); err != nil {
				t.Fatalf("%q: %v", pack, err)
			}
			if len(b.Readings) != len(readings) {
				t.Fatalf("%q: got %+v, want %+v", pack, b.Readings, readings)
			}
			for i, r := range readings {
				if got := &b.Readings[i]; got.SourceTime != r.SourceTime || len(got.Metrics) != len(r.Metrics) {
					t.Fatalf("%q: got %+v, want %+v", pack, got, r)
				}
				for j, w := range r.Metrics {
					g := b.Readings[i].Metrics[j]
					if g.Name != w.Name || g.Unit != w.Unit || g.Value != asRead(w.Value) {
						t.Fatalf("%q: got %+v, want %+v", pack, g, w)
					}
				}
			}
		}))
	}
}

// asRead returns v as a decoder without types reads it.
func asRead(v protocol.Value) protocol.Value {
	switch v.Kind() {
	case protocol.KindInt:
		got, _ := valueOf(v.Int())
		return got
	case protocol.KindFloat:
		if f := v.Float(); math.Trunc(f) != f || f == 0 {
			return protocol.Float(f + 0)
		}
	}
	return v
}

func TestSenMLEncoderNamesAndTimes(t *testing.T) {
	readings := []protocol.Reading{
		{SourceTime: 5e9, Metrics: []protocol.Metric{{Name: "_a é", Value: protocol.Bool(true)}}},
		{SourceTime: relativeBelow * 1e9, Metrics: []protocol.Metric{{Name: "b", Value: protocol.Int(1)}, {Name: "c", Value: protocol.Float(math.Inf(1))}}},
		{Metrics: []protocol.Metric{{Name: "", Value: protocol.Uint(1)}}},
	}
	want := `[{"n":"x_a___","vb":true},{"bt":268435456,"n":"b","v":1},{"bt":0,"n":"x","v":1}]`
	if got := string(AppendSenML(nil, readings)); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
