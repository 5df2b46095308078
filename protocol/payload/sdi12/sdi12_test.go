package sdi12_test

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"sluice/protocol"
	"sluice/protocol/payload/sdi12"
)

// shown writes a reading as "name=value …, tags".
func shown(r *protocol.Reading) string {
	var parts []string
	for _, m := range r.Metrics {
		parts = append(parts, fmt.Sprintf("%s=%v", m.Name, m.Value))
	}
	return strings.Join(parts, " ") + fmt.Sprint(r.Device.Tags)
}

func TestDecode(t *testing.T) {
	named := sdi12.Config{Checksum: "optional", Values: map[string][]string{"1": {"temperature", "", "moisture"}}}
	for _, c := range []struct{ message, want string }{
		{"0+3.14\r\n", "value_0=3.14[{address 0}]"},
		{"0+3.14+2.718+1.414Ipz\r\n", "value_0=3.14 value_1=2.718 value_2=1.414[{address 0}]"}, // the specification's example
		{"z-0.0+0-12.5", "value_0=0 value_1=0 value_2=-12.5[{address z}]"},
		{"1+21.5+1-3+4", "temperature=21.5 moisture=-3 value_3=4[{address 1}]"},
	} {
		var b protocol.Batch
		if err := sdi12.New(named).Decode(&b, []byte(c.message)); err != nil {
			t.Errorf("%q: %v", c.message, err)
		} else if got := shown(&b.Readings[0]); got != c.want {
			t.Errorf("%q\n got %s\nwant %s", c.message, got, c.want)
		}
	}
	d := sdi12.New(named)
	var b protocol.Batch
	if err := errors.Join(d.DecodeFrom(&b, []byte("1+7+8"), 2), d.Decode(&b, []byte("1+1"))); err != nil {
		t.Fatal(err)
	}
	if got := shown(&b.Readings[0]); got != "moisture=7 value_3=8[{address 1}]" {
		t.Error(got)
	}
	if b.Readings[0].Device != b.Readings[1].Device {
		t.Error("one sensor is two devices")
	}
}

func TestRefusals(t *testing.T) {
	for message, want := range map[string]string{
		"\r\n":                           "empty",
		"?+1":                            "syntax",
		"0\r\n":                          "missing",
		"00013\r\n":                      "kind",
		"013ACME    100   1.0\r\n":       "kind",
		"0+":                             "syntax",
		"0+1++2":                         "syntax",
		"0+1.2.3":                        "syntax",
		"0+1e5":                          "syntax",
		"0+3.14+2.718+1.415Ipz":          "checksum",
		"0+3.14+2.718+1.414Ip":           "syntax",
		"0+1" + strings.Repeat("1", 300): "size",
	} {
		b := protocol.Batch{Readings: []protocol.Reading{{ReceivedTime: 7}}}
		err := sdi12.New(sdi12.DefaultConfig()).Decode(&b, []byte(message))
		var refusal *protocol.Refusal
		if !errors.As(err, &refusal) || refusal.Reason != want {
			t.Errorf("%q: %v, want %s", message, err, want)
		}
		if len(b.Readings) != 1 || b.Readings[0].ReceivedTime != 7 {
			t.Errorf("%q: the batch is changed", message)
		}
	}
	strict := sdi12.New(sdi12.Config{Checksum: "required", Values: map[string][]string{"0": {""}}})
	if err := strict.Decode(&protocol.Batch{}, []byte("0+3.14")); err.(*protocol.Refusal).Reason != "checksum" {
		t.Error(err)
	}
	if err := strict.Decode(&protocol.Batch{}, sdi12.AppendValues(nil, '0', true, 1)); err.(*protocol.Refusal).Reason != "missing" {
		t.Error(err)
	}
}

func TestValidate(t *testing.T) {
	var problems []string
	c := sdi12.Config{Checksum: "no", Values: map[string][]string{"10": {"a", "", ""}, "a": {"x", "y", "x", "\n"}}}
	c.Validate(func(field, problem string) { problems = append(problems, field+" "+problem) })
	slices.Sort(problems)
	want := []string{`checksum is "no", want required or optional`, `values has the address "10", want one of 0-9, A-Z and a-z`, `values.a has "\n", which is no name for a metric`, `values.a has "x" twice`}
	if !slices.Equal(problems, want) {
		t.Errorf("%q", problems)
	}
}

func TestAnswers(t *testing.T) {
	for message, want := range map[string]sdi12.Start{
		"00013\r\n":   {Address: '0', Ready: time.Second, Count: 3},
		"A00100\r\n":  {Address: 'A', Ready: time.Second, Count: 0},
		"z999120\r\n": {Address: 'z', Ready: 999 * time.Second, Count: 120},
	} {
		got, err := sdi12.ParseStart([]byte(message))
		if err != nil || got != want {
			t.Errorf("%q: %+v, %v", message, got, err)
		}
		if again := string(sdi12.AppendStart(nil, got, len(message)-6)); again != message {
			t.Errorf("%q written: %q", message, again)
		}
	}
	got, err := sdi12.ParseIdentity([]byte("013NRSYSINC1000001.2101\r\n"))
	if want := (sdi12.Identity{Address: '0', Version: "1.3", Vendor: "NRSYSINC", Model: "100000", Release: "1.2", Serial: "101"}); err != nil || got != want {
		t.Errorf("%+v, %v", got, err)
	}
	for _, message := range []string{"", "0", "0001", "0001a", "00001234", "!0013"} {
		if got, err := sdi12.ParseStart([]byte(message)); err == nil {
			t.Errorf("%q: %+v", message, got)
		}
		if got, err := sdi12.ParseIdentity([]byte(message)); err == nil {
			t.Errorf("%q: %+v", message, got)
		}
	}
	if got := string(sdi12.AppendValues(nil, 'a', false, 9.99999999, math.Copysign(0, -1), -1e9, math.NaN())); got != "a+10.00000+0-9999999+9999999\r\n" {
		t.Error(got)
	}
	if got := string(sdi12.AppendCommand(nil, '0', "CC1")); got != "0CC1!" {
		t.Error(got)
	}
}

func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		values := rapid.SliceOfN(rapid.Float64Range(-1e7, 1e7), 1, 9).Draw(t, "values")
		withCRC := rapid.Bool().Draw(t, "crc")
		checksum := map[bool]string{true: "required", false: "optional"}[withCRC]
		message := sdi12.AppendValues(nil, '7', withCRC, values...)
		var b protocol.Batch
		if err := sdi12.New(sdi12.Config{Checksum: checksum}).Decode(&b, message); err != nil {
			t.Fatalf("%q: %v", message, err)
		}
		for i, want := range values {
			got := b.Readings[0].Metrics[i].Value.Float()
			if near := max(1e-6, math.Abs(want)*1e-6); math.Abs(got-want) > near {
				t.Fatalf("%q: value %d is %v, want %v", message, i, got, want)
			}
		}
		for text := range strings.FieldsFuncSeq(string(message[1:]), func(r rune) bool { return r == '+' || r == '-' }) {
			if digits := strings.Trim(text, ".\r\n"); !withCRC && len(strings.Replace(digits, ".", "", 1)) > 7 {
				t.Fatalf("%q: %s has more than seven digits", message, text)
			}
		}
	})
}

var response = []byte("1+1.23+2.34+345+4.4678KoO\r\n")

func TestDecodeAllocatesNothing(t *testing.T) {
	d := sdi12.New(sdi12.DefaultConfig())
	var b protocol.Batch
	if n := testing.AllocsPerRun(100, func() {
		b.Reset()
		if err := d.Decode(&b, response); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkDecode(b *testing.B) {
	d := sdi12.New(sdi12.DefaultConfig())
	var batch protocol.Batch
	b.SetBytes(int64(len(response)))
	b.ReportAllocs()
	for b.Loop() {
		batch.Reset()
		if err := d.Decode(&batch, response); err != nil {
			b.Fatal(err)
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(response)
	f.Add([]byte("00013\r\n"))
	f.Add([]byte("013NRSYSINC1000001.2101\r\n"))
	f.Add([]byte("z-0.0+0-12.5"))
	d := sdi12.New(sdi12.Config{Checksum: "optional", Values: map[string][]string{"1": {"temperature", "", "moisture"}}})
	f.Fuzz(func(t *testing.T, message []byte) {
		before := bytes.Clone(message)
		var b protocol.Batch
		b.Add().ReceivedTime = 7
		err := d.Decode(&b, message)
		_, startErr := sdi12.ParseStart(message)
		_, identityErr := sdi12.ParseIdentity(message)
		if !bytes.Equal(before, message) {
			t.Fatal("the message is changed")
		}
		if err == nil && (startErr == nil || identityErr == nil) {
			t.Fatal("the message is of two kinds")
		}
		if err != nil {
			var refusal *protocol.Refusal
			if !errors.As(err, &refusal) || !slices.Contains(protocol.Reasons(), refusal.Reason) || len(b.Readings) != 1 {
				t.Fatalf("%v, %d readings", err, len(b.Readings))
			}
			return
		}
		names := map[string]bool{}
		for _, m := range b.Readings[1].Metrics {
			if v := m.Value.Float(); m.Name == "" || names[m.Name] || m.Value.Kind() != protocol.KindFloat || math.IsNaN(v) || math.IsInf(v, 0) {
				t.Fatalf("%+v", m)
			}
			names[m.Name] = true
		}
		if len(names) == 0 || len(names) > len(message) {
			t.Fatal(b.Readings)
		}
	})
}
