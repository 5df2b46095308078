package influx

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

func encoderOf(t testing.TB, measurement string, tags map[string]string) *encoder {
	t.Helper()
	e, err := newEncoder("plant-7", Config{Measurement: measurement, Tags: tags})
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
			{Name: "nan", Value: protocol.Float(math.NaN())},
		}, `m,gateway=plant-7 f=-1e+300,i=-3i,u=3i,big=18446744073709551615u,b=false,s="a\\\"b",x="AA==" 7`},
		{"reserved and empty fields", "m", nil, &protocol.Device{}, []protocol.Metric{
			{Name: "time", Value: protocol.Int(1)}, {Name: "time_", Value: protocol.Int(2)}, {Name: "_field", Value: protocol.Int(3)}, {Value: protocol.Int(4)},
		}, `m,gateway=plant-7 time__=1i,time_=2i,_field_=3i,value=4i 7`},
	}
	for _, tt := range tests {
		r := protocol.Reading{Device: tt.device, ReceivedTime: 7, Metrics: tt.metrics}
		got, ok := encoderOf(t, tt.measurement, tt.tags).appendLine([]byte("before\n"), &r)
		if !ok || string(got) != "before\n"+tt.want+"\n" {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
	}
}

func TestLineWithoutField(t *testing.T) {
	r := protocol.Reading{Device: &protocol.Device{Name: "s1"}, Metrics: []protocol.Metric{{Name: "x"}}}
	if got, ok := encoderOf(t, "m", nil).appendLine([]byte("before\n"), &r); ok || string(got) != "before\n" {
		t.Errorf("appendLine = %q, %v", got, ok)
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
		line, ok := e.appendLine(nil, &r)
		if !ok {
			t.Fatal("a reading with an integer was not encoded")
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
func checkLine(t *testing.T, decoder *lineprotocol.Decoder, e *encoder, r *protocol.Reading) {
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
		if !isStorable(m.Value) {
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
	if n := testing.AllocsPerRun(100, func() { e.appendLine(buf, &r) }); n != 0 {
		t.Errorf("appendLine allocates %v times", n)
	}
}

func BenchmarkLine(b *testing.B) {
	e, r, buf := encoderOf(b, "{profile}", nil), typical(), make([]byte, 0, 1000)
	b.ReportAllocs()
	for b.Loop() {
		e.appendLine(buf, &r)
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
