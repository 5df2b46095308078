package payload

import (
	"math"
	"strings"
	"testing"
	"time"

	"sluice/protocol"
	"sluice/protocol/payload/nmea"
)

// meter is a format whose messages hold as many readings as they have bytes:
// 'a' one of the meter itself, 'b' one of a meter behind it, 'x' is refused.
type meter struct{ behind *protocol.Device }

func (f meter) Decode(b *protocol.Batch, message []byte) error {
	if strings.Contains(string(message), "x") {
		return protocol.Refuse("syntax", "there is an x")
	}
	for _, c := range message {
		r := b.Add()
		r.Metrics = append(r.Metrics,
			protocol.Metric{Name: "1.8.0", Value: protocol.Int(12345), Unit: "Wh"},
			protocol.Metric{Name: "state", Value: protocol.Uint(2)},
			protocol.Metric{Name: "clock", Value: protocol.Uint(1_795_348_800)},
			protocol.Metric{Name: "big", Value: protocol.Uint(math.MaxUint64)},
			protocol.Metric{Name: "nan", Value: protocol.Float(math.NaN())},
			protocol.Metric{Name: "gone", Quality: protocol.Bad},
		)
		if c == 'b' {
			r.Device = f.behind
			r.Metrics = r.Metrics[:1]
		}
	}
	return nil
}

func refinedBy(t testing.TB, p Profile, f format) *refined {
	t.Helper()
	return newRefined(newPlan(p), f)
}

func TestRefine(t *testing.T) {
	behind := &protocol.Device{Name: "meter/2", Tags: []protocol.Tag{{Key: "area", Value: "roof"}, {Key: "id", Value: "7"}}}
	base := &protocol.Device{Name: "meter", Driver: "d", Profile: "p", Tags: []protocol.Tag{{Key: "area", Value: "a"}, {Key: "floor", Value: "1"}}}
	d := refinedBy(t, Profile{
		Time: &Time{Path: "clock", Format: "unix"},
		Metrics: map[string]Metric{
			"energy":   {Path: "1.8.0", Unit: "kWh", Scale: ptr(0.001)},
			"energy_i": {Path: "1.8.0", Type: "int", Range: []float64{0, 100}},
			"state":    {Map: map[string]string{"2": "running"}},
			"big":      {Type: "uint"},
			"nan":      {Type: "float"},
			"gone":     {Type: "int"},
		},
	}, meter{behind})
	b := &protocol.Batch{}
	for range 2 {
		b.Reset()
		if err := d.Decode(b, Message{Payload: []byte("ab"), Device: base, Received: 7}); err != nil {
			t.Fatal(err)
		}
	}
	if len(b.Readings) != 2 || b.Readings[0].Device != base || b.Readings[0].ReceivedTime != 7 {
		t.Fatalf("%+v", b.Readings)
	}
	var got []string
	for _, m := range b.Readings[0].Metrics {
		got = append(got, strings.TrimSpace(m.Name+"="+m.Value.Kind().String()+":"+m.Value.String()+" "+m.Unit+" "+m.Quality.String()))
	}
	want := "energy=float:12.345 kWh good|energy_i=int:12345 Wh bad|state=string:running  good|big=uint:18446744073709551615  good|nan=float:NaN  good|gone=null:null  bad"
	if strings.Join(got, "|") != want {
		t.Errorf("got  %s\nwant %s", strings.Join(got, "|"), want)
	}
	if at := b.Readings[0].SourceTime.Time(); !at.Equal(time.Unix(1_795_348_800, 0)) {
		t.Errorf("time %v", at)
	}
	second := b.Readings[1].Device
	if second.Name != "meter/2" || second.Driver != "d" || second.Profile != "p" || len(second.Tags) != 3 ||
		second.Tags[0] != (protocol.Tag{Key: "area", Value: "roof"}) || second.Tags[1].Key != "floor" || second.Tags[2].Value != "7" {
		t.Errorf("%+v", second)
	}
	if base.Name != "meter" || len(base.Tags) != 2 || behind.Driver != "" {
		t.Error("a device was changed")
	}
	b.Reset()
	if _ = d.Decode(b, Message{Payload: []byte("b"), Device: base}); b.Readings[0].Device != second {
		t.Error("another pointer for the same device")
	}
}

func TestRefineKeepsAndDrops(t *testing.T) {
	one := map[string]Metric{"energy": {Path: "1.8.0"}}
	for _, c := range []struct {
		p       Profile
		payload string
		want    []int // metrics of each reading
	}{
		{Profile{}, "ab", []int{6, 1}},
		{Profile{Others: "drop"}, "ab", nil},
		{Profile{Metrics: one}, "ab", []int{1, 1}},
		{Profile{Metrics: one, Others: "keep"}, "ab", []int{6, 1}},
		{Profile{Metrics: map[string]Metric{"state": {}}}, "bab", []int{1}},
		{Profile{}, "ax", nil},
	} {
		b := &protocol.Batch{Readings: make([]protocol.Reading, 1, 8)}
		err := refinedBy(t, c.p, meter{}).Decode(b, Message{Payload: []byte(c.payload), Device: device})
		if (err != nil) != (c.want == nil) || len(b.Readings) != 1+len(c.want) {
			t.Errorf("%+v of %s: %v, %d readings", c.p, c.payload, err, len(b.Readings)-1)
			continue
		}
		for i, n := range c.want {
			if got := len(b.Readings[i+1].Metrics); got != n {
				t.Errorf("%+v of %s: reading %d has %d metrics, want %d", c.p, c.payload, i, got, n)
			}
		}
	}
}

func TestRefineConverts(t *testing.T) {
	for _, c := range []struct {
		m    Metric
		in   protocol.Value
		want string // "" when it is refused
	}{
		{Metric{}, protocol.Bytes("\x01"), `bytes:"\x01"`},
		{Metric{Type: "string"}, protocol.Int(5), "string:5"},
		{Metric{Type: "string"}, protocol.Bytes("\x01"), ""},
		{Metric{Type: "bool"}, protocol.Int(1), "bool:true"},
		{Metric{Type: "bool"}, protocol.Float(0), "bool:false"},
		{Metric{Type: "bool"}, protocol.Int(2), ""},
		{Metric{Type: "bool"}, protocol.String("ON"), "bool:true"},
		{Metric{Type: "int"}, protocol.String("12"), "int:12"},
		{Metric{Type: "int"}, protocol.String("x"), ""},
		{Metric{Type: "int"}, protocol.Float(12), "int:12"},
		{Metric{Type: "int"}, protocol.Float(12.5), ""},
		{Metric{Type: "int"}, protocol.Float(math.NaN()), ""},
		{Metric{Type: "int"}, protocol.Uint(math.MaxUint64), ""},
		{Metric{Type: "uint"}, protocol.Int(-1), ""},
		{Metric{Type: "float"}, protocol.Float(math.Inf(1)), "float:+Inf"},
		{Metric{Scale: ptr(0.1)}, protocol.Float(math.Inf(1)), "float:+Inf"},
		{Metric{Scale: ptr(0.1)}, protocol.Float(math.NaN()), "float:NaN"},
		{Metric{Scale: ptr(0.1)}, protocol.Int(453), "float:45.3"},
		{Metric{Scale: ptr(0.1)}, protocol.Float(45.3), "float:4.53"},
		{Metric{Scale: ptr(2.0), Type: "int"}, protocol.Int(21), "int:42"},
		{Metric{Scale: ptr(2.0)}, protocol.Bool(true), ""},
		{Metric{Map: map[string]string{"true": "1"}}, protocol.Bool(true), "float:1"},
		{Metric{Map: map[string]string{"1.5": "high"}}, protocol.Float(1.5), "string:high"},
	} {
		rules := newRules(map[string]Metric{"m": c.m})
		v, ok := rules[0].convert(c.in)
		got := ""
		if ok {
			got = v.Kind().String() + ":" + v.String()
		}
		if got != c.want {
			t.Errorf("%+v of %v: got %q, want %q", c.m, c.in, got, c.want)
		}
	}
}

func TestRefineAllocatesNothing(t *testing.T) {
	d := refinedBy(t, Profile{Time: &Time{Path: "clock", Format: "unix"}, Metrics: map[string]Metric{
		"energy": {Path: "1.8.0", Scale: ptr(0.001)}, "state": {Type: "int"},
	}}, meter{&protocol.Device{Name: "m2"}})
	b, m := &protocol.Batch{}, Message{Payload: []byte("ab"), Device: device}
	allocs := testing.AllocsPerRun(100, func() {
		b.Reset()
		if err := d.Decode(b, m); err != nil {
			t.Fatal(err)
		}
	})
	if allocs != 0 {
		t.Errorf("%v allocations", allocs)
	}
}

// TestDatesAreOfOneDevice: what one receiver says about the date does not count
// for another.
func TestDatesAreOfOneDevice(t *testing.T) {
	d := decoder(t, Profile{Decode: Decode{NMEA: &nmea.Config{}}})
	const rmc, gga = "$GPRMC,225446,A,4916.45,N,12311.12,W,000.5,054.7,191194,020.3,E*68", "$GPGGA,225447.000,5321.6802,N,00630.3372,W,1,8,1.03,61.7,M,55.2,M,,*7D"
	a, b := &protocol.Device{Name: "a"}, &protocol.Device{Name: "b"}
	for _, c := range []struct {
		device  *protocol.Device
		message string
		timed   bool
	}{{a, gga, false}, {a, rmc, true}, {a, gga, true}, {b, gga, false}} {
		batch := &protocol.Batch{}
		if err := d.Decode(batch, Message{Payload: []byte(c.message), Device: c.device}); err != nil {
			t.Fatal(err)
		}
		if got := batch.Readings[0].SourceTime != 0; got != c.timed {
			t.Errorf("%s of %s has a time: %v", c.message[:6], c.device.Name, got)
		}
	}
}
