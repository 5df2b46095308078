package payload

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"sluice/protocol"
)

func ptr[T any](v T) *T { return &v }

var device = &protocol.Device{Name: "s1"}

// decoder compiles p or fails the test.
func decoder(t testing.TB, p Profile) Decoder {
	t.Helper()
	d, err := New(p)
	if err != nil {
		t.Fatalf("New(%+v): %v", p, err)
	}
	return d
}

// show returns what d makes of a message: "a=float:21.5 °C b=… @ns", or
// "!reason"; several readings are parted by " | ". The rules that hold for every decoder are checked on the way.
func show(t testing.TB, d Decoder, payload, metric string) string {
	t.Helper()
	source := []byte(payload)
	b := &protocol.Batch{Readings: make([]protocol.Reading, 1, 4)}
	err := d.Decode(b, Message{Payload: source, Device: device, Received: 7, Metric: metric})
	if string(source) != payload {
		t.Fatalf("%q was changed to %q", payload, source)
	}
	for i := range source {
		source[i] = '#' // the caller uses its memory again
	}
	var bad *protocol.Refusal
	if errors.As(err, &bad) {
		if len(b.Readings) != 1 || bad.Err == nil || !known(bad.Reason) || len(err.Error()) > 600 {
			t.Fatalf("%q: %d readings, error %q", payload, len(b.Readings), err)
		}
		return "!" + bad.Reason
	}
	if err != nil || len(b.Readings) < 2 || len(b.Readings) > 1+maxReadings {
		t.Fatalf("%q: %d readings, error %v", payload, len(b.Readings), err)
	}
	var out []string
	for i := range b.Readings[1:] {
		out = append(out, describe(t, payload, &b.Readings[1+i]))
	}
	return strings.Join(out, " | ")
}

func known(reason string) bool {
	return slices.Contains(protocol.Reasons(), reason)
}

func describe(t testing.TB, payload string, r *protocol.Reading) string {
	t.Helper()
	if r.Device != device || r.ReceivedTime != 7 || len(r.Metrics) == 0 {
		t.Fatalf("%q: incomplete reading %+v", payload, r)
	}
	var out []string
	seen := map[string]bool{}
	for _, m := range r.Metrics {
		if m.Name == "" || !utf8.ValidString(m.Name) || seen[m.Name] || m.Value.IsNull() || m.Value.Kind() != protocol.KindBytes && !utf8.ValidString(m.Value.Text()) {
			t.Fatalf("%q: bad metric %q=%v of %+v", payload, m.Name, m.Value, r.Metrics)
		}
		if _, number := m.Value.Number(); number && isText(payload) && strings.Trim(m.Value.String(), "+-0123456789.e") != "" {
			t.Fatalf("%q: metric %q is %v", payload, m.Name, m.Value)
		}
		seen[m.Name] = true
		text := strings.TrimSpace(fmt.Sprintf("%s=%v:%v %s", m.Name, m.Value.Kind(), m.Value, m.Unit))
		if m.Quality != protocol.Good {
			text += " " + m.Quality.String()
		}
		out = append(out, text)
	}
	if r.SourceTime != 0 {
		out = append(out, fmt.Sprintf("@%d", r.SourceTime))
	}
	return strings.Join(out, " ")
}

// isText reports whether a payload cannot hold what only binary forms know: NaN
// and the infinities.
func isText(payload string) bool { return len(payload) > 0 && payload[0] < 0x80 }

// message is a row of the decoders' tables.
type message struct{ in, want string }

func check(t *testing.T, p Profile, metric string, rows []message) {
	t.Helper()
	d := decoder(t, p)
	for _, row := range rows {
		if got := show(t, d, row.in, metric); got != row.want {
			t.Errorf("%q:\n got %s\nwant %s", row.in, got, row.want)
		}
	}
}

func TestErrorIsForPeople(t *testing.T) {
	d := decoder(t, Profile{Decode: Decode{JSON: &JSON{}}, Metrics: map[string]Metric{"t": {Type: "int"}}})
	for in, want := range map[string]string{
		`{"t":21.5}`:                    `type: metric t: want a number for type int, found "21.5"`,
		`{"t":[1]}`:                     `type: metric t: want one value, found "[1]"`,
		`{"t":NaN}`:                     `syntax: want a value at byte 5, found "NaN}"`,
		`{"t":1`:                        `syntax: want "," or "}" at byte 6, found the end`,
		`{"u":1}`:                       `missing: the message holds none of the metrics`,
		`x` + string(make([]byte, 100)): `syntax: want a value at byte 0, found "x` + strings.Repeat(`\x00`, 23) + `"…`,
	} {
		err := d.Decode(&protocol.Batch{}, Message{Payload: []byte(in), Device: device})
		if err == nil || err.Error() != want {
			t.Errorf("%q:\n got %v\nwant %s", in, err, want)
		}
		if errors.Unwrap(err) == nil {
			t.Errorf("%q: no details", in)
		}
	}
}

func TestSizeLimit(t *testing.T) {
	blanks := strings.Repeat(" ", maxMessage)
	for _, p := range []Profile{
		{Decode: Decode{JSON: &JSON{}}},
		{Decode: Decode{Regex: `(?P<a>1)`}},
		{Decode: Decode{CSV: &CSV{Columns: []string{"a"}}}},
	} {
		d := decoder(t, p)
		if got := show(t, d, blanks+"1", ""); got != "!size" {
			t.Errorf("%+v: a byte too long: %s", p.Decode, got)
		}
		if got := show(t, d, "1"+blanks[1:], ""); got == "!size" {
			t.Errorf("%+v: exactly 1 MiB: %s", p.Decode, got)
		}
	}
}

func TestBatchKeepsEarlierReadings(t *testing.T) {
	d := decoder(t, Profile{Decode: Decode{JSON: &JSON{}}})
	b := &protocol.Batch{}
	for _, in := range []string{`{"a":1}`, `{"a":}`, `{"a":2}`, `{}`, `{"a":1e999}`} {
		_ = d.Decode(b, Message{Payload: []byte(in), Device: device})
	}
	if len(b.Readings) != 2 || b.Readings[0].Metrics[0].Value != protocol.Float(1) || b.Readings[1].Metrics[0].Value != protocol.Float(2) {
		t.Errorf("got %+v, want the readings of the first and third message", b.Readings)
	}
}
