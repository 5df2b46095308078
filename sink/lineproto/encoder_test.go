package lineproto

import (
	"bytes"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/influxdata/line-protocol/v2/lineprotocol"

	"sluice/protocol"
)

func encoderOf(t testing.TB, measurement string, tags map[string]string) *Encoder {
	t.Helper()
	return encoderFor(t, Format{Measurement: measurement, Tags: tags, Precision: "ns"})
}

func encoderFor(t testing.TB, f Format) *Encoder {
	t.Helper()
	e, err := New("plant-7", f)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestLines(t *testing.T) {
	device := &protocol.Device{Name: "s1", Profile: "climate", Driver: "floor", Tags: []protocol.Tag{
		{Key: "area", Value: "hall 2"}, {Key: "device", Value: "other"}, {Key: "empty"}, {Key: "time", Value: "t"}, {Key: "time_", Value: "u"},
	}}
	one := []protocol.Metric{{Name: "t", Value: protocol.Float(21.5)}}
	tests := []struct {
		name, measurement string
		tags              map[string]string
		device            *protocol.Device
		metrics           []protocol.Metric
		want              string
	}{
		{"tags are sorted", "{profile}", nil, device, one, `climate,area=hall\ 2,device=s1,driver=floor,gateway=plant-7,time_=u,time__=t t=21.5 7`},
		{"configured tags count most", "m", map[string]string{"gateway": "{gateway}", "area": "{driver}/{nix}", "time": "", "time_": ""}, device, one, `m,area=floor/_,device=s1,driver=floor,gateway=plant-7 t=21.5 7`},
		{"no profile", "{profile}", nil, &protocol.Device{Name: "a"}, one, `readings,device=a,gateway=plant-7 t=21.5 7`},
		{"no tag at all", "{profile}", map[string]string{"gateway": ""}, &protocol.Device{}, one, `readings t=21.5 7`},
		{"values", "m", nil, &protocol.Device{}, []protocol.Metric{
			{Name: "f", Value: protocol.Float(-1e300)}, {Name: "i", Value: protocol.Int(-3)}, {Name: "u", Value: protocol.Uint(3)},
			{Name: "big", Value: protocol.Uint(math.MaxUint64)}, {Name: "b", Value: protocol.Bool(false)},
			{Name: "s", Value: protocol.String(`a\"b`)}, {Name: "x", Value: protocol.Bytes("\x00")}, {Name: "null"},
		}, `m,gateway=plant-7 f=-1e+300,i=-3i,u=3i,big=18446744073709551615u,b=false,s="a\\\"b",x="AA==" 7`},
		{"reserved and empty fields", "m", nil, &protocol.Device{}, []protocol.Metric{
			{Name: "time", Value: protocol.Int(1)}, {Name: "time_", Value: protocol.Int(2)}, {Name: "_field", Value: protocol.Int(3)}, {Value: protocol.Int(4)},
		}, `m,gateway=plant-7 time__=1i,time_=2i,_field_=3i,value=4i 7`},
	}
	for _, tt := range tests {
		r := protocol.Reading{Device: tt.device, ReceivedTime: 7, Metrics: tt.metrics}
		got, err := encoderOf(t, tt.measurement, tt.tags).Append([]byte("before\n"), &r)
		if err != nil || string(got) != "before\n"+tt.want+"\n" {
			t.Errorf("%s: %s (%v), want %s", tt.name, got, err, tt.want)
		}
	}
}

func TestLossIsNamed(t *testing.T) {
	nan, inf := protocol.Float(math.NaN()), protocol.Float(math.Inf(-1))
	tests := []struct {
		metrics []protocol.Metric
		line    string
		want    string
	}{
		{nil, "", "encode reading: it has no value"},
		{[]protocol.Metric{{Name: "x"}}, "", "encode reading: it has no value"},
		{[]protocol.Metric{{Name: "x"}, {Name: "y", Value: protocol.Int(1)}}, "m,gateway=plant-7 y=1i 7\n", ""},
		{[]protocol.Metric{{Name: "x", Value: nan}}, "", `encode reading: "x" is NaN, which line protocol cannot hold`},
		{
			[]protocol.Metric{{Name: "x", Value: nan}, {Name: "y", Value: protocol.Int(1)}, {Name: "z", Value: inf}}, "m,gateway=plant-7 y=1i 7\n",
			`encode reading: "x" is NaN, "z" is -Inf, which line protocol cannot hold; its other metrics are stored`,
		},
		{[]protocol.Metric{{Name: "a", Value: nan}, {Name: "b", Value: nan}, {Name: "c", Value: nan}, {Name: "d", Value: nan}, {Name: "e", Value: nan}}, "",
			`encode reading: "a" is NaN, "b" is NaN, "c" is NaN and 2 more, which line protocol cannot hold`},
	}
	for _, tt := range tests {
		r := protocol.Reading{Device: &protocol.Device{}, ReceivedTime: 7, Metrics: tt.metrics}
		line, err := encoderOf(t, "m", nil).Append([]byte("before\n"), &r)
		if string(line) != "before\n"+tt.line || err == nil != (tt.want == "") || err != nil && err.Error() != tt.want {
			t.Errorf("%v: %q, %v, want %q, %s", tt.metrics, line, err, tt.line, tt.want)
		}
	}
}

func TestRemarks(t *testing.T) {
	r := protocol.Reading{Device: &protocol.Device{}, ReceivedTime: 7, ClockUnset: true, Metrics: []protocol.Metric{
		{Name: "t", Value: protocol.Float(21.5), Unit: "°C", Quality: protocol.Bad},
		{Name: "a b", Value: protocol.Int(1), Unit: `"`, Quality: protocol.Uncertain},
		{Name: "u", Value: protocol.Int(2), Unit: "m"}, {Name: "u_unit", Value: protocol.Int(3)},
		{Value: protocol.Int(4), Unit: "s"},
		{Name: "gone", Unit: "V", Quality: protocol.Bad},
	}}
	for _, tt := range []struct {
		units, quality bool
		want           string
	}{
		{false, false, `m,gateway=plant-7 t=21.5,a\ b=1i,u=2i,u_unit=3i,value=4i 7`},
		{true, false, `m,gateway=plant-7 t=21.5,t_unit="°C",a\ b=1i,a\ b_unit="\"",u=2i,u_unit=3i,value=4i,value_unit="s" 7`},
		{false, true, `m,gateway=plant-7 t=21.5,t_quality="bad",a\ b=1i,a\ b_quality="uncertain",u=2i,u_unit=3i,value=4i,gone_quality="bad",clock_unset=true 7`},
	} {
		e := encoderFor(t, Format{Measurement: "m", Precision: "ns", Units: tt.units, Quality: tt.quality})
		if got, err := e.Append(nil, &r); err != nil || string(got) != tt.want+"\n" {
			t.Errorf("units %v, quality %v: %s (%v), want %s", tt.units, tt.quality, got, err, tt.want)
		}
	}
}

func TestPrecision(t *testing.T) {
	for _, tt := range []struct {
		precision string
		at        protocol.Timestamp
		want      string
	}{
		{"ns", 1763805600123456789, "1763805600123456789"}, {"us", 1763805600123456789, "1763805600123456"},
		{"ms", 1763805600123456789, "1763805600123"}, {"s", 1763805600999999999, "1763805600"},
		{"s", -1, "-1"}, {"ms", -2_000_000, "-2"}, {"ms", -2_000_001, "-3"},
	} {
		r := protocol.Reading{Device: &protocol.Device{}, SourceTime: tt.at, Metrics: []protocol.Metric{{Name: "x", Value: protocol.Int(1)}}}
		got, err := encoderFor(t, Format{Measurement: "m", Precision: tt.precision}).Append(nil, &r)
		if want := "m,gateway=plant-7 x=1i " + tt.want + "\n"; err != nil || string(got) != want {
			t.Errorf("%d in %s: %s (%v), want %s", tt.at, tt.precision, got, err, want)
		}
	}
}

func TestValidate(t *testing.T) {
	for _, tt := range []struct {
		name   string
		format Format
		want   []string
	}{
		{"the default", DefaultFormat(), nil},
		{"all wrong at once", Format{Measurement: "{x", Tags: map[string]string{"site": "}", "": "x"}, Precision: "m"},
			[]string{"measurement is wrong", "tags has a tag without", "tags.site is wrong", `precision is "m", want ns, us, ms or s`}},
	} {
		var got []string
		tt.format.Validate(func(field, problem string) { got = append(got, field+" "+problem) })
		if !slices.EqualFunc(got, tt.want, strings.HasPrefix) {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

// plain is what a name reads back as: percent-encoded where no parser agrees.
func plain(s, ends string) string {
	name := appendName(nil, s, ends)
	for _, c := range ends {
		name = bytes.ReplaceAll(name, []byte{'\\', byte(c)}, []byte{byte(c)})
	}
	return string(name)
}

func FuzzLine(f *testing.F) {
	f.Add("climate", "s1", "area", "a", "temperature", "text", 21.5, int64(-5), int64(1763805600))
	f.Add(`#x\`, `a\ b`, `k\,=`, "v\n\xff", `f\\=`, "a\"\\\n\xff", 1e-9, int64(1), int64(-1))
	f.Add("", "", "time", "=", "time", "", math.MaxFloat64, int64(0), int64(math.MinInt64))
	f.Fuzz(func(t *testing.T, measurement, device, tag, value, field, text string, number float64, integer, at int64) {
		if at == 0 || strings.ContainsAny(measurement, "{}") {
			return // not what this is about
		}
		e := encoderOf(t, measurement, nil)
		d := &protocol.Device{Name: device, Tags: []protocol.Tag{{Key: tag, Value: value}}}
		r := protocol.Reading{Device: d, SourceTime: protocol.Timestamp(at), Metrics: []protocol.Metric{
			{Name: field, Value: protocol.Float(number)}, {Name: field + "i", Value: protocol.Int(integer)}, {Name: field + "s", Value: protocol.String(text)},
		}}
		line, err := e.Append(nil, &r)
		if (err == nil) != isFinite(protocol.Float(number)) {
			t.Fatalf("Append = %v", err)
		}
		decoder := lineprotocol.NewDecoderWithBytes(slices.Concat(line, line))
		for n := range 2 {
			if !decoder.Next() {
				t.Fatalf("%q holds %d lines, want 2", line, n)
			}
			checkLine(t, decoder, e, &r)
		}
		if decoder.Next() {
			t.Fatalf("%q holds more than one line", line)
		}
	})
}

// checkLine compares a decoded line with the reading.
func checkLine(t *testing.T, decoder *lineprotocol.Decoder, e *Encoder, r *protocol.Reading) {
	measurement, err := decoder.Measurement()
	want := plain(e.measurement.String(), endsMeasurement)
	if want == "" {
		want = "readings"
	}
	if err != nil || string(measurement) != want {
		t.Fatalf("measurement %q (%v), want %q", measurement, err, want)
	}
	wantTags, tags, last := map[string]string{}, map[string]string{}, ""
	for key, value := range e.tagsOf(r.Device) {
		wantTags[plain(key, endsKey)] = plain(value, endsKey)
	}
	for {
		key, value, err := decoder.NextTag()
		if err != nil {
			t.Fatal(err)
		}
		if key == nil {
			break
		}
		if isReserved(string(key)) || last != "" && last == string(key) {
			t.Fatalf("tag %q is reserved or there twice", key)
		}
		last = string(key)
		tags[last] = string(value)
	}
	if !maps.Equal(tags, wantTags) {
		t.Fatalf("tags %q, want %q", tags, wantTags)
	}
	for i := range r.Metrics {
		m := &r.Metrics[i]
		if !isFinite(m.Value) {
			continue
		}
		key, value, err := decoder.NextField()
		if err != nil {
			t.Fatal(err)
		}
		if name := plain(fieldKey(r.Metrics, m.Name), endsKey); string(key) != name || isReserved(name) {
			t.Fatalf("field %q, want %q", key, name)
		}
		if got, want := value.Interface(), interfaceOf(m.Value); got != want {
			t.Fatalf("field %q is %v, want %v", key, got, want)
		}
	}
	if key, _, err := decoder.NextField(); key != nil || err != nil {
		t.Fatalf("one more field %q (%v)", key, err)
	}
	if at, err := decoder.TimeBytes(); err != nil || string(at) != protocol.Int(int64(r.Time())).String() {
		t.Fatalf("time %q (%v), want %d", at, err, r.Time())
	}
}

func interfaceOf(v protocol.Value) any {
	switch v.Kind() {
	case protocol.KindFloat:
		return v.Float()
	case protocol.KindInt:
		return v.Int()
	}
	return strings.ToValidUTF8(v.Text(), "\uFFFD")
}

func TestLineAllocatesNothing(t *testing.T) {
	e, r, buf := encoderOf(t, "{profile}", nil), typical(), make([]byte, 0, 1000)
	if n := testing.AllocsPerRun(100, func() { _, _ = e.Append(buf, &r) }); n != 0 {
		t.Errorf("Append allocates %v times", n)
	}
}

func BenchmarkLine(b *testing.B) {
	e, r, buf := encoderOf(b, "{profile}", nil), typical(), make([]byte, 0, 1000)
	b.ReportAllocs()
	for b.Loop() {
		_, _ = e.Append(buf, &r)
	}
}

// typical returns a reading of four metrics.
func typical() protocol.Reading {
	return protocol.Reading{
		Device:     &protocol.Device{Name: "sensor-17", Profile: "climate", Tags: []protocol.Tag{{Key: "area", Value: "hall-2"}}},
		SourceTime: 1763805600123456789,
		Metrics: []protocol.Metric{
			{Name: "temperature", Value: protocol.Float(21.53)}, {Name: "humidity", Value: protocol.Float(45.3)},
			{Name: "count", Value: protocol.Int(12345)}, {Name: "state", Value: protocol.String("running")},
		},
	}
}
