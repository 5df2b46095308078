package cayennelpp

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"sluice/protocol"
)

func shown(b *protocol.Batch) string {
	var text []string
	for i := range b.Readings {
		for _, m := range b.Readings[i].Metrics {
			text = append(text, fmt.Sprintf("%s=%s%s", m.Name, m.Value, m.Unit))
		}
		if at := b.Readings[i].SourceTime; at != 0 {
			text = append(text, fmt.Sprintf("@%d", at))
		}
	}
	return strings.Join(text, " ")
}

func TestDecode(t *testing.T) {
	tests := []struct{ name, payload, want string }{
		{"two temperatures", "03670110056700FF", "temperature_3=27.2°C temperature_5=25.5°C"},
		{"below zero", "0167FFD7", "temperature_1=-4.1°C"},
		{"an accelerometer", "067104D2FB2E0000", "accelerometer_6_x=1.234g accelerometer_6_y=-1.234g accelerometer_6_z=0g"},
		{"a position", "018806765FF2960A0003E8", "gps_1_latitude=42.3519° gps_1_longitude=-87.9094° gps_1_altitude=10m"},
		{"the original types", "00000101010002020064FF03FF9C0465FFFF0566010668C8077327920886FFFF00010064",
			"digital_input_0=1 digital_output_1=0 analog_input_2=1 analog_output_255=-1 luminosity_4=65535lx presence_5=1 humidity_6=100% barometer_7=1013hPa gyrometer_8_x=-0.01°/s gyrometer_8_y=0.01°/s gyrometer_8_z=1°/s"},
		{"the added types", "0164FFFFFFFF0174014A017503E80176000000320178640179FF9C017D019001800BB8018200000FA001830001E2400184010E01856554A2C0018710FF00018E01",
			"generic_1=4294967295 voltage_1=3.3V current_1=1A frequency_1=50Hz percentage_1=100% altitude_1=-100m concentration_1=400ppm power_1=3000W distance_1=4m energy_1=123.456kWh direction_1=270° unixtime_1=1700045504s colour_1_red=16 colour_1_green=255 colour_1_blue=0 switch_1=1"},
		{"the first of two", "0167000A01670014", "temperature_1=1°C"},
	}
	for _, tt := range tests {
		p, err := hex.DecodeString(tt.payload)
		if err != nil {
			t.Fatal(tt.name, err)
		}
		var b protocol.Batch
		if err := New(DefaultConfig()).Decode(&b, p); err != nil || shown(&b) != tt.want {
			t.Errorf("%s:\n%s (%v), want\n%s", tt.name, shown(&b), err, tt.want)
		}
	}
}

func TestTime(t *testing.T) {
	var b protocol.Batch
	p := []byte{1, 133, 0x65, 0x54, 0xa2, 0xc0, 2, 133, 0, 0, 0, 1}
	if err := New(Config{Time: true}).Decode(&b, p); err != nil || shown(&b) != "unixtime_1=1700045504s unixtime_2=1s @1700045504000000000" {
		t.Error(shown(&b), err)
	}
}

func TestRefusals(t *testing.T) {
	tests := []struct{ message, want string }{
		{"", "empty: the message is empty"},
		{strings.Repeat("\x00", maxMessage+1), "size: 1025 bytes, want at most 1024"},
		{"\x01\x67\x00\x01\x02", "syntax: byte 4: want a channel and a type, found 1 byte"},
		{"\x01\x67\x00\x01\x02\x67\x00", "syntax: byte 4: channel 2, temperature: want 2 bytes, found 1"},
		{"\x01\x67\x00\x01\x02\xf0\x00", "kind: byte 4: channel 2 is of the unknown type 240"},
	}
	for _, tt := range tests {
		b := protocol.Batch{Readings: []protocol.Reading{{SourceTime: 1}}}
		err := New(DefaultConfig()).Decode(&b, []byte(tt.message))
		if _, ok := err.(*protocol.Refusal); !ok || err.Error() != tt.want || len(b.Readings) != 1 {
			t.Errorf("%.40q: %v and %d readings, want %s", tt.message, err, len(b.Readings), tt.want)
		}
	}
}

// TestRoundTrip encodes what was decoded: the same bytes come out.
func TestRoundTrip(t *testing.T) {
	types := slices.Sorted(maps.Keys(kinds))
	rapid.Check(t, func(t *rapid.T) {
		typ := rapid.SampledFrom(types).Draw(t, "type")
		n := kinds[typ].size * len(kinds[typ].values)
		payload := append([]byte{rapid.Byte().Draw(t, "channel"), byte(typ)}, rapid.SliceOfN(rapid.Byte(), n, n).Draw(t, "payload")...)
		var b protocol.Batch
		if err := New(DefaultConfig()).Decode(&b, payload); err != nil {
			t.Fatal(err)
		}
		var values []float64
		for _, m := range b.Readings[0].Metrics {
			v, ok := m.Value.Number()
			if !ok {
				t.Fatal(m)
			}
			values = append(values, v)
		}
		if got := Append(nil, payload[0], typ, values...); !bytes.Equal(got, payload) {
			t.Fatalf("%X, want %X", got, payload)
		}
	})
}

func TestEncoderClips(t *testing.T) {
	var got []byte
	got = Append(got, 1, Temperature, 1e9)
	got = Append(got, 2, Humidity, -5)
	got = Append(got, 3, GPS, math.Inf(-1), 0, math.Inf(1))
	got = Append(got, 4, Type(240), 1)
	got = Append(got, 5, Temperature)
	got = Append(got, 6, Accelerometer, 1, math.NaN(), 1)
	if want := "01677fff02680003888000000000007fffff"; hex.EncodeToString(got) != want {
		t.Errorf("%x, want %s", got, want)
	}
}

func FuzzDecode(f *testing.F) {
	for _, seed := range []string{"03670110056700FF", "067104D2FB2E0000", "018806765FF2960A0003E8", "0100FF0201640302154A0403EAB6056501F4", "01F000"} {
		p, _ := hex.DecodeString(seed)
		f.Add(p)
	}
	d := New(Config{Time: true})
	f.Fuzz(func(t *testing.T, message []byte) {
		sent := bytes.Clone(message)
		b := protocol.Batch{Readings: []protocol.Reading{{SourceTime: 1}}}
		err := d.Decode(&b, message)
		if !bytes.Equal(sent, message) {
			t.Fatal("the message is changed")
		}
		if err != nil {
			if _, ok := err.(*protocol.Refusal); !ok || len(b.Readings) != 1 {
				t.Fatalf("%v, and %d readings", err, len(b.Readings))
			}
			return
		}
		names := map[string]bool{}
		for _, m := range b.Readings[1].Metrics {
			names[m.Name] = true
		}
		if n := len(b.Readings[1].Metrics); len(b.Readings) != 2 || n == 0 || n != len(names) || n > len(message) {
			t.Fatal(shown(&b))
		}
	})
}

func TestDecodeAllocatesNothing(t *testing.T) {
	d := New(DefaultConfig())
	message, _ := hex.DecodeString("03670110056700FF067104D2FB2E0000018806765FF2960A0003E8")
	var b protocol.Batch
	if n := testing.AllocsPerRun(100, func() {
		b.Reset()
		if err := d.Decode(&b, message); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("Decode allocates %v times", n)
	}
}

func BenchmarkDecode(b *testing.B) {
	d := New(DefaultConfig())
	message, _ := hex.DecodeString("03670110056700FF067104D2FB2E0000018806765FF2960A0003E8")
	var batch protocol.Batch
	b.SetBytes(int64(len(message)))
	b.ReportAllocs()
	for b.Loop() {
		batch.Reset()
		if err := d.Decode(&batch, message); err != nil {
			b.Fatal(err)
		}
	}
}
