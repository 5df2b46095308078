package protocol

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"math"
	"reflect"
	"strconv"
	"testing"
	"time"
)

func TestAppendJSON(t *testing.T) {
	r := &Reading{
		ID:           ID{0xf1, 17},
		Device:       &Device{Name: "s1", Profile: "climate", Driver: "floor", Tags: []Tag{{"area", "a"}, {"line", "2"}}},
		SourceTime:   1763805600_250000000,
		ReceivedTime: 1763805600_260000000,
		Metrics: []Metric{
			{Name: "temperature", Value: Float(21.5), Unit: "°C"}, {Name: "count", Value: Int(9007199254740993), Quality: Bad},
			{Name: "raw", Value: Bytes("\x00\xff")}, {Name: "gone"}, {Name: "nan", Value: Float(math.NaN()), Quality: Uncertain},
			{Name: "on", Value: Bool(true)}, {Name: "big", Value: Uint(math.MaxUint64)}, {Name: "say", Value: String("\"hi\"\n")},
		},
	}
	want := `{"id":"00000000000000f1-17","device":"s1","profile":"climate","driver":"floor",` +
		`"time":"2025-11-22T10:00:00.25Z","received":"2025-11-22T10:00:00.26Z","tags":{"area":"a","line":"2"},` +
		`"metrics":{"temperature":21.5,"count":9007199254740993,"raw":"AP8=","gone":null,"nan":"NaN","on":true,"big":18446744073709551615,"say":"\"hi\"\n"},` +
		`"units":{"temperature":"°C"},"quality":{"count":"bad","nan":"uncertain"}}`
	if got := string(AppendJSON(nil, r)); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	least := &Reading{Device: &Device{Name: "s1"}, ReceivedTime: 1763805600e9, Metrics: []Metric{{Name: "a", Value: Int(1)}}}
	want = `>{"id":"0000000000000000-0","device":"s1","time":"2025-11-22T10:00:00Z","metrics":{"a":1}}`
	if got := string(AppendJSON([]byte(">"), least)); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// message is what a reader of AppendJSON's form sees.
type message struct {
	ID, Device, Profile, Driver string
	Time, Received              time.Time
	Tags                        map[string]string
	Metrics                     map[string]any
	Units, Quality              map[string]string
}

// valid returns s with each byte that is not UTF-8 replaced by U+FFFD.
func valid(s string) string { return string([]rune(s)) }

// seen returns v as encoding/json with UseNumber decodes it.
func seen(v Value) any {
	switch v.Kind() {
	case KindFloat:
		if f := v.Float(); math.IsNaN(f) || math.IsInf(f, 0) {
			return v.String()
		}
		return json.Number(v.String())
	case KindInt, KindUint:
		return json.Number(v.String())
	case KindBool:
		return v.Bool()
	case KindString:
		return valid(v.Text())
	case KindBytes:
		return base64.StdEncoding.EncodeToString([]byte(v.Text()))
	}
	return nil
}

func FuzzAppendJSON(f *testing.F) {
	f.Add("s1", "area", "°C", "\"\\\n\x00\x7f\u2028", 21.5, int64(-1), int64(1763805600e9))
	f.Add("\xff", "a\xed\xa0\x80", "\xf0\x9f", "\U0001F600", math.Inf(1), int64(math.MaxInt64), int64(math.MinInt64))
	f.Fuzz(func(t *testing.T, device, tag, unit, text string, number float64, whole, at int64) {
		r := &Reading{
			ID:         ID{uint64(whole), uint64(at)},
			Device:     &Device{Name: device, Profile: text, Driver: unit, Tags: []Tag{{tag, text}}},
			SourceTime: Timestamp(at), ReceivedTime: Timestamp(whole),
			Metrics: []Metric{
				{Name: "f", Value: Float(number), Unit: unit}, {Name: "i", Value: Int(whole), Quality: Quality(whole & 3)}, {Name: "u", Value: Uint(uint64(whole))},
				{Name: "b", Value: Bool(whole > 0)}, {Name: "s", Value: String(text)}, {Name: "x", Value: Bytes(text)}, {Name: "n"},
			},
		}
		out := AppendJSON(nil, r)
		var got message
		d := json.NewDecoder(bytes.NewReader(out))
		d.UseNumber()
		if err := d.Decode(&got); err != nil || d.More() {
			t.Fatalf("%v in %s", err, out)
		}
		want := message{
			ID: r.ID.String(), Device: valid(device), Profile: valid(text), Driver: valid(unit), Time: r.Time().Time(),
			Tags: map[string]string{valid(tag): valid(text)}, Metrics: map[string]any{},
		}
		if at != 0 {
			want.Received = r.ReceivedTime.Time()
		}
		for _, m := range r.Metrics {
			want.Metrics[m.Name] = seen(m.Value)
		}
		if unit != "" {
			want.Units = map[string]string{"f": valid(unit)}
		}
		if q := Quality(whole & 3); q != Good {
			want.Quality = map[string]string{"i": q.String()}
		}
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("%s\n got %+v\nwant %+v", out, got, want)
		}
	})
}

func FuzzAppendJSONString(f *testing.F) {
	for _, s := range []string{"", "a", "\"\\/\b\f\n\r\t\x00\x1f\x7f", "é°\u2028\U0001F600", "\xff\xfe", "a\xc3", "\xed\xa0\x80"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		out := AppendJSONString([]byte(">"), s)
		var got string
		if err := json.Unmarshal(out[1:], &got); err != nil || got != valid(s) {
			t.Fatalf("%q became %s, read as %q, %v", s, out, got, err)
		}
	})
}

func TestAppendJSONFloats(t *testing.T) {
	for _, f := range []float64{0, 1, -1, 0.1, 1e21, 1e-7, 5e-324, math.MaxFloat64, 123456789.125, 1 << 53} {
		r := &Reading{Device: &Device{}, Metrics: []Metric{{Name: "m", Value: Float(f)}}}
		var got struct{ Metrics map[string]json.Number }
		if err := json.Unmarshal(AppendJSON(nil, r), &got); err != nil {
			t.Errorf("%v: %v", f, err)
		}
		if back, err := strconv.ParseFloat(string(got.Metrics["m"]), 64); err != nil || back != f {
			t.Errorf("%v came back as %v, %v", f, back, err)
		}
	}
}

func TestAppendJSONAllocatesNothing(t *testing.T) {
	r := &Reading{
		Device:     &Device{Name: "s1", Profile: "climate", Tags: []Tag{{"area", "a"}}},
		SourceTime: 1, ReceivedTime: 2,
		Metrics: []Metric{{Name: "t", Value: Float(21.5), Unit: "°C"}, {Name: "n", Value: Int(1), Quality: Bad}},
	}
	buf := make([]byte, 0, 1024)
	if n := testing.AllocsPerRun(100, func() { buf = AppendJSON(buf[:0], r) }); n != 0 {
		t.Errorf("%v allocations, want 0", n)
	}
}
