package nmea_test

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"pgregory.net/rapid"

	"sluice/protocol"
	"sluice/protocol/payload/nmea"
)

// shown writes a reading as "name=value unit …, time".
func shown(r *protocol.Reading) string {
	var parts []string
	for _, m := range r.Metrics {
		parts = append(parts, strings.TrimSpace(fmt.Sprintf("%s=%v %s", m.Name, m.Value, m.Unit)))
	}
	if r.Device != nil {
		parts = append(parts, fmt.Sprint(r.Device.Tags))
	}
	if r.SourceTime != 0 {
		parts = append(parts, r.SourceTime.Time().Format(time.RFC3339Nano))
	}
	return strings.Join(parts, ", ")
}

// summed returns sentence with its checksum.
func summed(sentence string) string {
	return fmt.Sprintf("%s*%02X", sentence, nmea.Checksum([]byte(sentence[1:])))
}

func TestDecode(t *testing.T) {
	for _, c := range []struct{ sentence, want string }{
		{"$GPRMC,123519,A,4807.038,N,01131.000,E,022.4,084.4,230394,003.1,W*6A\r\n",
			"status=A, latitude=48.1173 °, longitude=11.516666666666667 °, speed=22.4 kn, course=84.4 °, magnetic_variation=-3.1 °, 1994-03-23T12:35:19Z"},
		{summed("$GNRMC,235959.25,V,,,,,,,311279,,,N"), "status=V, mode=N"},
		{summed("$GNRMC,235959.25,A,0000.000,N,00000.000,W,,,311279,,,A,V"),
			"status=A, latitude=0 °, longitude=0 °, mode=A, nav_status=V, 2079-12-31T23:59:59.25Z"},
		{summed("$GNRMC,235959,A,4807.038,N,01131.000,E,022.4,084.4,310226,,,N"), "status=A, mode=N"},
		{summed("$GNRMC,235959,A,,,,,,,310226,,,A"), "status=A, mode=A"}, // there is no such day
		{"GPGLL,4916.45,N,12311.12,W,225444,A", "latitude=49.274166666666666 °, longitude=-123.18533333333333 °, status=A"},
		{summed("$GPGGA,123519,4807.038,N,01131.000,E,0,00,99.9,545.4,M,46.9,M,,"), "fix=0, satellites=0"},
		{summed("$GPGGA,123519,4807.038,N,01131.000,E,2,08,0.9,545.4,M,46.9,M,3.5,0120"),
			"latitude=48.1173 °, longitude=11.516666666666667 °, fix=2, satellites=8, hdop=0.9, altitude=545.4 m, geoid_separation=46.9 m, dgps_age=3.5 s, dgps_station=0120"},
		{summed("$GPVTG,054.7,T,,M,005.5,N,010.2,K,D"), "course=54.7 °, speed=5.5 kn, speed_kmh=10.2 km/h, mode=D"},
		{summed("$GPVTG,054.7,T,,M,005.5,N,010.2,K,N"), "mode=N"},
		{summed("$GNGNS,014035.00,4332.69262,S,17235.48549,E,NN,00,99.9,,,,"), "mode=NN, satellites=0"},
		{summed("$GPZDA,201530.00,04,07,2002,-05,30"), "day=4, month=7, year=2002, zone_hours=-5, zone_minutes=30, 2002-07-04T20:15:30Z"},
		{summed("$GPZDA,235960,31,12,2016,,"), "day=31, month=12, year=2016, 2017-01-01T00:00:00Z"}, // a leap second
		{summed("$GPGSA,A,3,04,05,,09,12,,,24,,,,,2.5,1.3,2.1"), "selection=A, fix_type=3, satellites_used=04,05,,09,12,,,24, pdop=2.5, hdop=1.3, vdop=2.1"},
		{summed("$GPGSA,A,1,,,,,,,,,,,,,99.99,99.99,99.99"), "selection=A, fix_type=1"},
		{summed("$GAGSV,1,1,02,03,12,083,46.5,05,,,,7"), "sentences=1, sentence=1, satellites_in_view=2, ga03_elevation=12 °, ga03_azimuth=83 °, ga03_snr_7=46.5 dB, signal=7"},
		{summed("$IIMWV,217.4,R,12.5,M,A"), "wind_angle=217.4 °, wind_reference=R, wind_speed=12.5 m/s, status=A"},
		{summed("$IIMWV,217.4,R,12.5,N,V"), "wind_reference=R, status=V"},
		{summed("$IIRSA,10.5,A,0.4,V"), "rudder_starboard=10.5 °"},
		{summed("$WIXDR,C,22.5,C,AIR,P,1.0123,B,Barometer,H,45,P,,C,21,C,,C,20,C,"),
			"AIR=22.5 °C, Barometer=1.0123 bar, humidity=45 %, temperature=21 °C, temperature_2=20 °C"},
		{summed("$GPGRS,024603.00,1,-1.8,,0.3,,,,,,,,,"), "residuals_computed=1, residual_1=-1.8 m, residual_3=0.3 m"},
		{summed("!AIVDM,1,1,,B,177KQJ5000G?tO`K>RA1wUbN0TKH,0"), "sentences=1, sentence=1, channel=B, payload=177KQJ5000G?tO`K>RA1wUbN0TKH, fill_bits=0"},
		{`\s:radar,c:1553390539*62\$HEHDT,123.4,T`, ""},
		{`\s:radar,c:1553390539*5F\$HEHDT,123.4,T`, "heading=123.4 °, [{source radar}], 2019-03-24T01:22:19Z"},
		{`\c:1553390539500*6B\$HEHDT,123.4,T`, "heading=123.4 °, 2019-03-24T01:22:19.5Z"},
	} {
		var b protocol.Batch
		err := nmea.New(nmea.DefaultConfig()).Decode(&b, []byte(c.sentence))
		switch {
		case c.want == "" && err == nil:
			t.Errorf("%s is read: %s", c.sentence, shown(&b.Readings[0]))
		case c.want != "" && err != nil:
			t.Errorf("%s: %v", c.sentence, err)
		case c.want != "" && shown(&b.Readings[0]) != c.want:
			t.Errorf("%s\n got %s\nwant %s", c.sentence, shown(&b.Readings[0]), c.want)
		}
	}
}

func TestRefusals(t *testing.T) {
	for sentence, want := range map[string]string{
		"":       "empty",
		"\r\n":   "empty",
		"$":      "syntax",
		"$GP":    "syntax",
		"$gprmc": "syntax",
		"$GPRMC,123519,A,4807.038,N,01131.000,E,022.4,084.4,230394,003.1,W*6B":  "checksum",
		"$GPRMC,123519,A,4807.038,N,01131.000,E,022.4,084.4,230394,003.1,W*6":   "checksum",
		"$GPRMC,123519,A,4807.038,N,01131.000,E,022.4,084.4,230394,003.1,W*6A0": "checksum",
		"$GPRMC,1235$GPRMC,123519,A,4807.038,N,01131.000,E":                     "syntax",
		"$GPRMC,123519,A,4807.038,N,01131\x00000,E":                             "syntax",
		"$GPRMC,123519,D":                      "syntax",
		"$GPRMC,12351,A":                       "time",
		"$GPRMC,250000,A":                      "time",
		"$GPRMC,123519,A,,,,,,,2303":           "time",
		"$GPGLL,9000.001,N,0000.0,E":           "syntax",
		"$GPGLL,4860.000,N,0000.0,E":           "syntax",
		"$GPGLL,4800.000,,0000.0,E":            "syntax",
		"$GPGLL,4800.0.0,N,0000.0,E":           "syntax",
		"$GPGGA,,,,,,12":                       "syntax",
		"$GPVTG,T,45.5,67.5,M,30.45,N,56.40,K": "syntax",
		"$GPRM,1":                              "syntax",
		"$GPXYZ,1":                             "kind",
		"$PUBX,00":                             "kind",
		"$PMTKCHN,00":                          "kind",
		"$CCGPQ,GGA":                           "kind",
		"$GPVTG,,,,,,,,":                       "missing",
		"$GPTXT,01,01,02,\xff":                 "utf8",
		`\s:radar`:                             "syntax",
		`\s:radar*00\$HEHDT,1,T`:               "checksum",
		"$GPTXT,01,01,02," + strings.Repeat("x", 2000): "size",
	} {
		b := protocol.Batch{Readings: []protocol.Reading{{ReceivedTime: 7}}}
		err := nmea.New(nmea.DefaultConfig()).Decode(&b, []byte(sentence))
		var refusal *protocol.Refusal
		if !errors.As(err, &refusal) || refusal.Reason != want {
			t.Errorf("%q: %v, want %s", sentence, err, want)
		}
		if len(b.Readings) != 1 || b.Readings[0].ReceivedTime != 7 {
			t.Errorf("%q: the batch is changed", sentence)
		}
	}
	(&nmea.Config{Checksum: "no"}).Validate(func(field, problem string) {
		if field+" "+problem != `checksum is "no", want required or optional` {
			t.Error(field, problem)
		}
	})
	var b protocol.Batch
	err := nmea.New(nmea.Config{Checksum: "required"}).Decode(&b, []byte("$HEHDT,123.4,T"))
	if err == nil || err.(*protocol.Refusal).Reason != "checksum" {
		t.Errorf("without checksum: %v", err)
	}
}

func TestDatesComeFromEarlierSentences(t *testing.T) {
	d := nmea.New(nmea.DefaultConfig())
	for _, step := range []struct{ sentence, want string }{
		{"$GPGLL,4916.45,N,12311.12,W,225444,A", ""},
		{"$GPRMC,225445,V,,,,,,,060180,,,N", ""}, // no fix: no date either
		{"$GPGLL,4916.45,N,12311.12,W,225446,A", ""},
		{"$GPRMC,235959.50,A,4916.45,N,12311.12,W,,,280224,,,A", "2024-02-28T23:59:59.5Z"},
		{"$GPGLL,4916.45,N,12311.12,W,000000.5,A", "2024-02-29T00:00:00.5Z"},
		{"$GPGLL,4916.45,N,12311.12,W,235959.9,A", "2024-02-28T23:59:59.9Z"},
		{"$GPGLL,4916.45,N,12311.12,W,100000,A", "2024-02-29T10:00:00Z"},
		{"$GPGLL,4916.45,N,12311.12,W,200000,A", "2024-02-29T20:00:00Z"},
		{"$GPGLL,4916.45,N,12311.12,W,040000,A", "2024-03-01T04:00:00Z"},
		{"$GPGLL,4916.45,N,12311.12,W,,A", ""},
		{"$GPZDA,000001,01,01,2030,00,00", "2030-01-01T00:00:01Z"},
		{"$GPGGA,235959,,,,,1,03", "2029-12-31T23:59:59Z"},
	} {
		var b protocol.Batch
		if err := d.Decode(&b, []byte(step.sentence)); err != nil {
			t.Fatal(err)
		}
		got := ""
		if at := b.Readings[0].SourceTime; at != 0 {
			got = at.Time().Format(time.RFC3339Nano)
		}
		if got != step.want {
			t.Errorf("%s is of %q, want %q", step.sentence, got, step.want)
		}
	}
}

func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		or := func(lo, hi float64, name string) float64 {
			if rapid.IntRange(0, 4).Draw(t, "no "+name) == 0 {
				return math.NaN()
			}
			return rapid.Float64Range(lo, hi).Draw(t, name)
		}
		f := nmea.Fix{
			Time:     time.Unix(rapid.Int64Range(315964800, 3471292799).Draw(t, "time"), 0),
			Latitude: or(-90, 90, "latitude"), Longitude: or(-180, 180, "longitude"), Altitude: or(-400, 9000, "altitude"),
			Speed: or(0, 500, "speed"), Course: or(0, 359.99, "course"), HDOP: or(0, 50, "hdop"),
			Satellites: rapid.IntRange(0, 40).Draw(t, "satellites"), Quality: rapid.IntRange(1, 8).Draw(t, "quality"),
		}
		d := nmea.New(nmea.Config{Checksum: "required"})
		var b protocol.Batch
		for _, sentence := range [][]byte{nmea.AppendRMC(nil, "GN", f), nmea.AppendGGA([]byte{}, "GN", f), nmea.AppendVTG(nil, "GN", f)} {
			if err := d.Decode(&b, sentence); err != nil {
				t.Fatalf("%s: %v", sentence, err)
			}
		}
		for i, wants := range []map[string]float64{
			{"latitude": f.Latitude, "longitude": f.Longitude, "speed": f.Speed, "course": f.Course},
			{"latitude": f.Latitude, "longitude": f.Longitude, "altitude": f.Altitude, "hdop": f.HDOP, "satellites": float64(f.Satellites), "fix": float64(f.Quality)},
			{"course": f.Course, "speed": f.Speed, "speed_kmh": f.Speed * 1.852},
		} {
			r := &b.Readings[i]
			for name, want := range wants {
				checkNear(t, r, name, want)
			}
			if i < 2 && r.SourceTime != protocol.At(f.Time) {
				t.Fatalf("sentence %d is of %v, want %v", i, r.SourceTime.Time(), f.Time.UTC())
			}
		}
	})
}

// checkNear holds a metric against what was sent, NaN for nothing.
func checkNear(t *rapid.T, r *protocol.Reading, name string, want float64) {
	at := slices.IndexFunc(r.Metrics, func(m protocol.Metric) bool { return m.Name == name })
	if at < 0 {
		if !math.IsNaN(want) {
			t.Fatalf("no %s in %s", name, shown(r))
		}
		return
	}
	near := 0.005000001
	if strings.HasSuffix(name, "itude") && name != "altitude" {
		near = 1e-8
	}
	if got, _ := r.Metrics[at].Value.Number(); !(math.Abs(got-want) <= near) {
		t.Fatalf("%s is %v, want %v", name, got, want)
	}
}

func TestAppendSentence(t *testing.T) {
	got := string(nmea.AppendSentence([]byte("x"), "GP", "GLL", "4916.45", "N", "12311.12", "W", "225444", "A"))
	if got != "x$GPGLL,4916.45,N,12311.12,W,225444,A*31\r\n" {
		t.Error(got)
	}
	if got := string(nmea.AppendRMC(nil, "GP", nmea.Fix{Latitude: math.NaN(), Longitude: math.NaN(), Speed: math.NaN(), Course: math.NaN()})); got != "$GPRMC,,V,,,,,,,,,,N*53\r\n" {
		t.Error(got)
	}
}

var stream = []string{
	"$GPRMC,123519,A,4807.038,N,01131.000,E,022.4,084.4,230394,003.1,W*6A\r\n",
	"$GPGGA,123204.00,5106.94086,N,01701.51680,E,1,06,3.86,127.9,M,40.5,M,,*51\r\n",
	"$GPGSV,4,1,13,02,28,259,33,04,12,212,27,05,34,305,30,07,79,138,*7F\r\n",
	"$GPGSA,A,3,02,08,09,05,04,26,,,,,,,4.92,3.86,3.05*00\r\n",
	"$SDXDR,C,23.15,C,WTHI*70\r\n",
	"$GPVTG,054.7,T,034.4,M,005.5,N,010.2,K*48\r\n",
}

func TestDecodeAllocatesNothing(t *testing.T) {
	d := nmea.New(nmea.DefaultConfig())
	var b protocol.Batch
	messages := make([][]byte, len(stream))
	for i := range stream {
		messages[i] = []byte(stream[i])
	}
	if n := testing.AllocsPerRun(100, func() {
		b.Reset()
		for _, m := range messages {
			if err := d.Decode(&b, m); err != nil {
				t.Fatal(err)
			}
		}
	}); n != 0 {
		t.Errorf("%v allocations for %d sentences", n, len(stream))
	}
}

func BenchmarkDecode(b *testing.B) {
	for _, sentence := range stream[:3] {
		b.Run(sentence[3:6], func(b *testing.B) {
			d, message := nmea.New(nmea.DefaultConfig()), []byte(sentence)
			var batch protocol.Batch
			b.SetBytes(int64(len(message)))
			b.ReportAllocs()
			for b.Loop() {
				batch.Reset()
				if err := d.Decode(&batch, message); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkAppendRMC(b *testing.B) {
	f := nmea.Fix{Time: time.Unix(1700000000, 0), Latitude: 48.1, Longitude: 11.5, Speed: 3, Course: 90, Quality: 1}
	dst := nmea.AppendRMC(nil, "GP", f)
	b.ReportAllocs()
	for b.Loop() {
		dst = nmea.AppendRMC(dst[:0], "GP", f)
	}
}

func FuzzDecode(f *testing.F) {
	for _, sentence := range stream {
		f.Add([]byte(sentence), false)
	}
	f.Add([]byte(`\s:radar,c:1553390539*5F\$HEHDT,123.4,T`), false)
	f.Add([]byte("$GPZDA,201530.00,04,07,2002,-05,30"), true)
	f.Add([]byte("$GPGRS,024603.00,1,-1.8,,0.3,,,,,,,,,"), true)
	d := nmea.New(nmea.DefaultConfig())
	f.Fuzz(func(t *testing.T, message []byte, again bool) {
		before := bytes.Clone(message)
		var b protocol.Batch
		b.Add().ReceivedTime = 7
		err := d.Decode(&b, message)
		if !bytes.Equal(before, message) {
			t.Fatal("the message is changed")
		}
		if err != nil {
			var refusal *protocol.Refusal
			if !errors.As(err, &refusal) || !slices.Contains(protocol.Reasons(), refusal.Reason) || len(b.Readings) != 1 {
				t.Fatalf("%v, %d readings", err, len(b.Readings))
			}
			return
		}
		if len(b.Readings) != 2 || len(b.Readings[1].Metrics) == 0 || len(b.Readings[1].Metrics) > len(message) {
			t.Fatal(b.Readings)
		}
		names := map[string]bool{}
		for _, m := range b.Readings[1].Metrics {
			if m.Name == "" || names[m.Name] || !utf8.ValidString(m.Name) || !utf8.ValidString(m.Unit) || !utf8.ValidString(m.Value.Text()) || m.Value.IsNull() {
				t.Fatalf("%+v", m)
			}
			names[m.Name] = true
			if v, _ := m.Value.Number(); math.IsNaN(v) || math.IsInf(v, 0) {
				t.Fatalf("%+v", m)
			}
		}
	})
}
