package mbus

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
)

// drawRecord draws a record and the metric that it means.
func drawRecord(t *rapid.T, i int) (Record, protocol.Metric) {
	// Storage numbers tell the records apart.
	r := Record{
		Function: Function(rapid.IntRange(0, 3).Draw(t, "function")),
		Storage:  uint64(i+1) | uint64(rapid.IntRange(0, 1<<30).Draw(t, "storage"))<<8,
		Tariff:   rapid.Uint32Range(0, 1<<20-1).Draw(t, "tariff"),
		Subunit:  rapid.Uint32Range(0, 1<<10-1).Draw(t, "subunit"),
		Coding: rapid.SampledFrom([]Coding{Int8, Int16, Int24, Int32, Int48, Int64,
			Real32, BCD2, BCD4, BCD6, BCD8, BCD12, Variable}).Draw(t, "coding"),
	}
	vif := rapid.SampledFrom([]struct {
		vif        []byte
		name, unit string
		exp        int
	}{
		{[]byte{0x03}, "energy", "Wh", 0}, {[]byte{0x06}, "energy", "Wh", 3}, {[]byte{0x13}, "volume", "m³", -3},
		{[]byte{0x2b}, "power", "W", 0}, {[]byte{0x5a}, "flow_temperature", "°C", -1}, {[]byte{0xfd, 0x48}, "voltage", "V", -1},
		{[]byte{0x86, 0x3c}, "energy_backward", "Wh", 3},
	}).Draw(t, "vif")
	r.VIF = vif.vif
	name := vif.name + [...]string{"", "_max", "_min", "_error"}[r.Function] + fmt.Sprintf("_storage_%d", r.Storage)
	if r.Tariff != 0 {
		name += fmt.Sprintf("_tariff_%d", r.Tariff)
	}
	if r.Subunit != 0 {
		name += fmt.Sprintf("_unit_%d", r.Subunit)
	}
	m := protocol.Metric{Name: name, Unit: vif.unit}
	switch r.Coding {
	case Variable:
		text := rapid.StringMatching("[!-~ä-ö]{1,9}").Draw(t, "text")
		r.Value, m.Value, m.Unit = protocol.String(text), protocol.String(text), ""
	case Real32:
		f := rapid.Float32Range(-1e9, 1e9).Draw(t, "float")
		q := record{quantity: quantity{exp: vif.exp}}
		r.Value, m.Value = protocol.Float(float64(f)), q.float(float64(f))
	default:
		n := drawInt(t, r.Coding)
		r.Value, m.Value = protocol.Int(n), protocol.Scaled(n, vif.exp)
		if rapid.IntRange(0, 9).Draw(t, "null") == 0 {
			r.Value, m.Value = protocol.Value{}, protocol.Value{}
		}
	}
	return r, m
}

// drawInt draws a number that fits a coding.
func drawInt(t *rapid.T, c Coding) int64 {
	if c >= BCD2 {
		limit := int64(math.Pow10(2 * widths[c]))
		return rapid.Int64Range(-limit/10+1, limit-1).Draw(t, "digits")
	}
	most := int64(math.MaxInt64) >> (64 - 8*widths[c])
	return rapid.Int64Range(-most, most).Draw(t, "int")
}

func TestWhatIsAppendedIsDecoded(t *testing.T) {
	d := decoder(t, Config{})
	rapid.Check(t, func(t *rapid.T) {
		f := Frame{
			Address:      rapid.Byte().Draw(t, "address"),
			ID:           rapid.Uint32Range(0, 99999999).Draw(t, "id"),
			Manufacturer: rapid.StringMatching("[A-Z]{3}").Draw(t, "manufacturer"),
			Version:      rapid.Byte().Draw(t, "version"),
			Medium:       0x07,
			Status:       rapid.SampledFrom([]byte{0, 4, 0x10}).Draw(t, "status"),
			More:         rapid.Bool().Draw(t, "more"),
		}
		want := protocol.Reading{}
		for i := range rapid.IntRange(0, 8).Draw(t, "records") {
			r, m := drawRecord(t, i)
			f.Records = append(f.Records, r)
			if !m.Value.IsNull() {
				want.Metrics = append(want.Metrics, m)
			}
		}
		m, err := AppendFrame([]byte("before"), f)
		if err != nil {
			t.Fatal(err)
		}
		m = m[len("before"):]
		var b protocol.Batch
		if err := d.Decode(&b, m); err != nil {
			t.Fatalf("%x: %v", m, err)
		}
		got := &b.Readings[0]
		tags := fmt.Sprintf("[{id %08d} {manufacturer %s} {medium water} {version %d}]", f.ID, f.Manufacturer, f.Version)
		if g := fmt.Sprint(got.Device.Tags); g != tags || drawn(got) != drawn(&want) || d.More() != f.More {
			t.Fatalf("%x\n got %s %s\nwant %s %s", m, g, drawn(got), tags, drawn(&want))
		}
		at := rapid.IntRange(0, len(m)-1).Draw(t, "at")
		m[at] ^= 1 << rapid.IntRange(0, 7).Draw(t, "bit")
		if err := d.Decode(&b, m); err == nil {
			t.Fatalf("%x with a wrong bit at byte %d is taken", m, at)
		}
	})
}

func TestTimesAreAppended(t *testing.T) {
	local := time.Date(2079, 12, 31, 23, 59, 0, 0, time.UTC)
	f := Frame{Manufacturer: "KAM", Records: []Record{{Coding: Int32, VIF: []byte{0x6d}, Value: TimeOf(local)}}}
	m, err := AppendFrame(nil, f)
	var b protocol.Batch
	if err == nil {
		err = decoder(t, Config{Zone: "UTC"}).Decode(&b, m)
	}
	if err != nil || b.Readings[0].SourceTime != protocol.At(local) {
		t.Errorf("%v, %v", err, b.Readings)
	}
}

func TestWhatDoesNotFitIsRefused(t *testing.T) {
	energy := []byte{0x06}
	for name, f := range map[string]Frame{
		"an id of 9 digits":   {ID: 123456789},
		"a manufacturer":      {Manufacturer: "kamstrup"},
		"a byte":              {Records: []Record{{Coding: Int8, VIF: energy, Value: protocol.Int(128)}}},
		"the lowest of 8":     {Records: []Record{{Coding: Int64, VIF: energy, Value: protocol.Int(math.MinInt64)}}},
		"digits":              {Records: []Record{{Coding: BCD2, VIF: energy, Value: protocol.Int(100)}}},
		"digits and a sign":   {Records: []Record{{Coding: BCD2, VIF: energy, Value: protocol.Int(-10)}}},
		"a float as integer":  {Records: []Record{{Coding: Int32, VIF: energy, Value: protocol.Float(1)}}},
		"a text in Japanese":  {Records: []Record{{Coding: Variable, VIF: energy, Value: protocol.String("水")}}},
		"a long text":         {Records: []Record{{Coding: Variable, VIF: energy, Value: protocol.String(strings.Repeat("x", 192))}}},
		"no VIF":              {Records: []Record{{Coding: Int8, Value: protocol.Int(1)}}},
		"a coding that is no": {Records: []Record{{Coding: 0x0f, VIF: energy, Value: protocol.Int(1)}}},
		"a tariff":            {Records: []Record{{Coding: Int8, VIF: energy, Tariff: 1 << 20, Value: protocol.Int(1)}}},
		"too many records":    {Records: slices.Repeat([]Record{{Coding: Int64, VIF: energy, Value: protocol.Int(1)}}, 25)},
	} {
		if dst, err := AppendFrame([]byte("x"), f); err == nil || string(dst) != "x" {
			t.Errorf("%s: %v, %x", name, err, dst)
		}
	}
}

// exampleFrame is what a heat meter sends.
func exampleFrame(t testing.TB) []byte {
	m, err := AppendFrame(nil, Frame{Address: 1, ID: 6855817, Manufacturer: "KAM", Version: 8, Medium: 4, Records: []Record{
		{Coding: BCD8, VIF: []byte{0x78}, Value: protocol.Int(6855817)},
		{Coding: Int32, VIF: []byte{0x06}, Value: protocol.Int(37351)},
		{Coding: Int32, VIF: []byte{0x14}, Value: protocol.Int(90712)},
		{Coding: Int32, VIF: []byte{0x22}, Value: protocol.Int(45273)},
		{Coding: Int16, VIF: []byte{0x59}, Value: protocol.Int(7155)},
		{Coding: Int16, VIF: []byte{0x5d}, Value: protocol.Int(4102)},
		{Coding: Int16, VIF: []byte{0x61}, Value: protocol.Int(3053)},
		{Coding: Int32, VIF: []byte{0x2d}, Value: protocol.Int(89)},
		{Coding: Int32, Function: Maximum, VIF: []byte{0x2d}, Value: protocol.Int(391)},
		{Coding: Int32, VIF: []byte{0x3b}, Value: protocol.Int(250)},
		{Coding: Int32, Storage: 1, VIF: []byte{0x06}, Value: protocol.Int(35002)},
		{Coding: Int32, Tariff: 2, Subunit: 1, VIF: []byte{0x14}, Value: protocol.Int(0)},
		{Coding: Int32, VIF: []byte{0x6d}, Value: protocol.Int(0x178a0f19)},
		{Coding: Variable, VIF: []byte{0xfd, 0x0b}, Value: protocol.String("RVD235")},
	}})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestDecodeAllocatesNothing(t *testing.T) {
	d, m := decoder(t, Config{Zone: "UTC"}), exampleFrame(t)
	var b protocol.Batch
	if n := testing.AllocsPerRun(100, func() {
		b.Reset()
		if err := d.Decode(&b, m); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkDecode(b *testing.B) {
	d, m := decoder(b, Config{}), exampleFrame(b)
	var batch protocol.Batch
	b.SetBytes(int64(len(m)))
	b.ReportAllocs()
	for b.Loop() {
		batch.Reset()
		if err := d.Decode(&batch, m); err != nil {
			b.Fatal(err)
		}
	}
}

// FuzzDecode reads messages as they are, and as what follows the address in a
// frame, so that the fuzzer gets past the checksum.
func FuzzDecode(f *testing.F) {
	frame := exampleFrame(f)
	f.Add(frame)
	f.Add(frame[6 : len(frame)-2])
	f.Add(raw(f, "76 12345678 2c2d 08 04 2a 00 0000 02 5b 0016 0d fd0b 02 4142 06 6d 1e190f8a1700"))
	f.Add(raw(f, "77 12345678 0a 00 69 05 00006531 00000069"))
	f.Add(raw(f, "78 04 86fffe7f 01000000 01 8678 02 02 fc 03 485225 74 440d 0d 06 d1 07 0f 1234"))
	d := decoder(f, Config{Zone: "+01:00", ManufacturerData: true})
	f.Fuzz(func(t *testing.T, m []byte) {
		check(t, d, m)
		if len(m) > 0 && len(m) <= 253 {
			check(t, d, long(t, fmt.Sprintf("%x", m)))
		}
	})
}

func check(t *testing.T, d *Decoder, m []byte) {
	was := slices.Clone(m)
	b := protocol.Batch{Readings: make([]protocol.Reading, 1)}
	err := d.Decode(&b, m)
	if !bytes.Equal(was, m) {
		t.Fatal("the input has changed")
	}
	if err != nil {
		var refusal *protocol.Refusal
		if !errors.As(err, &refusal) || !slices.Contains(protocol.Reasons(), refusal.Reason) || len(b.Readings) != 1 {
			t.Fatalf("%v, %d readings", err, len(b.Readings))
		}
		return
	}
	if len(b.Readings) != 2 || len(b.Readings[1].Metrics) == 0 || len(b.Readings[1].Metrics) > 255 {
		t.Fatalf("%d readings", len(b.Readings))
	}
	names := map[string]bool{}
	for _, m := range b.Readings[1].Metrics {
		f, isNumber := m.Value.Number()
		bad := isNumber && (math.IsNaN(f) || math.IsInf(f, 0))
		if m.Name == "" || names[m.Name] || !utf8.ValidString(m.Name+m.Unit+m.Value.Text()) || m.Value.IsNull() || bad {
			t.Fatalf("metric %q = %v %q", m.Name, m.Value, m.Unit)
		}
		names[m.Name] = true
	}
}
