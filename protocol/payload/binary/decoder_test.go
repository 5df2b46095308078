package binary

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"unicode/utf8"

	"sluice/protocol"
	"sluice/protocol/binary"
)

func decoder(t testing.TB, c Config) *Decoder {
	t.Helper()
	d, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// show decodes a message for a table: the metrics, or the reason of a refusal
// behind a "!". It holds what every message has to keep to.
func show(t testing.TB, d *Decoder, message []byte) string {
	t.Helper()
	b := &protocol.Batch{}
	b.Add().SourceTime = 1
	before := bytes.Clone(message)
	err := d.Decode(b, message)
	if !bytes.Equal(before, message) || b.Readings[0].SourceTime != 1 {
		t.Fatalf("%x: the message or an older reading was changed", before)
	}
	if err != nil {
		var refusal *protocol.Refusal
		if !errors.As(err, &refusal) || len(b.Readings) != 1 {
			t.Fatalf("%x: %v with %d readings", message, err, len(b.Readings))
		}
		return "!" + refusal.Reason
	}
	var text []string
	for _, r := range b.Readings[1:] {
		for _, m := range r.Metrics {
			if n, ok := m.Value.Number(); ok && math.IsNaN(n) || m.Value.IsNull() || !utf8.ValidString(m.Name) ||
				m.Value.Kind() == protocol.KindString && !utf8.ValidString(m.Value.Text()) {
				t.Fatalf("%x: metric %+v", message, m)
			}
			text = append(text, fmt.Sprintf("%s=%v%s", m.Name, m.Value, m.Unit))
		}
		if len(r.Metrics) == 0 || len(r.Metrics) > maxMetrics || r.Device != nil || r.ReceivedTime != 0 {
			t.Fatalf("%x: reading %+v", message, r)
		}
	}
	return strings.Join(text, " ")
}

func TestDecode(t *testing.T) {
	climate := Config{Fields: map[string]binary.Field{
		"temperature": {At: 1, Type: "int16", Missing: []string{"0x7fff"}}, "door": {At: 0, Type: "bool", Bits: "7"},
		"battery": {At: -1, Type: "uint8"}, "kind": {At: 0, Type: "uint8", Bits: "0-6"},
	}}
	framed := Config{Length: 6, Order: "little", Header: "aa 55", Checksum: &Checksum{Name: "CRC-16/MODBUS", Order: "little"}, Fields: map[string]binary.Field{"n": {At: 2, Type: "uint16"}}}
	long := Config{MinLength: 2, Fields: map[string]binary.Field{"a": {Type: "uint16"}, "b": {At: 2, Type: "uint16", Count: 2}, "name": {At: 6, Type: "string", Length: 3}}}
	for _, c := range []struct {
		config  Config
		message string
		want    string
	}{
		{climate, "83 0105 62", "door=true kind=3 temperature=261 battery=98"},
		{climate, "03 7fff ff 62", "door=false kind=3 battery=98"},
		{climate, "03 7f", "!missing"},
		{climate, "", "!empty"},
		{framed, "aa55 0102 0000", "!checksum"},
		{framed, "aa55 0102 b1bd", "n=513"},
		{framed, "aa55 0102 b1bd 0d0a", "n=513"},
		{framed, "aa55 0102 b1bd 0d", "n=513"},
		{framed, "aa55 0102 b1bd 00", "!syntax"},
		{framed, "ab55 0102 b1bd", "!syntax"},
		{framed, "aa55", "!syntax"},
		{long, "00", "!syntax"},
		{long, "0001", "a=1"},
		{long, "0001 0002 00", "a=1"},
		{long, "0001 0002 0003 414200", "a=1 b_0=2 b_1=3 name=AB"},
		{long, "0001 0002 0003 ff4200", "!utf8"},
		{Config{Fields: map[string]binary.Field{"n": {Type: "uint16", Missing: []string{"0"}}}}, "0000", "!missing"},
		{Config{Fields: map[string]binary.Field{"n": {Type: "uint64"}}}, "ffffffffffffffff", "n=18446744073709551615"},
		{Config{Header: "01", Fields: map[string]binary.Field{"n": {At: 1, Type: "bcd", Length: 2}}}, "01 12f4", "!type"},
		{Config{Checksum: &Checksum{Name: "xor", At: 1, From: 2, To: -1}, Fields: map[string]binary.Field{"n": {Type: "uint8"}}}, "07 03 01 02 ff", "n=7"},
		{Config{Checksum: &Checksum{Name: "xor", At: 1, From: 2, To: -1}, Fields: map[string]binary.Field{"n": {Type: "uint8"}}}, "07", "!syntax"},
	} {
		if got := show(t, decoder(t, c.config), unhex(c.message)); got != c.want {
			t.Errorf("%s: got %s, want %s", c.message, got, c.want)
		}
	}
	if got := show(t, decoder(t, climate), make([]byte, maxMessage+1)); got != "!size" {
		t.Errorf("a message beyond the limit: %s", got)
	}
}

func TestValidate(t *testing.T) {
	one := map[string]binary.Field{"n": {Type: "uint16"}}
	for _, c := range []struct {
		config Config
		want   string
	}{
		{Config{}, "fields is required: the metrics and where they stand, or preset"},
		{Config{Preset: "pms"}, `preset is "pms", want mcu680, mhz19, pms1003, pms3003`},
		{Config{Preset: "mhz19", Length: 9}, "preset stands alone: it knows the sensor's message"},
		{Config{Fields: one, Length: -1}, "length is -1, want 0 to 1048576"},
		{Config{Fields: one, MinLength: -1}, "min_length is -1, want 0 to 1048576"},
		{Config{Fields: one, Length: 2, MinLength: 2}, "min_length is set beside length"},
		{Config{Fields: one, Length: 1}, "fields.n.at is 0: bytes 0 to 1 are not in a message of 1"},
		{Config{Fields: one, Order: "BE"}, `order is "BE", want big (ABCD), little (DCBA), CDAB or BADC`},
		{Config{Fields: one, Header: "4g"}, `header is "4g", want hexadecimal bytes such as 42 4d`},
		{Config{Fields: map[string]binary.Field{"n": {Type: "int7"}}}, `fields.n.type is "int7", want`},
		{Config{Fields: map[string]binary.Field{"": {Type: "int8"}}}, "fields. is no name for a metric"},
		{Config{Fields: map[string]binary.Field{"a": {Type: "int8", Count: 2}, "a_1": {Type: "int8"}}}, "fields.a_1 gives a metric a_1, as a does"},
		{Config{Fields: map[string]binary.Field{"a": {Type: "int8", Count: 1024}, "b": {Type: "int8", Count: 1024}, "c": {Type: "int8", Count: 1024}, "d": {Type: "int8", Count: 1024}, "e": {Type: "int8"}}}, "fields.e makes more than 4096 metrics"},
		{Config{Fields: one, Checksum: &Checksum{}}, "checksum.name is required"},
		{Config{Fields: one, Checksum: &Checksum{Name: "md5"}}, `checksum.name is "md5", want a name from the RevEng catalogue such as CRC-16/MODBUS`},
		{Config{Fields: one, Checksum: &Checksum{Name: "sum16", At: -1}}, "checksum.at is -1, but the checksum has 2 bytes"},
		{Config{Fields: one, Checksum: &Checksum{Name: "sum8", From: -1}}, "checksum.from is -1, want 0 or more"},
		{Config{Fields: one, Checksum: &Checksum{Name: "sum8", From: 3, To: 3}}, "checksum.to is 3, want more than from, which is 3"},
		{Config{Fields: one, Checksum: &Checksum{Name: "sum8", Order: "CDAB"}}, `checksum.order is "CDAB", want big or little`},
	} {
		var got []string
		c.config.Validate(func(field, problem string) { got = append(got, field+" "+problem) })
		if len(got) != 1 || !strings.HasPrefix(got[0], c.want) {
			t.Errorf("%+v:\n got %q\nwant %q", c.config, got, c.want)
		}
		if _, err := New(c.config); err == nil || !strings.HasPrefix(err.Error(), "compile binary: ") {
			t.Errorf("%+v was compiled: %v", c.config, err)
		}
	}
}

func TestDecodeAllocatesNothing(t *testing.T) {
	for _, name := range Presets() {
		d, b := decoder(t, Config{Preset: name}), &protocol.Batch{}
		message := unhex(frames[name][0].hex)
		n := testing.AllocsPerRun(100, func() {
			b.Reset()
			if err := d.Decode(b, message); err != nil {
				t.Fatal(err)
			}
		})
		if n != 0 {
			t.Errorf("%s: %v allocations, want 0", name, n)
		}
	}
}

func FuzzDecodePresets(f *testing.F) {
	names := Presets()
	for i, name := range names {
		for _, c := range frames[name] {
			f.Add(uint8(i), unhex(c.hex))
		}
	}
	f.Fuzz(func(t *testing.T, which uint8, message []byte) {
		show(t, decoder(t, Config{Preset: names[int(which)%len(names)]}), message)
	})
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte("\xaa\x55\x01\x02\xb1\xbd"), "aa55", "CRC-16/MODBUS", "uint16", "string", "little", "0-3", 2, -2, 6, 0)
	f.Add([]byte("AB\x00\x01\x02"), "", "", "bcd", "float32", "CDAB", "", 0, 1, 0, 3)
	f.Fuzz(func(t *testing.T, message []byte, header, sum, first, second, order, bits string, at, other, length, least int) {
		c := Config{Length: length, MinLength: least, Order: order, Header: header, Fields: map[string]binary.Field{
			"a": {At: at, Type: first, Bits: bits, Count: length & 3}, "b": {At: other, Type: second, Length: least},
		}}
		if sum != "" {
			c.Checksum = &Checksum{Name: sum, At: other, From: least, To: at}
		}
		d, err := New(c)
		if err != nil {
			return
		}
		show(t, d, message)
	})
}

func BenchmarkDecode(b *testing.B) {
	for _, name := range []string{"pms5003", "sds011", "sps30"} {
		b.Run(name, func(b *testing.B) {
			d, batch, message := decoder(b, Config{Preset: name}), &protocol.Batch{}, unhex(frames[name][0].hex)
			b.SetBytes(int64(len(message)))
			b.ReportAllocs()
			for b.Loop() {
				batch.Reset()
				_ = d.Decode(batch, message)
			}
		})
	}
}
