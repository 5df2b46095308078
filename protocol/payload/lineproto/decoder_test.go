package lineproto

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"sluice/protocol"
)

func decoderOf(measurement, device, precision string) *Decoder {
	return New(Config{Precision: precision, Measurement: measurement, Device: device})
}

// shown writes readings down: name{tags} metric=value … @time.
func shown(b *protocol.Batch) string {
	var text []string
	for i := range b.Readings {
		r := &b.Readings[i]
		line := "-"
		if r.Device != nil {
			line = fmt.Sprintf("%s%v", r.Device.Name, r.Device.Tags)
		}
		for _, m := range r.Metrics {
			line += fmt.Sprintf(" %s=%s(%s)", m.Name, m.Value, m.Value.Kind())
		}
		text = append(text, fmt.Sprintf("%s @%d", line, r.SourceTime))
	}
	return strings.Join(text, "; ")
}

func TestDecode(t *testing.T) {
	tests := []struct{ name, message, want string }{
		{"the values", "m,a=b f=-1.5e3,i=-9223372036854775808i,u=18446744073709551615u,b=t,c=FALSE,s=\"x\" 1763805600123456789",
			"[{a b} {measurement m}] f=-1500(float) i=-9223372036854775808(int) u=18446744073709551615(uint) b=true(bool) c=false(bool) s=x(string) @1763805600123456789"},
		{"no tag, no time", "m x=1", "[{measurement m}] x=1(float) @0"},
		{"several lines", "m x=1 1\r\n\n  # comment, x=\"\n m x=2 2\n", "[{measurement m}] x=1(float) @1; [{measurement m}] x=2(float) @2"},
		{"the first of two fields", "m x=1,y=2,x=3", "[{measurement m}] x=1(float) y=2(float) @0"},
		{"escapes", `m\ a\,b=c,t\,\ \==v\,\ \=w f\,\ \=g="\"\\\n," 7`, `[{measurement m a,b=c} {t, = v, =w}] f, =g="\\n,(string) @7`},
		{"backslashes that escape nothing", `m\a\\b,t\u=\v\\ w f\z=1`, `[{measurement m\a\\b} {t\u \v\ w}] f\z=1(float) @0`},
		{"a line break in a text", "m x=\"a\nb\",y=1 1\nm x=\"c\" 2", "[{measurement m}] x=a\nb(string) y=1(float) @1; [{measurement m}] x=c(string) @2"},
		{"numbers as people write them", "m a=1.,b=.5,c=-.5,d=007,e=1E5,f=-0i", "[{measurement m}] a=1(float) b=0.5(float) c=-0.5(float) d=7(float) e=100000(float) f=0(int) @0"},
		{"tags that sinks write themselves", "disk,device=sda1,device_=b,gateway=g v=1", "[{device_ sda1} {device__ b} {gateway_ g} {measurement disk}] v=1(float) @0"},
		{"a tag called measurement", "m,measurement=x,measurement_=y v=1", "[{measurement m} {measurement_ x} {measurement__ y}] v=1(float) @0"},
		{"a clock that was never set", "m x=1 0", "[{measurement m}] x=1(float) @0"},
		{"before 1970", "m x=1 -1\r", "[{measurement m}] x=1(float) @-1"},
	}
	for _, tt := range tests {
		var b protocol.Batch
		if err := New(DefaultConfig()).Decode(&b, []byte(tt.message)); err != nil || shown(&b) != tt.want {
			t.Errorf("%s: %s (%v), want %s", tt.name, shown(&b), err, tt.want)
		}
	}
}

func TestSettings(t *testing.T) {
	const message = "cpu,cpu=0,host=a idle=1 5\ndisk,host=a free=2 6\nup v=3 7"
	tests := []struct{ measurement, device, precision, want string }{
		{"tag", "host", "us", "a[{cpu 0} {measurement cpu}] idle=1(float) @5000; a[{measurement disk}] free=2(float) @6000; [{measurement up}] v=3(float) @7000"},
		{"prefix", "host", "ms", "a[{cpu 0}] cpu_idle=1(float) @5000000; a[] disk_free=2(float) @6000000; - up_v=3(float) @7000000"},
		{"ignore", "", "s", "[{cpu 0} {host a}] idle=1(float) @5000000000; [{host a}] free=2(float) @6000000000; - v=3(float) @7000000000"},
	}
	for _, tt := range tests {
		d := decoderOf(tt.measurement, tt.device, tt.precision)
		for range 2 { // what is remembered is the same
			var b protocol.Batch
			if err := d.Decode(&b, []byte(message)); err != nil || shown(&b) != tt.want {
				t.Errorf("%v: %s (%v), want %s", tt, shown(&b), err, tt.want)
			}
		}
	}
}

func TestRefusals(t *testing.T) {
	tests := []struct{ message, want string }{
		{"", "empty: the message holds no line"},
		{"\n# only a comment\r\n", "empty: the message holds no line"},
		{strings.Repeat("x", maxMessage+1), "size: 1048577 bytes, want at most 1048576"},
		{strings.Repeat("m x=1\n", maxMetrics+1), "size: line 4097: more than 4096 metrics"},
		{"m x0=1" + many(",x%d=1", maxMetrics), "size: line 1: more than 4096 metrics"},
		{"m" + many(",t%d=1", maxTags+1) + " x=1", "size: line 1: more than 1024 tags"},
		{"m x=1\nm x=\"\n\"\nm x=y", `syntax: line 4: the field "x" is "y", which is no finite number, boolean or text in quotes`},
		{"m", `syntax: line 1: want a blank and a field, found the end`},
		{"m,a=b", `syntax: line 1: want a blank and a field, found the end`},
		{"m ", `syntax: line 1: want a field, found the end`},
		{"m, x=1", `syntax: line 1: want a tag, found " "`},
		{"m,a x=1", `syntax: line 1: want = after the tag "a", found " "`},
		{"m,a= x=1", `syntax: line 1: want a tag's value, found " "`},
		{"m,b=2,b=1 x=1", `syntax: line 1: the tag "b" is there twice`},
		{"m,a=b=c x=1", `syntax: line 1: want a blank and a field, found "="`},
		{"\tm x=1", `syntax: line 1: want a measurement, found "\t"`},
		{"m x", `syntax: line 1: want = after the field "x", found the end`},
		{"m x=1,", `syntax: line 1: want a field, found the end`},
		{"m x=1,=2", `syntax: line 1: want a field, found "="`},
		{"m x=", `syntax: line 1: the field "x" is "", which is no finite number, boolean or text in quotes`},
		{`m x="a"b`, `syntax: line 1: want a comma or a blank after "x", found "b"`},
		{`m x="a\"`, `syntax: line 1: the text of the field "x" does not end`},
		{"m x=1 2 3", `syntax: line 1: want the end of the line after the time, found "3"`},
		{"m x=1 y", `syntax: line 1: want a time, found "y"`},
		{"m x=1 1-2", `time: line 1: "1-2" is no time between 1678 and 2262`},
		{"m x=1 9223372036854775808", `time: line 1: "9223372036854775808" is no time between 1678 and 2262`},
		{"m x=1\r\rm x=2", `syntax: line 1: want a time, found "\r"`},
		{"#\tx", `syntax: line 1: a comment holds "\t"`},
		{"m\xff x=1", `utf8: line 1: the measurement "m\xff" is not UTF-8`},
		{"m x\xff=1", `utf8: line 1: the field "x\xff" is not UTF-8`},
		{"m x=\"\xff\"", `utf8: line 1: the text of the field "x" is not UTF-8`},
	}
	for _, bad := range []string{"NaN", "nan", "Inf", "-inf", "1e400", "0x10", "1_0", "+1", "--1", ".", "1.1.1", "9223372036854775808i", "-1u", "18446744073709551616u", "1.0i", "tru", "'a'", "i", "u", "e5"} {
		tests = append(tests, struct{ message, want string }{"m x=" + bad, fmt.Sprintf("syntax: line 1: the field \"x\" is %q, which is no finite number, boolean or text in quotes", bad)})
	}
	d := New(DefaultConfig())
	for _, tt := range tests {
		b := protocol.Batch{Readings: []protocol.Reading{{SourceTime: 1}}}
		err := d.Decode(&b, []byte(tt.message))
		if _, ok := err.(*protocol.Refusal); !ok || err.Error() != tt.want || len(b.Readings) != 1 {
			t.Errorf("%.40q: %v and %d readings, want %s", tt.message, err, len(b.Readings), tt.want)
		}
	}
	if err := decoderOf("tag", "", "s").Decode(&protocol.Batch{}, []byte("m x=1 9223372037")); err == nil {
		t.Error("a time in s beyond 2262 passes")
	}
}

// many writes the numbers from 1 to n.
func many(format string, n int) string {
	var text []byte
	for i := range n {
		text = fmt.Appendf(text, format, i+1)
	}
	return string(text)
}

func TestWhatIsRememberedIsBounded(t *testing.T) {
	d := New(DefaultConfig())
	largest := 0
	for i := range 300 {
		var message []byte
		for j := range 20 {
			message = fmt.Appendf(message, "m,id=%d-%d,pad=%s x%d=1,t=\"%d-%d\"\n", i, j, strings.Repeat("x", 2000), i, i, j)
		}
		if err := d.Decode(&protocol.Batch{}, message); err != nil {
			t.Fatal(err)
		}
		largest = max(largest, len(d.known.series))
	}
	if largest < 1000 || largest > maxKept/2000 || len(d.texts) > maxTexts {
		t.Errorf("%d series, %d texts", largest, len(d.texts))
	}
}

func TestValidate(t *testing.T) {
	for _, tt := range []struct {
		config Config
		want   []string
	}{
		{DefaultConfig(), nil},
		{Config{Precision: "m", Measurement: "name"}, []string{`precision is "m", want ns, us, ms or s`, `measurement is "name", want tag, prefix or ignore`}},
	} {
		var got []string
		tt.config.Validate(func(field, problem string) { got = append(got, field+" "+problem) })
		if !slices.Equal(got, tt.want) {
			t.Errorf("%v: %q, want %q", tt.config, got, tt.want)
		}
	}
}

// typical is ten lines of 3 tags and 3 or 4 fields, as agents send them.
func typical() []byte {
	return []byte(strings.Repeat("climate,area=hall-2,host=edge-07,sensor=sensor-17 temperature=21.53,humidity=45.3,count=12345i,state=\"running\" 1763805600123456789\n"+
		"cpu,cpu=cpu-total,host=edge-07,site=north usage_idle=97.2471,usage_user=1.62,usage_system=0.9 1763805600123456789\n", 5))
}

func TestDecodeAllocatesNothing(t *testing.T) {
	d, message := New(DefaultConfig()), append(typical(), `m\ n,a\ b=c\,d e\ f="g\"h" 5`...)
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
	d, message := New(DefaultConfig()), typical()
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
