package ruuvi

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"math"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"sluice/protocol"
)

func shown(b *protocol.Batch) string {
	var text []string
	for i := range b.Readings {
		r := &b.Readings[i]
		if r.Device != nil {
			text = append(text, fmt.Sprint(r.Device.Tags))
		}
		for _, m := range r.Metrics {
			text = append(text, fmt.Sprintf("%s=%s%s", m.Name, m.Value, m.Unit))
		}
		if r.SourceTime != 0 {
			text = append(text, fmt.Sprintf("@%d", r.SourceTime))
		}
	}
	return strings.Join(text, " ")
}

// bin reads hexadecimal digits; XX, as the documents write reserved bytes, is FF.
func bin(t testing.TB, digits string) []byte {
	t.Helper()
	p, err := hex.DecodeString(strings.ReplaceAll(digits, "X", "F"))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// The vectors of Ruuvi's documents.
func TestFormats(t *testing.T) {
	tests := []struct{ name, payload, want string }{
		{"3", "03291A1ECE1EFC18F94202CA0B53",
			"temperature=26.3°C humidity=20.5% pressure=102766Pa acceleration_x=-1g acceleration_y=-1.726g acceleration_z=0.714g battery_voltage=2.899V"},
		{"3, the largest", "03FF7F63FFFF7FFF7FFF7FFFFFFF",
			"temperature=127.99°C humidity=127.5% pressure=115535Pa acceleration_x=32.767g acceleration_y=32.767g acceleration_z=32.767g battery_voltage=65.535V"},
		{"3, the smallest", "0300FF6300008001800180010000",
			"temperature=-127.99°C humidity=0% pressure=50000Pa acceleration_x=-32.767g acceleration_y=-32.767g acceleration_z=-32.767g battery_voltage=0V"},
		{"3, less than a degree below zero", "030080320000000000000000FFFF",
			"temperature=-0.5°C humidity=0% pressure=50000Pa acceleration_x=0g acceleration_y=0g acceleration_z=0g battery_voltage=65.535V"},
		{"5", "0512FC5394C37C0004FFFC040CAC364200CDCBB8334C884F",
			"[{mac CB:B8:33:4C:88:4F}] temperature=24.3°C humidity=53.49% pressure=100044Pa acceleration_x=0.004g acceleration_y=-0.004g acceleration_z=1.036g movement_counter=66 measurement_sequence=205 battery_voltage=2.977V tx_power=4dBm"},
		{"5, the largest", "057FFFFFFEFFFE7FFF7FFF7FFFFFDEFEFFFECBB8334C884F",
			"[{mac CB:B8:33:4C:88:4F}] temperature=163.835°C humidity=163.835% pressure=115534Pa acceleration_x=32.767g acceleration_y=32.767g acceleration_z=32.767g movement_counter=254 measurement_sequence=65534 battery_voltage=3.646V tx_power=20dBm"},
		{"5, the smallest", "058001000000008001800180010000000000CBB8334C884F",
			"[{mac CB:B8:33:4C:88:4F}] temperature=-163.835°C humidity=0% pressure=50000Pa acceleration_x=-32.767g acceleration_y=-32.767g acceleration_z=-32.767g movement_counter=0 measurement_sequence=0 battery_voltage=1.6V tx_power=-40dBm"},
		{"5, one value", "0512FCFFFFFFFF800080008000FFFFFFFFFFFFFFFFFFFFFF", "temperature=24.3°C"},
		{"6", "06170C5668C79E007000C90501D9XXCD004C884F",
			"[{mac 4C:88:4F}] temperature=29.5°C humidity=55.3% pressure=101102Pa pm2_5=11.2µg/m³ co2=201ppm voc_index=10 nox_index=2 calibrating=false luminosity=13026.67lx measurement_sequence=205"},
		{"6, the largest", "067FFF9C40FFFE27109C40FAFAFEXXFF074C8F4F",
			"[{mac 4C:8F:4F}] temperature=163.835°C humidity=100% pressure=115534Pa pm2_5=1000µg/m³ co2=40000ppm voc_index=500 nox_index=500 calibrating=true luminosity=65535lx measurement_sequence=255"},
		{"6, dark and bits among the flags", "0680010000000000000000000001XX00C04C884F",
			"[{mac 4C:88:4F}] temperature=-163.835°C humidity=0% pressure=50000Pa pm2_5=0µg/m³ co2=0ppm voc_index=1 nox_index=1 calibrating=false luminosity=0.04lx measurement_sequence=0"},
		{"C5", "C512FC5394C37CAC364200CDCBB8334C884F",
			"[{mac CB:B8:33:4C:88:4F}] temperature=24.3°C humidity=53.49% pressure=100044Pa movement_counter=66 measurement_sequence=205 battery_voltage=2.977V tx_power=4dBm"},
		{"E1", "E1170C5668C79E0065007004BD11CA00C90A0213E0ACXXXXXXDECDEE10XXXXXXXXXXCBB8334C884F",
			"[{mac CB:B8:33:4C:88:4F}] temperature=29.5°C humidity=55.3% pressure=101102Pa pm1=10.1µg/m³ pm2_5=11.2µg/m³ pm4=121.3µg/m³ pm10=455.4µg/m³ co2=201ppm luminosity=13027lx measurement_sequence=14601710 voc_index=20 nox_index=4 calibrating=false"},
		{"E1, missing values", "E1800000007FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFXXXXXXFFFFFFFFXXXXXXXXXXFFFFFFFFFFFF", "humidity=0% pressure=82767Pa calibrating=true"},
		{"an advertisement", "0201061BFF99040515AE4C6DC6D7000CFFF803F4ADB6AD697FF41F0C28CBD6",
			"[{mac F4:1F:0C:28:CB:D6}] temperature=27.75°C humidity=48.9125% pressure=100903Pa acceleration_x=0.012g acceleration_y=-0.008g acceleration_z=1.012g movement_counter=173 measurement_sequence=27007 battery_voltage=2.989V tx_power=4dBm"},
		{"an advertisement with zeros behind", "02010611FF990403291A1ECE1EFC18F94202CA0B53000000",
			"temperature=26.3°C humidity=20.5% pressure=102766Pa acceleration_x=-1g acceleration_y=-1.726g acceleration_z=0.714g battery_voltage=2.899V"},
		{"manufacturer data", "99040512FCFFFFFFFF800080008000FFFFFFFFFFFFFFFFFFFFFF", "temperature=24.3°C"},
	}
	for _, tt := range tests {
		var b protocol.Batch
		if err := New().Decode(&b, bin(t, tt.payload)); err != nil || shown(&b) != tt.want {
			t.Errorf("%s:\n%s (%v), want\n%s", tt.name, shown(&b), err, tt.want)
		}
	}
}

const warm = "0512FCFFFFFFFF800080008000FFFFFFFFFFFFFFFFFFFFFF"

func TestGateway(t *testing.T) {
	tests := []struct{ name, message, want string }{
		{"with times", `{"gw_mac":"C8:25:2D:8E:9C:2C","rssi":-26,"aoa":[],"gwts":"1653668028","ts":"1653668027","data":"` + warm + `","coords":""}`,
			"temperature=24.3°C rssi=-26dBm @1653668027000000000"},
		{"without", "\x7b\n\"data\" : \"99 \", \"x\":{\"data\":[1,\"}\\\"\"]}}", ""},
		{"numbers, other members", `{"x":{"data":"no","y":["]\\",{}]},"ts": 1653668027 ,"data":"0201061BFF9904` + strings.ToLower(warm) + `"}` + "\n",
			"temperature=24.3°C @1653668027000000000"},
		{"only gwts, no rssi", `{"data":"` + warm + `","rssi":null,"gwts":"1653668028"}`, "temperature=24.3°C @1653668028000000000"},
		{"a clock that was never set", `{"data":"` + warm + `","ts":"0"}`, "temperature=24.3°C"},
		{"the first of two", `{"data":"` + warm + `","data":"05","rssi":-1,"rssi":-2}`, "temperature=24.3°C rssi=-1dBm"},
	}
	for _, tt := range tests {
		var b protocol.Batch
		err := New().Decode(&b, []byte(tt.message))
		if shown(&b) != tt.want || (err == nil) != (tt.want != "") {
			t.Errorf("%s: %s (%v), want %s", tt.name, shown(&b), err, tt.want)
		}
	}
}

func TestRefusals(t *testing.T) {
	tests := []struct{ message, want string }{
		{"", "empty: the message is empty"},
		{strings.Repeat("\x05", maxMessage+1), "size: 4097 bytes, want at most 4096"},
		{"\x05\x12", "syntax: data format 5 has 24 bytes, found 2"},
		{"\x07\x12", "kind: data format 07 is none of 3, 5, 6, C5 and E1"},
		{"\x08" + strings.Repeat("\x01", 23), "kind: data format 8 is encrypted"},
		{"\x02\x01\x06\x03\xff\x4c\x00", "kind: an advertisement of another maker"},
		{string(bin(t, "0300006400008001800180010000")), "syntax: 100 hundredths of a degree, want at most 99"},
		{string(bin(t, "058000FFFFFFFF800080008000FFFFFFFFFFFFFFFFFFFFFF")), "missing: the sensor has no value available"},
		{`{"state":"online"}`, "kind: the message holds no advertisement as text in data"},
		{"{}", "kind: the message holds no advertisement as text in data"},
		{`{"data":5}`, "kind: the message holds no advertisement as text in data"},
		{`{"data":""}`, "empty: data is empty"},
		{`{"data":"05`, "syntax: the message is no JSON"},
		{"{\"data\":\"\xff\"}", "utf8: the message is not UTF-8"},
		{`{"data":"051"}`, "encoding: data is not in hexadecimal digits: encoding/hex: odd length hex string"},
		{`{"data":"` + warm + `","rssi":-1.5}`, "type: rssi is no whole number of dBm"},
		{`{"data":"` + warm + `","ts":"now"}`, "time: the gateway's time is no number of seconds since 1970"},
		{`{"data":"` + warm + `","ts":9223372037}`, "time: the gateway's time is no number of seconds since 1970"},
	}
	for _, tt := range tests {
		b := protocol.Batch{Readings: []protocol.Reading{{SourceTime: 1}}}
		err := New().Decode(&b, []byte(tt.message))
		if _, ok := err.(*protocol.Refusal); !ok || err.Error() != tt.want || len(b.Readings) != 1 {
			t.Errorf("%.40q: %v and %d readings, want %s", tt.message, err, len(b.Readings), tt.want)
		}
	}
}

func TestDevicesAreBounded(t *testing.T) {
	d := New()
	first := d.device([]byte{1, 2, 3})
	if d.device([]byte{1, 2, 3}) != first || d.device([]byte{1, 2, 3, 0, 0, 0}) == first {
		t.Error("a device is not known by its address")
	}
	for i := range 3 * maxDevices {
		d.device([]byte{0, 0, 0, 0, byte(i >> 8), byte(i)})
	}
	if len(d.devices) > maxDevices {
		t.Errorf("%d devices", len(d.devices))
	}
}

// TestRoundTrip encodes what was decoded: the same bytes come out.
func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		payload := append([]byte{5}, rapid.SliceOfN(rapid.Byte(), 23, 23).Draw(t, "payload")...)
		var b protocol.Batch
		if err := New().Decode(&b, AppendAdvertisement(nil, payload)); err != nil {
			return // nothing is available
		}
		value := func(name string) float64 {
			for _, m := range b.Readings[0].Metrics {
				if m.Name == name {
					v, _ := m.Value.Number()
					return v
				}
			}
			return math.NaN()
		}
		tag := Tag{
			Temperature: value("temperature"), Humidity: value("humidity"), Pressure: value("pressure"),
			Acceleration: [3]float64{value("acceleration_x"), value("acceleration_y"), value("acceleration_z")},
			Battery:      value("battery_voltage"), TxPower: value("tx_power"),
			MovementCount: value("movement_counter"), Sequence: value("measurement_sequence"), MAC: [6]byte(payload[18:]),
		}
		if got := AppendFormat5(nil, tag); !bytes.Equal(got, payload) {
			t.Fatalf("%X, want %X", got, payload)
		}
	})
}

func TestEncoderClips(t *testing.T) {
	got := AppendFormat5(nil, Tag{Temperature: 170, Humidity: -1, Pressure: 1e9, Acceleration: [3]float64{-40, math.Inf(1), 0}, Battery: 9, TxPower: -99, MovementCount: 300, Sequence: 1e9})
	if want := bin(t, "057FFF0000FFFE80017FFF0000FFC0FEFFFE000000000000"); !bytes.Equal(got, want) {
		t.Errorf("%X, want %X", got, want)
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(bin(f, "0512FC5394C37C0004FFFC040CAC364200CDCBB8334C884F"))
	f.Add(bin(f, "0201061BFF99040515AE4C6DC6D7000CFFF803F4ADB6AD697FF41F0C28CBD6"))
	f.Add(bin(f, "E1170C5668C79E0065007004BD11CA00C90A0213E0ACXXXXXXDECDEE10XXXXXXXXXXCBB8334C884F"))
	f.Add(bin(f, "06170C5668C79E007000C90501D9XXCD004C884F"))
	f.Add([]byte(`{"rssi":-26,"aoa":[],"gwts":"1653668028","ts":1653668027,"data":"` + warm + `","coords":""}`))
	d := New()
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
		if r := &b.Readings[1]; len(b.Readings) != 2 || len(r.Metrics) == 0 || len(r.Metrics) > 16 || !utf8.ValidString(shown(&b)) {
			t.Fatal(shown(&b))
		}
	})
}

func TestDecodeAllocatesNothing(t *testing.T) {
	gateway := []byte(`{"gw_mac":"C8:25:2D:8E:9C:2C","rssi":-26,"aoa":[],"ts":"1653668027","data":"0201061BFF99040515AE4C6DC6D7000CFFF803F4ADB6AD697FF41F0C28CBD6"}`)
	for _, message := range [][]byte{gateway, bin(t, "06170C5668C79E007000C90501D9XXCD004C884F")} {
		d := New()
		var b protocol.Batch
		if n := testing.AllocsPerRun(100, func() {
			b.Reset()
			if err := d.Decode(&b, message); err != nil {
				t.Fatal(err)
			}
		}); n != 0 {
			t.Errorf("Decode of %.10q allocates %v times", message, n)
		}
	}
}

func BenchmarkDecode(b *testing.B) {
	message := bin(b, "0201061BFF99040515AE4C6DC6D7000CFFF803F4ADB6AD697FF41F0C28CBD6")
	d := New()
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
