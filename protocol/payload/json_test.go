package payload

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"sluice/protocol"
)

var all = Profile{Decode: Decode{JSON: &JSON{}}}

func TestJSONAll(t *testing.T) {
	check(t, all, "", []message{
		{`{"u":230.5,"i":4,"on":true,"mode":"auto"}`, "u=float:230.5 i=float:4 on=bool:true mode=string:auto"},
		{`{"a":{"b":1,"c":{"d":2}},"e":[3,{"f":4},[5]]}`, "a_b=float:1 a_c_d=float:2 e_0=float:3 e_1_f=float:4 e_2_0=float:5"},
		{`[1,"x"]`, "0=float:1 1=string:x"},
		{` { "a" : 1 , "b" : [ ] , "c" : { } } ` + "\r\n", "a=float:1"},
		{`{"a":null,"b":1}`, "b=float:1"},
		{`{"a":"12"}`, "a=string:12"},
		{`{"a":""}`, "a=string:"},
		{`{"":1,"x":{"":2}}`, "value=float:1 x_=float:2"},
		{`{"a":1,"a":2}`, "a=float:1"},
		{`{"a":{"b":1},"a_b":2}`, "a_b=float:1"},
		{`{"\u0061":"\u00e9\n\"\ud83d\ude00\/"}`, "a=string:é\n\"😀/"},
		{`{"é":"°C"}`, "é=string:°C"},
		{`21.5`, "value=float:21.5"},
		{`"on"`, "value=string:on"},
		{`true`, "value=bool:true"},

		{`{}`, "!missing"}, {`[]`, "!missing"}, {`null`, "!missing"}, {`{"a":[null]}`, "!missing"},
		{``, "!empty"}, {" \r\n\t", "!empty"},
		{`{"a":NaN}`, "!syntax"}, {`{"a":Infinity}`, "!syntax"}, {`{"a":-inf}`, "!syntax"}, {`nan`, "!syntax"},
		{`01`, "!syntax"}, {`-`, "!syntax"}, {`+1`, "!syntax"}, {`.5`, "!syntax"}, {`5.`, "!syntax"}, {`1e`, "!syntax"}, {`--1`, "!syntax"},
		{`{"a":1}x`, "!syntax"}, {`{"a":1}{"a":2}`, "!syntax"}, {"{\"a\":1}\x00", "!syntax"}, {"\ufeff{}", "!syntax"},
		{`{"a":1,}`, "!syntax"}, {`[1,]`, "!syntax"}, {`{a:1}`, "!syntax"}, {`{'a':1}`, "!syntax"}, {`{"a" 1}`, "!syntax"},
		{`{"a":"x`, "!syntax"}, {`{"a":"x\`, "!syntax"}, {`{"a":"\x"}`, "!syntax"}, {`{"a":"\u12g4"}`, "!syntax"}, {`{"a":"\u12`, "!syntax"}, {"{\"a\":\"\n\"}", "!syntax"},
		{`tru`, "!syntax"}, {`nulL`, "!syntax"}, {`[`, "!syntax"}, {`]`, "!syntax"},
		{"{\"a\":\"\xff\"}", "!utf8"}, {`{"a":"\ud83d"}`, "!utf8"}, {`{"a":"\ud83dx"}`, "!utf8"}, {`{"a":"\ude00\ud83d"}`, "!utf8"}, {`{"a":"\ud83d\u0041"}`, "!utf8"},
		{`{"a":1e400}`, "!type"}, {`{"a":-1e400}`, "!type"},
	})
}

func TestJSONNumbers(t *testing.T) {
	check(t, all, "", []message{
		{`0`, "value=float:0"}, {`-0`, "value=float:0"}, {`-0.0`, "value=float:0"}, {`0e5`, "value=float:0"}, {`-1e-400`, "value=float:0"},
		{`21`, "value=float:21"}, {`21.0`, "value=float:21"}, {`-21.50`, "value=float:-21.5"}, {`1e3`, "value=float:1000"}, {`1E-2`, "value=float:0.01"},
		{`0.1`, "value=float:0.1"}, {`2.2250738585072011e-308`, "value=float:2.225073858507201e-308"},
		{`9007199254740991`, "value=float:9.007199254740991e+15"},
		{`9007199254740992`, "value=float:9.007199254740992e+15"},
		{`9007199254740993`, "value=int:9007199254740993"},
		{`-9007199254740993`, "value=int:-9007199254740993"},
		{`10000000000000000`, "value=int:10000000000000000"},
		{`9007199254740993.0`, "value=float:9.007199254740992e+15"},
		{`9223372036854775807`, "value=int:9223372036854775807"},
		{`-9223372036854775808`, "value=int:-9223372036854775808"},
		{`9223372036854775808`, "value=uint:9223372036854775808"},
		{`18446744073709551615`, "value=uint:18446744073709551615"},
		{`18446744073709551616`, "value=float:1.8446744073709552e+19"},
		{`-9223372036854775809`, "value=float:-9.223372036854776e+18"},
		{`1.0000000000000000000000000`, "value=float:1"},
		{`0.1234567890123456789012345`, "value=float:0.12345678901234568"},
	})
}

func TestJSONPaths(t *testing.T) {
	p := Profile{
		Decode: Decode{JSON: &JSON{}},
		Time:   &Time{Path: "ts", Format: "unix_ms"},
		Metrics: map[string]Metric{
			"temperature": {Path: "t", Unit: "°C"},
			"humidity":    {Path: "rh", Unit: "%", Scale: ptr(0.1)},
			"deep":        {Path: "a.b.0.c"},
			"dotted":      {Path: "x.y.z"},
			"on":          {Type: "bool"},
		},
	}
	check(t, p, "", []message{
		{`{"ts":1763805600000,"t":21.4,"rh":453}`, "humidity=float:45.3 % temperature=float:21.4 °C @1763805600000000000"},
		{`{"t":21}`, "temperature=float:21 °C"},
		{`{"t":21,"ts":null}`, "temperature=float:21 °C"},
		{`{"t":21,"ts":0}`, "temperature=float:21 °C"},
		{`{"ts":"1763805600000","t":"warm"}`, "temperature=string:warm °C @1763805600000000000"},
		{`{"a":{"b":[{"c":1}]}}`, "deep=float:1"},
		{`{"a":{"b":{"0":{"c":1}}}}`, "deep=float:1"},
		{`{"a.b":[{"c":1}]}`, "deep=float:1"},
		{`{"a":{"x":0},"a.b.0":{"c":2}}`, "deep=float:2"},
		{`{"a.b.0.c":3}`, "deep=float:3"},
		{`{"a":{"b":[]},"t":1}`, "temperature=float:1 °C"},
		{`{"x":{"y.z":1}}`, "dotted=float:1"},
		{`{"x.y":{"z":2},"x":{"y":{"z":1}}}`, "dotted=float:1"},
		{`{"\u0074":1}`, "temperature=float:1 °C"},
		{`{"on":"ON"}`, "on=bool:true"},
		{`{"rh":"453"}`, "humidity=float:45.3 %"},
		{`{"t":1,"t":2}`, "temperature=float:1 °C"},

		{`{"other":1}`, "!missing"}, {`{"t":null}`, "!missing"}, {`{"ts":1763805600000}`, "!missing"}, {`5`, "!missing"}, {`[1]`, "!missing"},
		{`{"t":{"v":1}}`, "!type"}, {`{"t":[]}`, "!type"}, {`{"rh":"wet"}`, "!type"}, {`{"rh":true}`, "!type"}, {`{"on":"maybe"}`, "!type"}, {`{"on":2}`, "!type"},
		{`{"ts":"now","t":1}`, "!time"}, {`{"ts":true,"t":1}`, "!time"}, {`{"ts":{},"t":1}`, "!time"}, {`{"ts":"","t":1}`, "!time"}, {`{"ts":1e30,"t":1}`, "!time"},
	})
}

func TestJSONAllWithTime(t *testing.T) {
	p := all
	p.Time = &Time{Path: "Meta.Time", Format: "2006-01-02T15:04:05"}
	check(t, p, "", []message{
		{`{"Meta":{"Time":"2025-11-22T10:00:00","Id":3},"T":1}`, "Meta_Id=float:3 T=float:1 @1763805600000000000"},
		{`{"T":1}`, "T=float:1"},
		{`{"Meta":{"Time":"soon"},"T":1}`, "!time"},
	})
}

func TestJSONMetricFromTopic(t *testing.T) {
	check(t, all, "co2", []message{
		{`412`, "co2=float:412"},
		{`{"":412}`, "co2=float:412"},
		{`{"value":412,"v":1}`, "co2=float:412 v=float:1"},
		{`{"value":412,"co2":1}`, "co2=float:412"},
		{`{"a":{"value":1},"v":2}`, "a_value=float:1 v=float:2"},
	})
	listed := Profile{Decode: Decode{JSON: &JSON{}}, Metrics: map[string]Metric{
		"co2":   {Path: "v", Unit: "ppm", Type: "int"},
		"rh":    {Path: "v", Scale: ptr(0.1)},
		"value": {Type: "float"},
	}}
	check(t, listed, "co2", []message{{`412`, "co2=int:412 ppm"}, {`{"v":412}`, "co2=int:412 ppm"}, {`{"w":1}`, "!missing"}})
	check(t, listed, "rh", []message{{`412`, "rh=float:41.2"}, {`{"v":412}`, "rh=float:41.2"}})
	check(t, listed, "other", []message{{`412`, "!missing"}, {`{"v":412}`, "!missing"}})
	check(t, listed, "", []message{{`412`, "value=float:412"}, {`{"v":5}`, "co2=int:5 ppm rh=float:0.5"}})
}

func TestJSONLimits(t *testing.T) {
	nested := func(n int) string { return strings.Repeat("[", n) + "1" + strings.Repeat("]", n) }
	wide := func(n int) string { return "[" + strings.Repeat("1,", n-1) + "1]" }
	named := func(n int) string { return `{"` + strings.Repeat("n", n) + `":1}` }
	d := decoder(t, all)
	for name, in := range map[string]string{
		"depth": nested(maxDepth + 1), "unclosed depth": strings.Repeat("[", maxMessage), "metrics": wide(maxMetrics + 1), "name": named(maxName + 1),
		"long name of many": `{"` + strings.Repeat("n", 500_000) + `":` + wide(200_000) + `}`,
	} {
		if got := show(t, d, in, ""); got != "!size" {
			t.Errorf("beyond the limit of %s: %.100s", name, got)
		}
	}
	for name, in := range map[string]string{"depth": nested(maxDepth), "metrics": wide(maxMetrics), "name": named(maxName)} {
		if got := show(t, d, in, ""); strings.HasPrefix(got, "!") {
			t.Errorf("at the limit of %s: %s", name, got)
		}
	}
}

func TestJSONKeepsLittle(t *testing.T) {
	d := decoder(t, all).(*tree)
	for i := range 20_000 {
		show(t, d, fmt.Sprintf(`{"name %d":"\u0061%d"}`, i, i), "")
	}
	show(t, d, "["+strings.Repeat("[],", 100_000)+`"`+strings.Repeat(`\n`, 100_000)+`"]`, "")
	show(t, d, `{"a":1}`, "")
	if cap(d.doc.nodes) > keptNodes || cap(d.name) > keptBytes || cap(d.scratch) > keptBytes {
		t.Errorf("keeps %d nodes, %d and %d bytes", cap(d.doc.nodes), cap(d.name), cap(d.scratch))
	}
}

func FuzzJSON(f *testing.F) {
	for _, in := range []string{
		`{"ts":1763805600.25,"a":{"b":[1,{"c":"\ud83d\ude00"}]},"x.y":-0.0e+1}`, `[18446744073709551615,1e400,null,true]`,
		`"on"`, `21.5`, `{"a":1,"a":2,"":3}`, `{"v":"1.5"}`, "{\"\xff\":1}", `[[[[[[]]]]]]`,
	} {
		f.Add(in, "m")
	}
	listed := Profile{
		Decode: Decode{JSON: &JSON{}},
		Time:   &Time{Path: "ts", Format: "unix"},
		Metrics: map[string]Metric{
			"f": {Path: "a.b.1.c", Type: "float"}, "i": {Path: "v", Type: "int", Scale: ptr(0.5)}, "u": {Path: "v", Type: "uint"},
			"s": {Path: "v", Type: "string"}, "b": {Path: "on", Type: "bool"}, "x": {Path: "x.y", Offset: ptr(-40.0)},
		},
	}
	f.Fuzz(func(t *testing.T, in, metric string) {
		if metric != "" && !utf8.ValidString(metric) {
			metric = ""
		}
		got := show(t, decoder(t, all), in, metric)
		show(t, decoder(t, listed), in, "")
		valid := json.Valid([]byte(in)) && utf8.ValidString(in)
		refused := got == "!syntax" || got == "!empty"
		if utf8.ValidString(in) && len(in) <= maxMessage && valid == refused && got != "!utf8" && got != "!size" {
			t.Fatalf("%q: %s, but encoding/json finds it valid: %v", in, got, valid)
		}
		if !valid && got[0] != '!' {
			t.Fatalf("%q: accepted as %s", in, got)
		}
		if valid && got[0] != '!' && metric == "" {
			agreeJSON(t, decoder(t, all), in)
		}
	})
}

const six = `{"ts":1763805600000,"temperature":21.43,"humidity":453,"pressure":1013.25,"battery":3.61,"rssi":-71,"ok":true}`

// sixListed is a profile for six with all that costs time.
var sixListed = Profile{
	Decode: Decode{JSON: &JSON{}},
	Time:   &Time{Path: "ts", Format: "unix_ms"},
	Metrics: map[string]Metric{
		"temperature": {}, "humidity": {Scale: ptr(0.1)}, "pressure": {Type: "float", Unit: "hPa"},
		"battery": {}, "rssi": {Type: "int"}, "ok": {Type: "bool"},
	},
}

func TestJSONAllocatesNothing(t *testing.T) {
	for name, p := range map[string]Profile{"by path": sixListed, "all": all} {
		d := decoder(t, p)
		b := &protocol.Batch{}
		m := Message{Payload: []byte(six), Device: device, Received: 7}
		n := testing.AllocsPerRun(100, func() {
			b.Reset()
			if err := d.Decode(b, m); err != nil {
				t.Fatal(err)
			}
		})
		if n != 0 || len(b.Readings[0].Metrics) < 6 {
			t.Errorf("%s: %v allocations, want 0; %+v", name, n, b.Readings)
		}
	}
}

func BenchmarkJSON(b *testing.B) {
	for _, bb := range []struct {
		name string
		p    Profile
	}{{"by path", sixListed}, {"all", all}} {
		b.Run(bb.name, func(b *testing.B) {
			d := decoder(b, bb.p)
			batch := &protocol.Batch{}
			m := Message{Payload: []byte(six), Device: device, Received: 7}
			b.SetBytes(int64(len(six)))
			b.ReportAllocs()
			for b.Loop() {
				batch.Reset()
				if err := d.Decode(batch, m); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
