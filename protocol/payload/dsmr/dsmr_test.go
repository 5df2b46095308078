package dsmr_test

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"pgregory.net/rapid"

	"sluice/protocol"
	"sluice/protocol/payload/dsmr"
)

// shown writes readings one per line: "name=value unit, …, time".
func shown(readings []protocol.Reading) string {
	var lines []string
	for _, r := range readings {
		var parts []string
		for _, m := range r.Metrics {
			parts = append(parts, strings.TrimSpace(fmt.Sprintf("%s=%v %s", m.Name, m.Value, m.Unit)))
		}
		if r.SourceTime != 0 {
			parts = append(parts, r.SourceTime.Time().Format(time.RFC3339))
		}
		lines = append(lines, strings.Join(parts, ", "))
	}
	return strings.Join(lines, "\n")
}

// dutch is a telegram as DSMR 5.0.2 shows it in its example, shortened.
var dutch = string(dsmr.AppendTelegram(nil, `ISk5\2MT382-1000`,
	"1-3:0.2.8(50)", "0-0:1.0.0(101209113020W)", "0-0:96.1.1(4B384547303034303436333935353037)",
	"1-0:1.8.1(123456.789*kWh)", "1-0:2.8.2(123456.789*kWh)", "0-0:96.14.0(0002)", "1-0:1.7.0(01.193*kW)", "0-0:96.7.21(00004)",
	"1-0:99.97.0(2)(0-0:96.7.19)(101208152415W)(0000000240*s)(101208151004W)(0000000301*s)",
	"1-0:32.32.0(00002)", "0-0:96.13.0(48656C6C6F)", "1-0:32.7.0(220.1*V)", "1-0:31.7.0(001*A)",
	"0-1:24.1.0(003)", "0-1:96.1.0(3232323241424344313233343536373839)", "0-1:24.2.1(101209112500W)(12785.123*m3)"))

const dutchWant = `1-3:0.2.8=50, 0-0:96.1.1=K8EG004046395507, 1-0:1.8.1=123456.789 kWh, 1-0:2.8.2=123456.789 kWh, 0-0:96.14.0=0002, 1-0:1.7.0=1.193 kW, 0-0:96.7.21=4, ` +
	`1-0:99.97.0=2, 1-0:32.32.0=2, 0-0:96.13.0=Hello, 1-0:32.7.0=220.1 V, 1-0:31.7.0=1 A, 0-1:24.1.0=3, 0-1:96.1.0=2222ABCD123456789, 2010-12-09T10:30:20Z
0-1:24.2.1=12785.123 m³, 2010-12-09T10:25:00Z`

func telegram(lines ...string) string { return string(dsmr.AppendTelegram(nil, "XXX5METER", lines...)) }

func TestDecode(t *testing.T) {
	for _, c := range []struct{ name, telegram, want string }{
		{"DSMR 5", dutch, dutchWant},
		{"CRs lost on the way", strings.ReplaceAll(dutch, "\r", ""), dutchWant},
		{"DSMR 3", "/ISk5\\2MT382-1000\r\n\r\n1-0:1.8.1(00001.001*kWh)\r\n0-1:24.3.0(090212160000)(00)(60)(1)(0-1:24.2.1)(m3)\r\n(00001.001)\r\n0-1:24.4.0(1)\r\n!\r\n",
			"1-0:1.8.1=1.001 kWh, 0-1:24.3.0=1.001 m³, 0-1:24.4.0=1"},
		{"Belgium, summer time", telegram("0-0:96.1.4(50217)", "0-0:1.0.0(200512145552S)", "1-0:1.4.0(02.351*kW)", "1-0:1.6.0(200509134558S)(02.589*kW)",
			"0-0:98.1.0(1)(1-0:1.6.0)(1-0:1.6.0)(200501000000S)(200423192538S)(03.695*kW)"),
			"0-0:96.1.4=50217, 1-0:1.4.0=2.351 kW, 0-0:98.1.0=1, 2020-05-12T12:55:52Z\n1-0:1.6.0=2.589 kW, 2020-05-09T11:45:58Z"},
		{"Luxembourg", telegram("1-1:31.4.0(200*A)(-200*A)", "0-0:42.0.0(53414731303330373030303035393237)", "0-0:96.1.1(39D2)", "0-0:96.13.2()"),
			"1-1:31.4.0=200 A, 1-1:31.4.0_2=-200 A, 0-0:42.0.0=SAG1030700005927, 0-0:96.1.1=39D2"},
		{"IEC 62056-21", "/EMH4\r\n\r\n1-0:1.8.0*255(000123.4*kWh)\r\nC.1.0(12345678)\r\n1-0:13.7.0(0.95)\r\n!\r\n", "1-0:1.8.0=123.4 kWh, C.1.0=12345678, 1-0:13.7.0=0.95"},
		{"no meter behind it", telegram("1-0:1.7.0(00.1*kW)", "0-1:24.2.1(700101010000W)(00000000)", "0-2:24.2.1(632525252525S)(00000.000*m3)", "0-3:24.2.1()"), "1-0:1.7.0=0.1 kW"},
		{"only a gas meter", telegram("0-1:24.2.1(101209112500W)(12785.123*m3)"), "0-1:24.2.1=12785.123 m³, 2010-12-09T10:25:00Z"},
		{"Hungary", telegram("0-0:98.1.0(210201000000W)(000000.000*kWh)(000001.000*kWh)", "0-0:96.3.10(1)", "0-1:96.3.10(open)"), "0-0:96.3.10=1, 0-1:96.3.10=open"},
		{"a code twice", telegram("1-0:1.7.0(00.1*kW)", "1-0:1.7.0(00.2*kW)"), "1-0:1.7.0=0.1 kW"},
	} {
		var b protocol.Batch
		if err := dsmr.New(dsmr.DefaultConfig()).Decode(&b, []byte(c.telegram)); err != nil {
			t.Errorf("%s: %v", c.name, err)
		} else if got := shown(b.Readings); got != c.want {
			t.Errorf("%s\n got %s\nwant %s", c.name, got, c.want)
		}
	}
}

func TestZones(t *testing.T) {
	for zone, want := range map[string]string{"": "13:00", "cet": "13:00", "wet": "14:00", "eet": "12:00", "utc": ""} {
		c := dsmr.Config{Zone: zone}
		problem := ""
		c.Validate(func(field, text string) { problem = field + " " + text })
		if (problem != "") != (want == "") {
			t.Errorf("%s: %s", zone, problem)
		}
		if problem != "" {
			continue
		}
		var b protocol.Batch
		if err := dsmr.New(c).Decode(&b, []byte(telegram("0-0:1.0.0(240710150000S)", "1-0:1.7.0(00.1*kW)"))); err != nil {
			t.Fatal(err)
		}
		if got := b.Readings[0].SourceTime.Time().Format("15:04"); got != want {
			t.Errorf("%s: %s, want %s", zone, got, want)
		}
	}
}

func TestRefusals(t *testing.T) {
	unsigned := func(telegram string) string { return telegram[:strings.LastIndex(telegram, "!")+1] + "\r\n" }
	for _, c := range []struct{ name, telegram, want string }{
		{"nothing", "\r\n", "empty"},
		{"too long", "/X\r\n" + strings.Repeat("0-0:1.1.1(1)\r\n", 2000) + "!\r\n", "size"},
		{"no beginning", dutch[1:], "syntax"},
		{"no end", dutch[:strings.LastIndex(dutch, "!")], "syntax"},
		{"version without CRC", unsigned(dutch), "checksum"},
		{"e-MUCS without CRC", unsigned(telegram("0-0:96.1.4(50217)")), "checksum"},
		{"wrong CRC", strings.Replace(dutch, "123456.789", "123457.789", 1), "checksum"},
		{"short CRC", strings.TrimRight(dutch, "\r\n")[:len(dutch)-3], "checksum"},
		{"no brackets", telegram("1-0:1.7.0"), "syntax"},
		{"open bracket", telegram("1-0:1.7.0(1*kW"), "syntax"},
		{"no code", telegram("(1*kW)"), "syntax"},
		{"no code but a suffix", telegram("*255(1*kW)"), "syntax"},
		{"an hourly value that is missing", telegram("0-1:24.3.0(090212160000)(00)(60)(1)(0-1:24.2.1)(m3)"), "missing"},
		{"no number", telegram("1-0:1.7.0(x*kW)"), "syntax"},
		{"not UTF-8", telegram("0-0:96.14.0(\xff)"), "utf8"},
		{"no value", telegram("0-0:96.13.0()"), "missing"},
		{"no object", telegram(), "missing"},
	} {
		b := protocol.Batch{Readings: []protocol.Reading{{ReceivedTime: 7}}}
		err := dsmr.New(dsmr.DefaultConfig()).Decode(&b, []byte(c.telegram))
		var refusal *protocol.Refusal
		if !errors.As(err, &refusal) || refusal.Reason != c.want {
			t.Errorf("%s: %v, want %s", c.name, err, c.want)
		}
		if len(b.Readings) != 1 || b.Readings[0].ReceivedTime != 7 {
			t.Errorf("%s: the batch is changed", c.name)
		}
	}
}

func TestWords(t *testing.T) {
	isWord := regexp.MustCompile(`^[a-z][a-z0-9_]*$`)
	seen := map[string]int{}
	for _, w := range dsmr.Words() {
		if !isWord.MatchString(w.Name) {
			t.Errorf("%s is %q", w.Code, w.Name)
		}
		seen[w.Name]++
	}
	for name, n := range seen { // versions have other codes for the same
		if n > 1 && !regexp.MustCompile(`^(version|equipment_id|meter_[1-4](_id)?)$`).MatchString(name) {
			t.Errorf("%d codes are %s", n, name)
		}
	}
	for _, w := range []dsmr.Word{{Code: "0-2:24.2.1", Name: "meter_2"}, {Code: "0-1:24.1.0", Name: "meter_1_type"}} {
		if !slices.Contains(dsmr.Words(), w) {
			t.Errorf("there is no %v", w)
		}
	}
}

func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var lines, want []string
		for i := range rapid.IntRange(1, 30).Draw(t, "objects") {
			milli := rapid.Int64Range(0, 999_999_999).Draw(t, "milli")
			code := fmt.Sprintf("1-0:%d.8.%d", i, rapid.IntRange(0, 4).Draw(t, "tariff"))
			lines = append(lines, fmt.Sprintf("%s(%06d.%03d*kWh)", code, milli/1000, milli%1000))
			want = append(want, fmt.Sprintf("%s=%v kWh", code, float64(milli)/1000))
		}
		var b protocol.Batch
		if err := dsmr.New(dsmr.DefaultConfig()).Decode(&b, dsmr.AppendTelegram(nil, "XXX5METER", lines...)); err != nil {
			t.Fatal(err)
		}
		if got := shown(b.Readings); got != strings.Join(want, ", ") {
			t.Fatalf("\n got %s\nwant %s", got, strings.Join(want, ", "))
		}
	})
}

func TestDecodeAllocatesNothing(t *testing.T) {
	d, message := dsmr.New(dsmr.DefaultConfig()), []byte(dutch)
	var b protocol.Batch
	if n := testing.AllocsPerRun(100, func() {
		b.Reset()
		if err := d.Decode(&b, message); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkDecode(b *testing.B) {
	d, message := dsmr.New(dsmr.DefaultConfig()), []byte(dutch)
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

func FuzzDecode(f *testing.F) {
	f.Add([]byte(dutch))
	f.Add([]byte("/EMH4\r\n\r\n1-0:1.8.0*255(000123.4*kWh)\r\n0-1:24.3.0(090212160000)(00)(60)(1)(0-1:24.2.1)(m3)\r\n(00001.001)\r\n!\r\n"))
	f.Add([]byte("/X\r\n1-1:31.4.0(200*A)(-200*A)\n0-1:24.2.1(101209112500W)(12785.123*m3)\n!"))
	d := dsmr.New(dsmr.DefaultConfig())
	f.Fuzz(func(t *testing.T, message []byte) {
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
		names := map[string]bool{}
		for _, r := range b.Readings[1:] {
			if len(r.Metrics) == 0 || len(r.Metrics) > len(message) {
				t.Fatal(r)
			}
			for _, m := range r.Metrics {
				if m.Name == "" || names[m.Name] || !utf8.ValidString(m.Name) || !utf8.ValidString(m.Unit) || !utf8.ValidString(m.Value.Text()) || m.Value.IsNull() {
					t.Fatalf("%+v", m)
				}
				names[m.Name] = true
				if v, _ := m.Value.Number(); math.IsNaN(v) || math.IsInf(v, 0) {
					t.Fatalf("%+v", m)
				}
			}
		}
	})
}
