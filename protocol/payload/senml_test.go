package payload

import (
	"strings"
	"testing"

	"sluice/protocol"
)

var anySenML = Profile{Decode: Decode{SenML: &SenML{}}}

// Messages arrive 7 ns after the beginning of 1970, see show.
func TestSenML(t *testing.T) {
	check(t, anySenML, "", []message{
		{`[{"n":"urn:dev:ow:10e2073a01080063","u":"Cel","v":23.1}]`, "urn:dev:ow:10e2073a01080063=float:23.1 °C"},
		{`[{"bn":"urn:dev:ow:10e2073a0108006:","bt":1.276020076001e+09,"bu":"A","bver":5,"n":"voltage","u":"V","v":120.1},{"n":"current","t":-5,"v":1.2},{"n":"current","v":1.7}]`,
			"urn:dev:ow:10e2073a0108006:voltage=float:120.1 V urn:dev:ow:10e2073a0108006:current=float:1.7 A @1276020076001000000 | urn:dev:ow:10e2073a0108006:current=float:1.2 A @1276020071001000000"},
		{`[{"bn":"d:","n":"a","v":23.1},{"n":"label","vs":"Machine Room"},{"n":"open","vb":false},{"n":"nfc","vd":"aGkgCg"},{"n":"pad","vd":"_w=="}]`,
			"d:a=float:23.1 d:label=string:Machine Room d:open=bool:false d:nfc=bytes:\"hi \\n\" d:pad=bytes:\"\\xff\""},
		{`[{"bn":"a","bv":20,"v":1.5},{"n":"b","v":-20},{"n":"c"},{"bv":0.1,"n":"d","v":0.2},{"bn":"e","bv":9007199254740993}]`, "a=float:21.5 ab=float:0 ac=float:20 ad=float:0.3"},
		{`[{"n":"a","bv":1e300,"v":1e300}]`, "a=float:2e+300"},
		{`[{"n":"a","v":9007199254740993}]`, "a=int:9007199254740993"},
		{`[{"n":"a","u":"W","v":1,"s":30.5},{"n":"b","s":2},{"bs":100,"n":"c","s":-1},{"n":"d","v":7}]`, "a=float:1 W a_sum=float:30.5 W·s b_sum=float:2 c_sum=float:99 d=float:7 d_sum=float:100"},
		{`[{"n":"a","t":-5,"v":1},{"n":"a","v":2},{"n":"b","t":-5,"v":3},{"n":"a","t":0,"v":4}]`,
			"a=float:1 b=float:3 @-4999999993 | a=float:2 | a=float:4"},
		{`[{"n":"a","t":268435456,"v":1},{"n":"a","t":268435455.5,"v":2}]`, "a=float:1 @268435456000000000 | a=float:2 @268435455500000007"},
		{`[{"bn":"a"},{"bver":10},{"v":1}]`, "a=float:1"},
		{`[{"n":"a","v":1,"ut":60,"extra":{"x":[]},"n":"b"}]`, "a=float:1"},
		{` [{"bn":"Az3-:./_","n":"/b","v":1}]` + "\r\n", "Az3-:./_/b=float:1"},
		{`[{"\u006e":"a","v":1}]`, "a=float:1"},

		{`[]`, "!missing"}, {`[{"bn":"a","bt":5}]`, "!missing"}, {`[{"n":"a"}]`, "!missing"}, {``, "!empty"},
		{`{"n":"a","v":1}`, "!syntax"}, {`[1]`, "!syntax"}, {`5`, "!syntax"}, {`[{"n":"a","v":1}`, "!syntax"},
		{`[{"n":"dev","v":1,"vs":"on"}]`, "!syntax"}, {`[{"v":1}]`, "!syntax"}, {`[{"n":"-a","v":1}]`, "!syntax"}, {`[{"n":"a b","v":1}]`, "!syntax"}, {`[{"n":"é","v":1}]`, "!syntax"},
		{`[{"n":"a","v":"1"}]`, "!syntax"}, {`[{"n":"a","vb":1}]`, "!syntax"}, {`[{"n":"a","vs":1}]`, "!syntax"}, {`[{"n":"a","v":null}]`, "!syntax"}, {`[{"n":1,"v":1}]`, "!syntax"}, {`[{"n":"a","vd":"+/"}]`, "!syntax"},
		{`[{"n":"a","v":1,"must_":1}]`, "!kind"}, {`[{"n":"a","v":1,"must\u005f":1}]`, "!kind"}, {`[{"bver":11,"n":"a","v":1}]`, "!kind"}, {`[{"bver":1.5,"n":"a","v":1}]`, "!kind"},
		{`[{"bt":1e12,"n":"a","v":1}]`, "!time"}, {`[{"bt":9e9,"n":"a","t":9e9,"v":1}]`, "!time"}, {`[{"bt":9223372036,"n":"a","t":1,"v":1}]`, "!time"},
		{`[{"bn":"` + strings.Repeat("a", 200) + `","n":"` + strings.Repeat("a", 57) + `","v":1}]`, "!size"}, {`[{"bn":"` + strings.Repeat("a", 257) + `"}]`, "!size"},
		{`[{"n":"a","v":1e400}]`, "!type"},
	})
}

func TestSenMLInCBOR(t *testing.T) {
	checkHex(t, anySenML, []message{
		{"81 a3 00 61 61 01 63 43656c 02 fb 4037199999999999 9a", "!syntax"},
		{"81 a3 00 61 61 01 63 43656c 02 fb 403719999999999a", "a=float:23.1 °C"},
		{"82 a4 21 62 643a 22 1a 4c0e85ec 00 61 61 02 18 78 a3 00 61 62 06 24 02 f9 3e00", "d:a=float:120 @1276020204000000000 | d:b=float:1.5 @1276020199000000000"},
		{"81 a3 22 c4 82 28 1b 11b4e2d8b8e3a000 00 61 61 04 f5", "a=bool:true @1275894014895431680"},
		{"81 a2 00 61 61 08 43 010203", "a=bytes:\"\\x01\\x02\\x03\""},
		{"d9 d9f7 9f bf 61 6e 61 61 61 76 01 ff ff", "a=float:1"},
		{"81 a2 00 61 61 02 f9 7e00", "a=float:NaN"},
		{"81 a4 18 63 01 38 63 01 00 61 61 02 01", "a=float:1"},
		{"81 a2 00 61 61 22 f9 7e00", "!time"}, {"81 a3 00 61 61 22 f9 7e00 02 01", "!time"},
		{"80", "!missing"}, {"81 a3 00 61 61 02 01 62 785f 01", "!kind"}, {"81 a3 20 0b 00 61 61 02 01", "!kind"},
	})
}

func TestSenMLByList(t *testing.T) {
	p := Profile{Decode: Decode{SenML: &SenML{}}, Metrics: map[string]Metric{
		"temperature": {Path: "temp", Unit: "K", Offset: ptr(273.15)}, "humidity": {Path: "urn:dev:1:rh"}, "energy": {Path: "p_sum", Type: "int"}, "watt_seconds": {Path: "p_sum"},
	}}
	in := `[{"bn":"urn:dev:1:","n":"temp","u":"Cel","bv":20,"v":0.5},{"n":"rh","u":"%RH","v":20},{"n":"other","v":5},{"n":"p","u":"W","v":-20,"s":60}]`
	check(t, p, "", []message{
		{in, "temperature=float:293.65 K humidity=float:40 %RH energy=int:60 W·s watt_seconds=float:60 W·s"},
		{`[{"n":"temp","vs":"x"}]`, "!type"}, {`[{"n":"other","v":5}]`, "!missing"},
	})
	check(t, p, "humidity", []message{{in, "humidity=float:40 %RH"}})
	check(t, anySenML, "co2", []message{{`[{"n":"value","v":400},{"n":"x","v":1}]`, "co2=float:400 x=float:1"}})
	d := decoder(t, p).(*senml)
	d.keep = true
	if got := show(t, d, in, ""); got != "temperature=float:293.65 K humidity=float:40 %RH urn:dev:1:other=float:25 urn:dev:1:p=float:0 W energy=int:60 W·s watt_seconds=float:60 W·s" {
		t.Errorf("with the others: %s", got)
	}
}

func TestSenMLLimits(t *testing.T) {
	pack := func(n int, record string) string {
		return "[" + strings.TrimSuffix(strings.Repeat(record+",", n), ",") + "]"
	}
	d := decoder(t, anySenML)
	if got := show(t, d, pack(maxReadings, `{"n":"a","v":1}`), ""); strings.Count(got, "|") != maxReadings-1 {
		t.Errorf("at the limit: %.80s", got)
	}
	for name, in := range map[string]string{
		"same names": pack(maxReadings+1, `{"n":"a","v":1}`), "sums": pack(maxReadings/2+1, `{"n":"a","v":1,"s":1}`),
		"long base name": `[{"bn":"` + strings.Repeat("a", 500_000) + `"},` + pack(20_000, `{"n":"a","v":1}`)[1:],
		"long name":      pack(1, `{"n":"`+strings.Repeat("a", 500_000)+`","v":1}`),
	} {
		if got := show(t, d, in, ""); got != "!size" {
			t.Errorf("%s: %.80s", name, got)
		}
	}
}

const senmlSix = `[{"bn":"d:","bt":1763805600.25,"n":"temperature","u":"Cel","v":21.43},{"n":"humidity","u":"%RH","v":45.3},{"n":"pressure","u":"Pa","v":101325},` +
	`{"n":"battery","u":"V","v":3.61},{"n":"rssi","u":"dBm","v":-71},{"n":"ok","vb":true}]`

func TestSenMLAllocatesNothing(t *testing.T) {
	d := decoder(t, anySenML)
	b := &protocol.Batch{}
	m := Message{Payload: []byte(senmlSix), Device: device, Received: 7}
	if n := testing.AllocsPerRun(100, func() {
		b.Reset()
		if err := d.Decode(b, m); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations, want 0", n)
	}
}

func FuzzSenML(f *testing.F) {
	for _, in := range []string{
		senmlSix, `[{"n":"a","v":1,"s":30.5},{"bs":100,"bv":-1e22,"n":"c","s":-1,"t":-5}]`, `[{"n":"a","vd":"aGkgCg"},{"n":"b","vs":"x"}]`, `[{"bver":11}]`, `[{"x_":1}]`,
	} {
		f.Add(in)
	}
	for _, in := range []string{"82a42162643a221a4c0e85ec0061610218 78a300616206240 2f93e00", "81a322c482281b11b4e2d8b8e3a00000616104f5"} {
		f.Add(fromHex(f, in))
	}
	listed := Profile{Decode: Decode{SenML: &SenML{}}, Metrics: map[string]Metric{"t": {Path: "a", Scale: ptr(0.1)}, "i": {Path: "c", Type: "int"}}}
	f.Fuzz(func(t *testing.T, in string) {
		got := show(t, decoder(t, anySenML), in, "")
		show(t, decoder(t, listed), in, "co2")
		if got[0] == '!' {
			return
		}
		b := &protocol.Batch{}
		if err := decoder(t, anySenML).Decode(b, Message{Payload: []byte(in), Device: device, Received: 7}); err != nil {
			t.Fatal(err)
		}
		for _, r := range b.Readings {
			for _, m := range r.Metrics {
				if !senmlNameable([]byte(m.Name)) || len(m.Name) > maxName+len("_sum") {
					t.Fatalf("%q: name %q", in, m.Name)
				}
			}
		}
	})
}

func BenchmarkDecodeSenML(b *testing.B) {
	d := decoder(b, anySenML)
	batch := &protocol.Batch{}
	m := Message{Payload: []byte(senmlSix), Device: device, Received: 7}
	b.SetBytes(int64(len(senmlSix)))
	b.ReportAllocs()
	for b.Loop() {
		batch.Reset()
		if err := d.Decode(batch, m); err != nil {
			b.Fatal(err)
		}
	}
}
