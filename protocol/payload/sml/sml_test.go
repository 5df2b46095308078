package sml

import (
	"bytes"
	"encoding/hex"
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

// raw returns bytes written as hexadecimal digits with blanks.
func raw(t testing.TB, text string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.Join(strings.Fields(text), ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// message closes a message whose head and body are given, by X-25 or KERMIT.
func message(t testing.TB, text string, kermit bool) []byte {
	t.Helper()
	b := raw(t, text)
	covered := b
	b = append(b, 0x63)
	if kermit {
		return append(New().kermit.Append(b, covered, false), 0)
	}
	return append(x25().Append(b, covered, true), 0)
}

const (
	head   = "76 02 01 62 00 62 00 72 63"
	server = "0b 0a 01 44 5a 47 00 03 9e 20 54"
)

// answered returns a file of one list with these entries.
func answered(t testing.TB, count int, entries string) []byte {
	return message(t, fmt.Sprintf("%s 0701 77 01 %s 01 01 %02x %s 01 01", head, server, 0x70+count, entries), false)
}

// drawn writes readings as text, one line each.
func drawn(b *protocol.Batch) string {
	var text strings.Builder
	for _, r := range b.Readings {
		if r.SourceTime != 0 {
			fmt.Fprintf(&text, "%s ", r.SourceTime.Time().Format(time.RFC3339))
		}
		if r.Device != nil {
			fmt.Fprintf(&text, "%v ", r.Device.Tags)
		}
		for _, m := range r.Metrics {
			fmt.Fprintf(&text, "%s=%s:%s", m.Name, m.Value.Kind(), m.Value)
			if m.Unit != "" {
				text.WriteString("_" + m.Unit)
			}
			text.WriteString(" ")
		}
		text.WriteString("\n")
	}
	return text.String()
}

func TestDecode(t *testing.T) {
	const dzg = "[{manufacturer DZG} {server_id 0a01445a4700039e2054}] "
	for _, c := range []struct {
		name  string
		file  []byte
		wants string
	}{
		{"an energy with status and seconds index",
			answered(t, 1, "77 07 0100010800ff 64 1c0104 72 62 01 64 8fccb5 62 1e 52 ff 64 5cb067 01"),
			dzg + "1-0:1.8.0=float:607447.1_Wh 1-0:1.8.0_status=uint:1835268 \n"},
		{"a power fed in, odd widths, a scaler of zero",
			answered(t, 3, "77 07 0100100700ff 01 01 62 1b 52 00 54 ffff38 01 77 07 0100010801ff 01 01 62 1e 52 03 62 07 01 77 07 0100020801ff 01 01 62 1e 01 69 ffffffffffffffff 01"),
			dzg + "1-0:16.7.0=int:-200_W 1-0:1.8.1=int:7000_Wh 1-0:2.8.1=uint:18446744073709551615_Wh \n"},
		{"texts, octets, a boolean, a list, nothing",
			answered(t, 5, "77 07 010060320101 01 01 01 01 04 445a47 01 77 07 010060 0100ff 01 01 01 01 04 0a0184 01 77 07 000060 0e00ff 01 01 01 01 42 01 01 77 07 0000010000ff 01 01 01 01 72 62 01 65 00000001 01 77 07 0100020800ff 01 01 62 1e 52 ff 01 01"),
			dzg + "1-0:96.50.1*1=string:DZG 1-0:96.1.0=string:0a0184 0-0:96.14.0=bool:true \n"},
		{"a name that is no OBIS code, one that is none, and one said twice",
			answered(t, 4, "77 03 abcd 01 01 01 01 62 01 01 77 01 01 01 01 01 62 02 01 77 03 abcd 01 01 01 01 62 03 01 77 07 8181c78203ff 01 01 01 01 04 484147 01"),
			dzg + "abcd=int:1 129-129:199.130.3=string:HAG \n"},
		{"timestamps: plain, local, before the year 2000",
			answered(t, 3, "77 03 0001 01 72 62 02 65 65920080 01 01 62 01 01 77 03 0002 01 72 62 03 73 65 65920080 53 003c 53 0000 01 01 62 02 01 77 03 0003 01 72 62 02 62 10 01 01 62 03 01"),
			"2024-01-01T00:00:00Z " + dzg + "0001=int:1 0002=int:2 \n" + dzg + "0003=int:3 \n"},
		{"Holley: no choice in a time, KERMIT",
			message(t, head+"0701 77 01 01 01 65 011c1eb7 71 77 07 0100010800ff 65 001c0104 65 011c1eb7 62 1e 52 ff 65 00dc5328 01 01 01", true),
			"1-0:1.8.0=float:1.4439208e+06_Wh 1-0:1.8.0_status=uint:1835268 \n"},
		{"DZG DVS74: 328.05 W as a negative number",
			message(t, head+"0701 77 01 0b 0a01445a47000280de81 01 01 71 77 07 0100100700ff 01 01 62 1b 52 fe 53 8025 01 01 01", false),
			"[{manufacturer DZG} {server_id 0a01445a47000280de81}] 1-0:16.7.0=float:328.05_W \n"},
		{"a length in two bytes",
			answered(t, 1, "77 07 0100010800ff 01 01 01 01 81 04"+strings.Repeat("41", 18)+"01"),
			dzg + "1-0:1.8.0=string:AAAAAAAAAAAAAAAAAA \n"},
	} {
		var b protocol.Batch
		if err := New().Decode(&b, c.file); err != nil {
			t.Errorf("%s: %v", c.name, err)
		} else if got := drawn(&b); got != c.wants {
			t.Errorf("%s:\n got %s\nwant %s", c.name, got, c.wants)
		}
	}
}

// framed puts a file into a transport frame.
func framed(file []byte, fill byte) []byte {
	b := append([]byte(escape+version), file...)
	b = append(append(b, make([]byte, fill)...), escape...)
	b = append(b, ending, fill)
	return x25().Append(b, b, true)
}

func TestFrames(t *testing.T) {
	file := answered(t, 1, "77 02 01 01 01 01 01 62 07 01")
	for name, m := range map[string][]byte{
		"bare":                    file,
		"bare with fill bytes":    append(slices.Clone(file), 0, 0, 0),
		"bare with a line end":    append(slices.Clone(file), "\r\n"...),
		"framed":                  framed(file, 0),
		"framed with fill bytes":  framed(file, 3),
		"framed with a line end":  append(framed(file, 2), '\n'),
		"after other messages":    append(message(t, head+"0101 76 01 01 01 01 01 01", false), file...),
		"beside an attention":     append(message(t, head+"ff01 73 01 07 8181c7c7fe03 01", false), file...),
		"framed, as KERMIT sees ": kermit(framed(file, 0)),
	} {
		var b protocol.Batch
		if err := New().Decode(&b, m); err != nil || len(b.Readings) != 1 {
			t.Errorf("%s: %v, %d readings", name, err, len(b.Readings))
		}
	}
}

// kermit gives a frame the other checksum.
func kermit(frame []byte) []byte {
	n := len(frame) - 2
	return New().kermit.Append(frame[:n], frame[:n], false)
}

func TestRefusals(t *testing.T) {
	file := answered(t, 1, "77 02 01 01 01 01 01 62 07 01")
	damaged := framed(file, 0)
	damaged[len(damaged)-12] ^= 4
	bare := slices.Clone(file)
	bare[len(bare)-8] ^= 1
	deep := head + " 0701 " + strings.Repeat("71", 3000) + " 01"
	for name, c := range map[string]struct {
		message []byte
		reason  string
	}{
		"empty":                    {nil, "empty"},
		"too long":                 {make([]byte, maxMessage+1), "size"},
		"a damaged frame":          {damaged, "checksum"},
		"a damaged message":        {bare, "checksum"},
		"half a frame":             {framed(file, 0)[:40], "syntax"},
		"a start within a frame":   {append([]byte(escape+version), framed(file, 0)...), "syntax"},
		"bytes after the frame":    {append(framed(file, 0), 'x'), "syntax"},
		"too many fill bytes":      {framed(append(slices.Clone(file), 0), 4), "syntax"},
		"transport version 2":      {[]byte(escape + "\x02\x02\x02\x02"), "kind"},
		"bytes after the messages": {append(slices.Clone(file), 0, 1), "syntax"},
		"no end of the message":    {file[:len(file)-1], "syntax"},
		"text":                     {[]byte("1-0:1.8.0*255(1)"), "syntax"},
		"only opening":             {message(t, head+"0101 76 01 01 01 01 01 01", false), "kind"},
		"attention":                {message(t, head+"ff01 73 01 07 8181c7c7fe03 01", false), "kind"},
		"no entries":               {answered(t, 0, ""), "missing"},
		"an entry of six":          {answered(t, 1, "76 02 01 01 01 01 01 62 07"), "syntax"},
		"a deep list":              {message(t, deep, false), "syntax"},
		"a list longer than all":   {message(t, head+"0701 77 01 01 01 01 ff8f8f0f", false), "syntax"},
		"octets longer than all":   {message(t, head+"0701 77 01 8f8f0f", false), "syntax"},
		"a scaler beyond a byte":   {answered(t, 1, "77 02 01 01 01 01 53 0100 62 07 01"), "syntax"},
		"a time that is a text":    {answered(t, 1, "77 02 01 01 03 3132 01 01 62 07 01"), "syntax"},
	} {
		b := protocol.Batch{Readings: make([]protocol.Reading, 1, 8)}
		err := New().Decode(&b, c.message)
		var refusal *protocol.Refusal
		if !errors.As(err, &refusal) || refusal.Reason != c.reason || len(b.Readings) != 1 {
			t.Errorf("%s: %v, %d readings, want %q", name, err, len(b.Readings), c.reason)
		}
	}
	many := answered(t, 15, strings.Repeat("77 02 01 01 01 01 01 62 07 01", 15))
	var b protocol.Batch
	if err := New().Decode(&b, bytes.Repeat(many, 18)); err == nil || !strings.HasPrefix(err.Error(), "size") {
		t.Errorf("270 entries: %v", err)
	}
}

// drawFile draws a file and the readings it means.
func drawFile(t *rapid.T) (File, string) {
	f := File{
		ServerID:    rapid.SliceOfN(rapid.Byte(), 0, 12).Draw(t, "server"),
		Transaction: rapid.Uint32().Draw(t, "transaction"),
		Seconds:     rapid.Uint32().Draw(t, "seconds"),
	}
	if rapid.Bool().Draw(t, "clock") {
		f.Time = protocol.Timestamp(rapid.Int64Range(firstSecond, 4e9).Draw(t, "time")) * 1e9
	}
	want := protocol.Batch{}
	reading := want.Add()
	reading.Device, reading.SourceTime = newTexts().device(f.ServerID), f.Time
	for i := range rapid.IntRange(1, 40).Draw(t, "entries") {
		e := Entry{
			OBIS:   [6]byte{1, byte(i), rapid.Byte().Draw(t, "c"), 27, 0x1b, rapid.Byte().Draw(t, "f")},
			Status: rapid.Uint64().Draw(t, "status"),
			Unit:   rapid.SampledFrom([]string{"", "Wh", "W", "m³", "°C"}).Draw(t, "unit"),
			Scaler: rapid.Int8Range(-20, 20).Draw(t, "scaler"),
		}
		value := protocol.Value{}
		switch rapid.IntRange(0, 4).Draw(t, "kind") {
		case 0:
			n := rapid.Int64().Draw(t, "int")
			e.Value, value = protocol.Int(n), protocol.Scaled(n, int(e.Scaler))
		case 1:
			n := rapid.Uint64().Draw(t, "uint")
			e.Value, value = protocol.Uint(n), scaled(n, int(e.Scaler))
		case 2:
			e.Value = protocol.Bool(rapid.Bool().Draw(t, "bool"))
			value = e.Value
		case 3:
			text := rapid.StringMatching("[ -~]{1,20}").Draw(t, "text")
			e.Value, value = protocol.String(text), protocol.String(text)
		case 4:
			e.Value = protocol.Bytes(strings.Repeat("\x1b", rapid.IntRange(1, 40).Draw(t, "escapes")))
			value = protocol.String(hex.EncodeToString([]byte(e.Value.Text())))
		}
		f.Entries = append(f.Entries, e)
		name := obis(e.OBIS[:])
		reading.Metrics = append(reading.Metrics, protocol.Metric{Name: name, Value: value, Unit: e.Unit})
		if e.Status != 0 {
			reading.Metrics = append(reading.Metrics, protocol.Metric{Name: name + "_status", Value: protocol.Uint(e.Status)})
		}
	}
	return f, drawn(&want)
}

func TestWhatIsAppendedIsDecoded(t *testing.T) {
	d := New()
	rapid.Check(t, func(t *rapid.T) {
		f, want := drawFile(t)
		m := AppendFile([]byte("before"), f)[len("before"):]
		var b protocol.Batch
		if err := d.Decode(&b, m); err != nil {
			t.Fatalf("%x: %v", m, err)
		}
		if got := drawn(&b); got != want {
			t.Fatalf("%x\n got %s\nwant %s", m, got, want)
		}
		at := rapid.IntRange(0, len(m)-1).Draw(t, "at")
		m[at] ^= 1 << rapid.IntRange(0, 7).Draw(t, "bit")
		if err := d.Decode(&b, m); err == nil {
			t.Fatalf("%x with a wrong bit at byte %d gives %s", m, at, drawn(&b))
		}
	})
}

func TestFloatsAreRounded(t *testing.T) {
	f := File{Entries: []Entry{{OBIS: [6]byte{1, 0, 16, 7, 0, 255}, Unit: "W", Scaler: -1, Value: protocol.Float(-230.06)}}}
	var b protocol.Batch
	if err := New().Decode(&b, AppendFile(nil, f)); err != nil || b.Readings[0].Metrics[0].Value != protocol.Float(-230.1) {
		t.Errorf("%v, %s", err, drawn(&b))
	}
}

func exampleFile() []byte {
	f := File{ServerID: []byte("\x0a\x01EMH\x00\x00\x5a\x3b\x1c"), Seconds: 7654321, Entries: []Entry{
		{OBIS: [6]byte{1, 0, 96, 50, 1, 1}, Value: protocol.String("EMH")},
		{OBIS: [6]byte{1, 0, 96, 1, 0, 255}, Value: protocol.Bytes("\x0a\x01EMH\x00\x00\x5a\x3b\x1c")},
		{OBIS: [6]byte{1, 0, 1, 8, 0, 255}, Status: 0x1c0104, Unit: "Wh", Scaler: -1, Value: protocol.Uint(123456789)},
		{OBIS: [6]byte{1, 0, 2, 8, 0, 255}, Unit: "Wh", Scaler: -1, Value: protocol.Uint(987654)},
		{OBIS: [6]byte{1, 0, 16, 7, 0, 255}, Unit: "W", Scaler: -1, Value: protocol.Int(-5120)},
	}}
	return AppendFile(nil, f)
}

func TestDecodeAllocatesNothing(t *testing.T) {
	d, m := New(), exampleFile()
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
	d, m := New(), exampleFile()
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

// FuzzDecode reads messages as they are, and behind right checksums so that the
// fuzzer gets past them.
func FuzzDecode(f *testing.F) {
	f.Add(exampleFile())
	f.Add(answered(f, 2, "77 07 0100010800ff 64 1c0104 72 62 02 65 65920080 62 1e 52 ff 64 5cb067 01 77 02 01 01 73 65 65920080 52 00 52 00 01 01 42 01 01"))
	f.Add(raw(f, "7701010101 71 77 02 01 01 01 01 01 62 07 01 0101"))
	d := New()
	f.Fuzz(func(t *testing.T, m []byte) {
		if len(m) > 1<<12 {
			return
		}
		for _, m := range [][]byte{m, message(t, head+"0701"+hex.EncodeToString(m), false)} {
			check(t, d, m)
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
	metrics := 0
	for _, r := range b.Readings[1:] {
		if metrics += len(r.Metrics); len(r.Metrics) == 0 {
			t.Fatal("a reading without metrics")
		}
		for _, m := range r.Metrics {
			f, _ := m.Value.Number()
			if m.Name == "" || !utf8.ValidString(m.Name) || !utf8.ValidString(m.Value.Text()) || m.Value.IsNull() || math.IsNaN(f) {
				t.Fatalf("metric %q = %v", m.Name, m.Value)
			}
		}
	}
	if metrics == 0 || metrics > 2*maxEntries {
		t.Fatalf("%d metrics", metrics)
	}
}
