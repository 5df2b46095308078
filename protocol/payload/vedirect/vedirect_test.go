package vedirect_test

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"sluice/protocol"
	"sluice/protocol/payload/vedirect"
)

// shown writes a reading as "name=value unit, …".
func shown(r *protocol.Reading) string {
	var parts []string
	for _, m := range r.Metrics {
		parts = append(parts, strings.TrimSpace(fmt.Sprintf("%s=%v %s", m.Name, m.Value, m.Unit)))
	}
	return strings.Join(parts, ", ")
}

// solar is a block of a solar charger.
var solar = string(vedirect.AppendBlock(nil, []vedirect.Field{
	{"PID", "0xA053"}, {"FW", "0159"}, {"SER#", "HQ2132QY2KR"}, {"V", "12540"}, {"I", "-40"}, {"VPV", "18540"}, {"PPV", "5"}, {"CS", "3"},
	{"MPPT", "2"}, {"OR", "0x00000001"}, {"ERR", "0"}, {"LOAD", "ON"}, {"Relay", "OFF"}, {"IL", "300"}, {"H19", "144"}, {"T", "---"}, {"HSDS", "16"},
}...))

const solarWant = "PID=41043, FW=0159, SER#=HQ2132QY2KR, V=12540 mV, I=-40 mA, VPV=18540 mV, PPV=5 W, CS=3, " +
	"MPPT=2, OR=1, ERR=0, LOAD=true, Relay=false, IL=300 mA, H19=144, HSDS=16"

func TestDecode(t *testing.T) {
	colon, n := "", 0
	for ; !strings.HasSuffix(colon, "\t:"); n++ {
		colon = string(vedirect.AppendBlock(nil, vedirect.Field{Label: "I", Value: fmt.Sprint(n)}, vedirect.Field{Label: "PPV", Value: fmt.Sprint(n * n)}))
	}
	for _, c := range []struct{ name, block, want string }{
		{"as framed", solar, solarWant},
		{"without its first line end", strings.TrimLeft(solar, "\r\n"), solarWant},
		{"with the next one's", solar + "\r\n", solarWant},
		{"a HEX record between lines", strings.Replace(solar, "\r\nV\t", "\r\n:7F0ED0071\nV\t", 1), solarWant},
		{"a HEX record inside a value", strings.Replace(solar, "12540", "125:A0102000543\n40", 1), solarWant},
		{"a HEX record in front", ":A0102000543\n" + solar, solarWant},
		{"no checksum", "V\t12540\r\nI\t-40\r\n", "V=12540 mV, I=-40 mA"},
		{"only LF", "V\t12540\nI\t-40", "V=12540 mV, I=-40 mA"},
		{"what nobody knows", "X1\t5\r\nX2\t0x10\r\nX3\tON\r\nX4\t1.5\r\nV\t1\r\nV\t2", "X1=5, X2=16, X3=ON, X4=1.5, V=1 mV"},
		{"battery monitor", "TTG\t-1\r\nSOC\t839\r\nCE\t-65473\r\nAlarm\tOFF\r\nAR\t0\r\nBMV\t712 Smart\r\nFWE\t0419FF", "SOC=839 ‰, CE=-65473 mAh, Alarm=false, AR=0, BMV=712 Smart, FWE=0419FF"},
		{"a colon for a checksum", ":7\n" + colon, fmt.Sprintf("I=%d mA, PPV=%d W", n-1, (n-1)*(n-1))},
	} {
		var b protocol.Batch
		if err := vedirect.New(vedirect.DefaultConfig()).Decode(&b, []byte(c.block)); err != nil {
			t.Errorf("%s: %v", c.name, err)
		} else if got := shown(&b.Readings[0]); got != c.want {
			t.Errorf("%s\n got %s\nwant %s", c.name, got, c.want)
		}
	}
}

func TestRefusals(t *testing.T) {
	for _, c := range []struct{ name, block, want string }{
		{"nothing", "\r\n", "empty"},
		{"wrong sum", strings.Replace(solar, "12540", "12541", 1), "checksum"},
		{"no sum", solar[:len(solar)-1], "checksum"},
		{"more behind it", solar + "V\t1", "syntax"},
		{"too long", "V\t" + strings.Repeat("1", 5000), "size"},
		{"no tab", "V 12540", "syntax"},
		{"no label", "\t12540", "syntax"},
		{"no number", "V\tx", "syntax"},
		{"no switch", "LOAD\t1", "syntax"},
		{"not UTF-8", "SER#\t\xff", "utf8"},
		{"control character", "SER#\ta\x01", "syntax"},
		{"no value", "T\t---", "missing"},
		{"no field", string(vedirect.AppendBlock(nil)), "missing"},
	} {
		b := protocol.Batch{Readings: []protocol.Reading{{ReceivedTime: 7}}}
		err := vedirect.New(vedirect.DefaultConfig()).Decode(&b, []byte(c.block))
		var refusal *protocol.Refusal
		if !errors.As(err, &refusal) || refusal.Reason != c.want {
			t.Errorf("%s: %v, want %s", c.name, err, c.want)
		}
		if len(b.Readings) != 1 || b.Readings[0].ReceivedTime != 7 {
			t.Errorf("%s: the batch is changed", c.name)
		}
	}
}

func TestChecksumRequired(t *testing.T) {
	d := vedirect.New(vedirect.Config{Checksum: "required"})
	if err := d.Decode(&protocol.Batch{}, []byte("V\t12540")); err == nil {
		t.Error("a block without checksum is read")
	}
	if err := d.Decode(&protocol.Batch{}, []byte(solar)); err != nil {
		t.Error(err)
	}
	problems := 0
	(&vedirect.Config{Checksum: "no"}).Validate(func(field, problem string) { problems++ })
	if problems != 1 {
		t.Error(problems, "problems")
	}
}

func TestLabels(t *testing.T) {
	seen := map[string]bool{}
	for _, l := range vedirect.Labels() {
		if seen[l.Label] || seen[l.Name] || l.Name == "" || l.Scale == 0 && l.Unit != "" || l.Scale == 1 && l.Sent != l.Unit {
			t.Errorf("%+v", l)
		}
		seen[l.Label], seen[l.Name] = true, true
	}
}

func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var fields []vedirect.Field
		var want []string
		for i := range rapid.IntRange(1, 22).Draw(t, "fields") {
			n := rapid.Int32().Draw(t, "value")
			fields = append(fields, vedirect.Field{Label: fmt.Sprintf("X%d", i), Value: fmt.Sprint(n)})
			want = append(want, fmt.Sprintf("X%d=%d", i, n))
		}
		var b protocol.Batch
		if err := vedirect.New(vedirect.Config{Checksum: "required"}).Decode(&b, vedirect.AppendBlock(nil, fields...)); err != nil {
			t.Fatal(err)
		}
		if got := shown(&b.Readings[0]); got != strings.Join(want, ", ") {
			t.Fatalf("\n got %s\nwant %s", got, strings.Join(want, ", "))
		}
	})
}

func TestDecodeAllocatesNothing(t *testing.T) {
	d := vedirect.New(vedirect.DefaultConfig())
	var b protocol.Batch
	for _, block := range []string{solar, strings.Replace(solar, "\r\nV\t", "\r\n:7F0ED0071\nV\t", 1)} {
		message := []byte(block)
		if n := testing.AllocsPerRun(100, func() {
			b.Reset()
			if err := d.Decode(&b, message); err != nil {
				t.Fatal(err)
			}
		}); n != 0 {
			t.Errorf("%v allocations", n)
		}
	}
}

func BenchmarkDecode(b *testing.B) {
	d, message := vedirect.New(vedirect.DefaultConfig()), []byte(solar)
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
	f.Add([]byte(solar))
	f.Add([]byte("V\t12540\r\n:7F0ED0071\nI\t---\r\nLOAD\tON\r\nX\t0x1f\r\n"))
	f.Add([]byte(":A0102000543\n" + solar + "\r\n"))
	d := vedirect.New(vedirect.DefaultConfig())
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
		if len(b.Readings) != 2 || len(b.Readings[1].Metrics) == 0 || len(b.Readings[1].Metrics) > len(message) {
			t.Fatal(b.Readings)
		}
		names := map[string]bool{}
		for _, m := range b.Readings[1].Metrics {
			if m.Name == "" || names[m.Name] || !utf8.ValidString(m.Name) || !utf8.ValidString(m.Value.Text()) || m.Value.IsNull() {
				t.Fatalf("%+v", m)
			}
			names[m.Name] = true
			if v, _ := m.Value.Number(); math.IsNaN(v) || math.IsInf(v, 0) {
				t.Fatalf("%+v", m)
			}
		}
	})
}
