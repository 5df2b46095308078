package binary

import (
	"encoding/hex"
	"slices"
	"strings"
	"testing"
)

// frames are what the sensors send, by preset, and what that means; behind a "!"
// stands why it is refused. The first one is good.
var frames = map[string][]struct{ hex, want string }{
	"mhz19": {
		{"ff86022000000000 58", "co2=544ppm"}, // the datasheet's example
		{"ff86 01f4 42 000000 43", "co2=500ppm temperature=26°C"},
		{"ff86 01f4 42 000000 43 0d0a", "co2=500ppm temperature=26°C"},
		{"ff86 01f4 42 000000 44", "!checksum"},
		{"ff86 0000 00 000000 7a", "!missing"},
		{"ff87 01f4 42 000000 42", "!syntax"},
		{"ff8601f4", "!syntax"},
	},
	"pms5003": {
		{sum16("424d001c 0007000a000c 0006 0009 000b 0438 0126 0024 0004 0002 0001 9700"), "pm1_0_cf1=7µg/m³ pm2_5_cf1=10µg/m³ pm10_cf1=12µg/m³ pm1_0=6µg/m³ pm2_5=9µg/m³ pm10=11µg/m³ " +
			"particles_0_3um=1080#/dL particles_0_5um=294#/dL particles_1_0um=36#/dL particles_2_5um=4#/dL particles_5_0um=2#/dL particles_10um=1#/dL"},
		{sum16("424d001c 0000000000000000000000000000000000000000000000000000"), "!missing"},
		{"424d0004e1000174", "!syntax"},
	},
	"pms7003": {
		{pms7003Frame, pms7003Want},
	},
	"pms3003": {
		{sum16("424d0014 000100020003 000400050006 000000000051"), "pm1_0_cf1=1µg/m³ pm2_5_cf1=2µg/m³ pm10_cf1=3µg/m³ pm1_0=4µg/m³ pm2_5=5µg/m³ pm10=6µg/m³"},
	},
	"pms5003t": {
		{sum16("424d001c 000100020003 000400050006 0009 0008 0007 0006 ffec 01f4 9a00"), "pm1_0_cf1=1µg/m³ pm2_5_cf1=2µg/m³ pm10_cf1=3µg/m³ pm1_0=4µg/m³ pm2_5=5µg/m³ pm10=6µg/m³ " +
			"particles_0_3um=9#/dL particles_0_5um=8#/dL particles_1_0um=7#/dL particles_2_5um=6#/dL temperature=-2°C humidity=50% error_code=0"},
	},
	"pms5003s": {
		{sum16("424d001c 000100020003 000400050006 0009 0008 0007 0006 0005 0004 0006"), "pm1_0_cf1=1µg/m³ pm2_5_cf1=2µg/m³ pm10_cf1=3µg/m³ pm1_0=4µg/m³ pm2_5=5µg/m³ pm10=6µg/m³ " +
			"particles_0_3um=9#/dL particles_0_5um=8#/dL particles_1_0um=7#/dL particles_2_5um=6#/dL particles_5_0um=5#/dL particles_10um=4#/dL formaldehyde=0.006mg/m³"},
	},
	"pms5003st": {
		{sum16("424d0024 000100020003 000400050006 0009 0008 0007 0006 0005 0004 0006 00d4 00e0 0000 9a00"), "pm1_0_cf1=1µg/m³ pm2_5_cf1=2µg/m³ pm10_cf1=3µg/m³ pm1_0=4µg/m³ pm2_5=5µg/m³ pm10=6µg/m³ " +
			"particles_0_3um=9#/dL particles_0_5um=8#/dL particles_1_0um=7#/dL particles_2_5um=6#/dL particles_5_0um=5#/dL particles_10um=4#/dL formaldehyde=0.006mg/m³ temperature=21.2°C humidity=22.4% error_code=0"},
	},
	"sds011": {
		{"aac0 d404 3a0a a160 1dab", "pm2_5=123.6µg/m³ pm10=261.8µg/m³"},
		{"aac0 0000 0000 a160 01ab", "pm2_5=0µg/m³ pm10=0µg/m³"},
		{"aac0 0000 0000 0000 00ab", "!missing"},
		{"aac0 d404 3a0a a160 1eab", "!checksum"}, {"aac0 d404 3a0a a160 1daa", "!syntax"},
		{"aac5 0701 0000 a160 09ab", "!syntax"},
	},
	"pms1003": {{pms7003Frame, strings.TrimSuffix(pms7003Want, " error_code=4")}},
	"pmsa003": {{pms7003Frame, pms7003Want}},
	"sds018":  {{"aac0 0100 0200 a160 04ab", "pm2_5=0.1µg/m³ pm10=0.2µg/m³"}},
	"sds021":  {{"aac0 0100 0200 a160 04ab", "pm2_5=0.1µg/m³ pm10=0.2µg/m³"}},
	"sds198":  {{"aacf 0e00 1000 e905 0cab", "pm100=16µg/m³"}, {"aac0 d404 3a0a a160 1dab", "!syntax"}},
	"mcu680": {
		{"5a5a3f0f 0835 198a 018854 30d2 00032be1 004a 1a", "temperature=21.01°C humidity=65.38% pressure=1004.36hPa iaq_accuracy=3 iaq=210 gas_resistance=207841Ω altitude=74m"},
	},
	"sps30": {
		{stuffed("00 03 00 28" + spsFloats), spsWant},
		{"7e00000000ff7e" + stuffed("00 03 00 28"+spsFloats) + "0d0a", spsWant},
		{spsFloats, spsWant},
		{stuffed("00 03 00 14 000a 000b 000c 000d 0001 0002 0003 0004 0005 024e"), "pm1_0=10µg/m³ pm2_5=11µg/m³ pm4_0=12µg/m³ pm10=13µg/m³ nc0_5=1#/cm³ nc1_0=2#/cm³ nc2_5=3#/cm³ nc4_0=4#/cm³ nc10=5#/cm³ typical_particle_size=0.59µm"},
		{"7e00000000ff7e", "!kind"}, {"7e00004300bc7e", "!kind"}, {"7e00030000fc7e", "!missing"}, {"7e00030000fd7e", "!checksum"},
		{"7e00030000fc", "!syntax"}, {"7e7e", "!syntax"}, {"7e7d7e", "!syntax"}, {"7e00030001fb7e", "!syntax"}, {"7e00030000fc7e00", "!syntax"},
		{stuffed("00 03 00 02 0102"), "!syntax"}, {stuffed("00 03 00 28" + strings.Repeat("00", 40)), "!missing"}, {"0102", "!syntax"},
		{"7e" + strings.Repeat("00", 300) + "7e", "!size"},
	},
}

// pms7003Frame is clean air with an error; that of a PMS5003 has no such code.
var pms7003Frame = sum16("424d001c 000000000000 0000 0000 0000 0438 0126 0024 0004 0002 0001 9704")

const (
	pms7003Want = "pm1_0_cf1=0µg/m³ pm2_5_cf1=0µg/m³ pm10_cf1=0µg/m³ pm1_0=0µg/m³ pm2_5=0µg/m³ pm10=0µg/m³ " +
		"particles_0_3um=1080#/dL particles_0_5um=294#/dL particles_1_0um=36#/dL particles_2_5um=4#/dL particles_5_0um=2#/dL particles_10um=1#/dL error_code=4"

	// 7e and 7d are in it.
	spsFloats = "3f9e0419 3f800000 3f7e7d11 3f80001f 40e00000 41000000 41100000 41200000 41300000 3f000000"
	spsWant   = "pm1_0=1.2345µg/m³ pm2_5=1µg/m³ pm4_0=0.99409586µg/m³ pm10=1.0000037µg/m³ nc0_5=7#/cm³ nc1_0=8#/cm³ nc2_5=9#/cm³ nc4_0=10#/cm³ nc10=11#/cm³ typical_particle_size=0.5µm"
)

func unhex(text string) []byte {
	b, err := hex.DecodeString(strings.ReplaceAll(text, " ", ""))
	if err != nil {
		panic(err)
	}
	return b
}

// sum16 appends the checksum of Plantower.
func sum16(text string) string {
	b := unhex(text)
	var sum uint16
	for _, c := range b {
		sum += uint16(c)
	}
	return hex.EncodeToString(append(b, byte(sum>>8), byte(sum)))
}

// stuffed puts a frame of an SPS30 around its bytes.
func stuffed(text string) string {
	b := unhex(text)
	out := []byte{0x7e}
	for _, c := range append(b, inverted(b)) {
		if slices.Contains([]byte{0x7e, 0x7d, 0x11, 0x13}, c) {
			out = append(out, 0x7d, c^0x20)
			continue
		}
		out = append(out, c)
	}
	return hex.EncodeToString(append(out, 0x7e))
}

func TestPresets(t *testing.T) {
	for _, name := range Presets() {
		if len(frames[name]) == 0 {
			t.Errorf("%s is not tested", name)
		}
		d := decoder(t, Config{Preset: name})
		for _, c := range frames[name] {
			if got := show(t, d, unhex(c.hex)); got != c.want {
				t.Errorf("%s %s:\n got %s\nwant %s", name, c.hex, got, c.want)
			}
		}
	}
}

// TestPresetsNoticeDamage changes every bit of a frame that is good.
func TestPresetsNoticeDamage(t *testing.T) {
	for _, name := range Presets() {
		d, message := decoder(t, Config{Preset: name}), unhex(frames[name][0].hex)
		for bit := range len(message) * 8 {
			message[bit/8] ^= 1 << (bit % 8)
			if got := show(t, d, message); got[0] != '!' {
				t.Errorf("%s with bit %d changed: got %s", name, bit, got)
			}
			message[bit/8] ^= 1 << (bit % 8)
		}
	}
}
