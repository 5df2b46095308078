package mbus

import (
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

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

// long returns a long frame of CI and what follows.
func long(t testing.TB, text string) []byte {
	t.Helper()
	body := append([]byte{respond, 5}, raw(t, text)...)
	n := byte(len(body))
	frame := append([]byte{longStart, n, n, longStart}, body...)
	return append(frame, sumOf(body), stop)
}

// headed is CI and the header of a meter by Kamstrup, without errors.
const headed = "72 78563412 2d2c 08 04 2a 00 0000 "

func decoder(t testing.TB, c Config) *Decoder {
	t.Helper()
	d, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// drawn writes the metrics but the status as text.
func drawn(r *protocol.Reading) string {
	var text strings.Builder
	for _, m := range r.Metrics {
		if m.Name == "status" {
			continue
		}
		fmt.Fprintf(&text, "%s=%s:%s", m.Name, m.Value.Kind(), m.Value)
		if m.Unit != "" {
			text.WriteString("_" + m.Unit)
		}
		text.WriteString(" ")
	}
	return strings.TrimSuffix(text.String(), " ")
}

func TestRecords(t *testing.T) {
	for _, c := range []struct{ name, records, wants string }{
		{"integers of all widths", "01 13 ff 02 14 d202 03 15 010000 04 06 e7910000 06 03 010000000000 07 0e 0100000000000000",
			"volume=float:-0.001_m³ volume_2=float:7.22_m³ volume_3=float:0.1_m³ energy=int:37351000_Wh energy_2=int:1_Wh energy_3=int:1000000_J"},
		{"BCD of all widths, one below zero", "09 5b 22 0a 5a 2702 0b 3b 560000 0c 78 45230170 0e 06 000000000100 0a 61 09f0",
			"flow_temperature=int:22_°C flow_temperature_2=float:22.7_°C volume_flow=float:0.056_m³/h fabrication_number=int:70012345 energy=int:100000000000_Wh temperature_difference=float:-0.09_K"},
		{"floats", "05 5b 0000ac41 05 2e 00000040 05 3e 0000c07f", "flow_temperature=float:21.5_°C power=float:2000_W"},
		{"not available", "01 5b 80 02 5b 0080 04 5b 00000080 0c 06 ffffffff 0a 5a a002 04 6d 80000000 02 6c 0000 00 06 08 06 01 5b 15", "flow_temperature_5=int:21_°C"},
		{"storage, tariff, subunit, function", "d411 06 01000000 84 8f 0f 06 02000000 b4 40 2d 03000000 64 2d 04000000",
			"energy_max_storage_3_tariff_1=int:1000_Wh energy_storage_510=int:2000_Wh power_error_unit_1=int:300_W power_min_storage_1=int:400_W"},
		{"durations and flows in base units", "02 22 0200 01 27 03 02 43 0100 02 4c 0100 02 70 0a00",
			"on_time=int:7200_s operating_time=int:259200_s volume_flow=float:0.006_m³/h volume_flow_2=float:0.036_m³/h averaging_duration=int:10_s"},
		{"the FD table", "02 fd48 d108 02 fd59 0a00 02 fd17 0480 01 fd1b 02 02 fd0a 2d2c 01 fd6d 02 01 fd7b 07",
			"voltage=float:225.7_V current=float:0.01_A error_flags=uint:32772 digital_input=uint:2 manufacturer=string:KAM battery_operating_time=int:172800_s vif_fd_7b=int:7"},
		{"the FB table", "02 fb00 0100 02 fb2e 8813 01 fb1a 63 02 fb2b 9600 02 fb02 0200 01 fb40 01",
			"energy=int:100000_Wh frequency=float:500_Hz relative_humidity=float:9.9_% phase_current=float:15_° reactive_energy=int:2000_varh vif_fb_40=int:1"},
		{"VIFEs", "04 863b 23000000 04 863c 01000000 02 ab75 0100 02 ab7d 0100 02 9328 0a00 02 abfc02 0100 04 86fffe7f 01000000 01 8678 02",
			"energy_forward=int:35000_Wh energy_backward=int:1000_Wh power=float:0.1_W power_2=int:1000_W volume_per_input_pulse_0=float:0.01_m³/pulse power_phase_l2=int:1_W energy_manufacturer_7e_7f=int:1000_Wh energy_vife_78=int:2000_Wh"},
		{"errors in VIFEs", "04 8615 01000000 04 8600 02000000 04 8616 03000000 04 06 04000000", "energy_2=int:2000_Wh energy_4=int:4000_Wh"},
		{"dates, durations and counts", "14 da6f 32147a18 14 da6a 00000000 01 bb5a 02 04 ed39 190f8a17 01 bb49 03",
			"flow_temperature_last_begin_max=string:2011-08-26T20:50:00 volume_flow_upper_limit_first_duration=int:7200_s time_start=string:2012-07-10T15:25:00 volume_flow_upper_limit_exceeds=int:3"},
		{"dates and times", "02 6c bf1c 04 6d 190f8a17 03 6d 1e191f 06 6d 1e190f8a1700 04 6d 990f8a17 02 6c ffff",
			"date=string:2013-12-31 time=string:2012-07-10T15:25:00 time_3=string:2012-07-10T15:25:30"},
		{"texts", "0d fd0b 06 353332445652 0d fd11 03 2020 20 0d fd10 02 e441 0d fd0c 02 0141 0d 7c 03 584241 04 31323334",
			"parameter_set=string:RVD235 customer_location=string:Aä model_version=string:0141 ABX=string:4321"},
		{"other variable lengths", "0d 06 c2 3412 0d 06 d1 07 0d 06 e2 ff7f 0d fd3b f0 00112233445566778899aabbccddeeff 0d fd0c e9 010203040506070809 0d 06 c1 0f",
			"energy=int:1234000_Wh energy_2=int:-7000_Wh energy_3=int:32767000_Wh radio_container=string:00112233445566778899aabbccddeeff model_version=string:010203040506070809"},
		{"a unit in plain text", "02 7c 03 485225 2c01 02 fc 03 485225 74 440d 04 7c 08 44 49 202e 74737563 05000000 01 7c 00 01",
			"relative_humidity=int:300_% relative_humidity_2=float:33.96_% cust_ID=int:5 plain_text=int:1"},
		{"the manufacturer's own", "01 7f 0d 01 ffe1ff01 0e 01 7b 02 01 fdfd70 03", "manufacturer=int:13 manufacturer_61_7f_01=int:14 vif_7b=int:2 vif_fd_7d_70=int:3"},
		{"fillers and a tail", "2f 2f 01 5b 16 2f 0f 01 02 03", "flow_temperature=int:22_°C manufacturer_data=string:010203"},
		{"a credit", "02 03 0100 02 fd00 0500", "energy=int:1_Wh credit=float:0.005"},
	} {
		var b protocol.Batch
		if err := decoder(t, Config{ManufacturerData: true}).Decode(&b, long(t, headed+c.records)); err != nil {
			t.Errorf("%s: %v", c.name, err)
		} else if got := drawn(&b.Readings[0]); got != c.wants {
			t.Errorf("%s:\n got %s\nwant %s", c.name, got, c.wants)
		}
	}
}

func TestHeaders(t *testing.T) {
	const tags = "[{id 12345678} {manufacturer KAM} {medium heat} {version 8}] "
	for _, c := range []struct{ name, body, wants string }{
		{"long", headed + "01 5b 16", tags + "status=0:good flow_temperature=22:good"},
		{"long, high byte first", "76 12345678 2c2d 08 04 2a 00 0000 02 5b 0016 0d fd0b 02 4142", tags + "status=0:good flow_temperature=22:good parameter_set=AB:good"},
		{"short", "7a 2a 10 0000 01 5b 16", "status=16:good flow_temperature=22:uncertain"},
		{"none", "78 01 5b 16", "flow_temperature=22:good"},
		{"busy", "7a 2a 01 0000 01 5b 16", "status=1:good flow_temperature=22:uncertain"},
		{"application error", "7a 2a 02 0000 01 5b 16", "status=2:good flow_temperature=22:bad"},
		{"alarm and low battery", "7a 2a 07 0000 01 5b 16", "status=7:good flow_temperature=22:good"},
		{"permanent error", "7a 2a 08 0000 01 5b 16", "status=8:good flow_temperature=22:bad"},
		{"decrypted by a gateway", "7a 2a 00 2005 2f 2f 01 5b 16", "status=0:good flow_temperature=22:good"},
		{"an unknown medium and manufacturer", "72 0100000a 0000 01 5f 00 00 0000", "[{id 0a000001} {manufacturer 0} {medium 95} {version 1}] status=0:good"},
		{"fixed, BCD", "73 78563412 0a 00 05 69 31650000 69000000", "[{id 12345678} {medium heat}] status=0:good energy=6531000:good volume=0.069:good"},
		{"fixed, binary, the second of a fixed day", "73 78563412 0a 01 c5 7e 10000000 ffffffff", "[{id 12345678} {medium water}] status=1:good energy=16000:good energy_storage_1=-1000:good"},
		{"fixed, both of a fixed day", "73 78563412 0a 02 14 3a 10000000 00000000", "[{id 12345678} {medium other}] status=2:good power_storage_1=10:good"},
		{"fixed, high byte first", "77 12345678 0a 00 69 05 00006531 00000069", "[{id 12345678} {medium heat}] status=0:good energy=6531000:good volume=0.069:good"},
	} {
		var b protocol.Batch
		if err := decoder(t, Config{}).Decode(&b, long(t, c.body)); err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		got := ""
		if device := b.Readings[0].Device; device != nil {
			got = fmt.Sprint(device.Tags) + " "
		}
		for _, m := range b.Readings[0].Metrics {
			got += fmt.Sprintf("%s=%s:%s ", m.Name, m.Value, m.Quality)
		}
		if got = strings.TrimSuffix(got, " "); got != c.wants {
			t.Errorf("%s:\n got %s\nwant %s", c.name, got, c.wants)
		}
	}
}

func TestRefusals(t *testing.T) {
	good := long(t, headed+"01 5b 16")
	damaged := slices.Clone(good)
	damaged[20] ^= 1
	for name, c := range map[string]struct {
		message []byte
		reason  string
		text    string
	}{
		"empty":                    {nil, "empty", ""},
		"an acknowledgement":       {raw(t, "e5"), "kind", "acknowledgement"},
		"a request":                {raw(t, "10 5b 01 5c 16"), "kind", "request"},
		"noise":                    {[]byte("hello"), "syntax", ""},
		"half a frame":             {good[:10], "syntax", ""},
		"two lengths":              {raw(t, "68 03 04 68 08 01 72 7b 16"), "syntax", ""},
		"no end":                   {append(slices.Clone(good[:len(good)-1]), 0x17), "syntax", ""},
		"bytes behind":             {append(slices.Clone(good), 0x68), "syntax", ""},
		"a wrong bit":              {damaged, "checksum", ""},
		"an application error":     {long(t, "70 08"), "kind", "application too busy"},
		"one without a number":     {long(t, "70"), "kind", "unspecified"},
		"one of an unknown number": {long(t, "70 63"), "kind", "99"},
		"an alarm":                 {long(t, "71 00"), "kind", "CI 71"},
		"encrypted":                {long(t, "7a 2a 00 2005 a1b2c3d4e5f60718293a4b5c6d7e8f90"), "kind", "encrypted, mode 5"},
		"encrypted, long":          {long(t, "72 78563412 2d2c 08 04 2a 00 1005 a1b2c3d4"), "kind", "encrypted"},
		"half a header":            {long(t, "72 78563412"), "syntax", ""},
		"half a fixed structure":   {long(t, "73 78563412"), "syntax", ""},
		"nothing":                  {long(t, "78"), "missing", ""},
		"no value":                 {long(t, "78 02 5b 0080"), "missing", ""},
		"half a record":            {long(t, headed+"04 06 0000"), "syntax", ""},
		"half a text":              {long(t, headed+"0d fd0b 20 41"), "syntax", ""},
		"a reserved length":        {long(t, headed+"0d fd0b ff"), "syntax", ""},
		"a reserved DIF":           {long(t, headed+"3f"), "syntax", ""},
		"11 DIFEs":                 {long(t, headed+"84 8080808080808080808000 06 00000000"), "size", ""},
		"11 VIFEs":                 {long(t, headed+"04 86 bbbbbbbbbbbbbbbbbbbb3b 00000000"), "size", ""},
	} {
		b := protocol.Batch{Readings: make([]protocol.Reading, 1, 8)}
		err := decoder(t, Config{}).Decode(&b, c.message)
		var refusal *protocol.Refusal
		if !errors.As(err, &refusal) || refusal.Reason != c.reason || !strings.Contains(err.Error(), c.text) || len(b.Readings) != 1 {
			t.Errorf("%s: %v, %d readings, want %q %s", name, err, len(b.Readings), c.reason, c.text)
		}
	}
}

func TestSourceTime(t *testing.T) {
	const at = headed + "04 6d 190f8a17"
	for _, c := range []struct{ zone, body, wants string }{
		{"", at, ""},
		{"UTC", at, "2012-07-10T15:25:00Z"},
		{"Europe/Berlin", at, "2012-07-10T13:25:00Z"},
		{"+01:00", at, "2012-07-10T14:25:00Z"},
		{"+01:00", headed + "04 6d 198f8a17", "2012-07-10T13:25:00Z"},
		{"Europe/Berlin", headed + "04 6d 198f8a17", "2012-07-10T13:25:00Z"},
		{"Europe/Berlin", headed + "04 6d 1e82593a", "2026-10-25T00:30:00Z"}, // the hour that clocks show twice
		{"Europe/Berlin", headed + "04 6d 1e02593a", "2026-10-25T01:30:00Z"},
		{"UTC", headed + "02 6c bf1c 44 6d 190f8a17", ""},
		{"UTC", headed + "04 ed39 190f8a17 14 6d 190f8a17 06 6d 1e190f8a1700", "2012-07-10T15:25:30Z"},
	} {
		var b protocol.Batch
		if err := decoder(t, Config{Zone: c.zone}).Decode(&b, long(t, c.body)); err != nil {
			t.Errorf("%s: %v", c.zone, err)
			continue
		}
		got := ""
		if when := b.Readings[0].SourceTime; when != 0 {
			got = when.Time().Format(time.RFC3339)
		}
		if got != c.wants {
			t.Errorf("%s: %s: %s, want %s", c.zone, c.body, got, c.wants)
		}
	}
}

func TestConfig(t *testing.T) {
	c := DefaultConfig()
	c.Validate(func(field, problem string) { t.Errorf("default: %s %s", field, problem) })
	for _, zone := range []string{"Europe/Nowhere", "Local", "+25:00", "../x"} {
		problems := 0
		c.Zone = zone
		c.Validate(func(field, problem string) {
			if problems++; field != "zone" {
				t.Errorf("%s: %s %s", zone, field, problem)
			}
		})
		if _, err := New(c); err == nil || problems != 1 {
			t.Errorf("%s: %v, %d problems", zone, err, problems)
		}
	}
}

func TestMore(t *testing.T) {
	d := decoder(t, Config{})
	for body, want := range map[string]bool{headed + "01 5b 16 1f": true, headed + "01 5b 16": false, headed + "01 5b 16 0f 1f": false} {
		var b protocol.Batch
		if err := d.Decode(&b, long(t, body)); err != nil || d.More() != want {
			t.Errorf("%s: %v, %v", body, err, d.More())
		}
	}
}
