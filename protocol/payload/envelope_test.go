package payload

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"sluice/protocol"
)

// packed returns text as a compressor made by open writes it.
func compressed(t testing.TB, text string, open func(io.Writer) io.WriteCloser) string {
	t.Helper()
	var b bytes.Buffer
	w := open(&b)
	if _, err := io.WriteString(w, text); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func gzipped(t testing.TB, text string) string {
	return compressed(t, text, func(w io.Writer) io.WriteCloser { return gzip.NewWriter(w) })
}

func TestEncoding(t *testing.T) {
	zipped := compressed(t, `{"t":21.5}`, func(w io.Writer) io.WriteCloser { return zlib.NewWriter(w) })
	bare := compressed(t, `{"t":21.5}`, func(w io.Writer) io.WriteCloser {
		f, _ := flate.NewWriter(w, 9)
		return f
	})
	const good = "t=float:21.5"
	for _, c := range []struct{ encoding, payload, want string }{
		{"gzip", gzipped(t, `{"t":21.5}`), good},
		{"gzip", "{}", "!encoding"},
		{"gzip", gzipped(t, `{"t":21.5}`)[:20], "!encoding"},
		{"gzip", gzipped(t, strings.Repeat(" ", maxMessage+1)), "!size"},
		{"gzip", gzipped(t, ""), "!empty"},
		{"deflate", zipped, good},
		{"deflate", bare, good},
		{"deflate", "", "!encoding"},
		{"deflate", "x", "!encoding"},
		{"hex", "7B2274223a32312e357D", good},
		{"hex", "0x7b 22 74 22 3a 32 31\n2e 35 7d\r\n", good},
		{"hex", "7b2", "!encoding"},
		{"hex", "zz", "!encoding"},
		{"base64", base64.StdEncoding.EncodeToString([]byte(`{"t":21.5}`)), good},
		{"base64", base64.RawURLEncoding.EncodeToString([]byte(`{"t":21.5, "x":"???"}`)), good + " x=string:???"},
		{"base64", "e", "!encoding"},
		{"base64 gzip", base64.StdEncoding.EncodeToString([]byte(gzipped(t, `{"t":21.5}`))), good},
		{"hex deflate", hex.EncodeToString([]byte(bare)), good},
	} {
		d := decoder(t, Profile{Encoding: c.encoding, Decode: Decode{JSON: &JSON{}}})
		for range 3 { // what is kept between messages changes nothing
			if got := show(t, d, c.payload, ""); got != c.want {
				t.Errorf("%s of %q: got %s, want %s", c.encoding, c.payload, got, c.want)
			}
			show(t, d, "some other rubbish", "")
		}
	}
}

// TestInside: the payload of a device in the message of its network server.
func TestInside(t *testing.T) {
	p := Profile{Inside: "uplink.payload", Encoding: "base64", Decode: Decode{JSON: &JSON{}}}
	check(t, p, "", []message{
		{`{"uplink":{"payload":"eyJ0IjoyMS41fQ=="}}`, "t=float:21.5"},
		{`{"uplink":{"payload":"eyJ0IjoyMS41fQ\u003d\u003d"}}`, "t=float:21.5"},
		{`{"uplink":{"payload":""}}`, "!empty"},
		{`{"uplink":{"payload":7}}`, "!missing"},
		{`{"uplink":{}}`, "!missing"},
		{`{"uplink":`, "!syntax"},
		{`{"uplink":{"payload":"?"}}`, "!encoding"},
	})
}

// TestEncodingHoldsNoBomb: a message that swells beyond the limit is refused
// without being unpacked whole.
func TestEncodingHoldsNoBomb(t *testing.T) {
	bomb := gzipped(t, strings.Repeat("\x00", 32<<20))
	if len(bomb) > maxMessage {
		t.Fatalf("the bomb has %d bytes", len(bomb))
	}
	d := decoder(t, Profile{Encoding: "gzip", Decode: Decode{JSON: &JSON{}}})
	if got := show(t, d, bomb, ""); got != "!size" {
		t.Errorf("got %s", got)
	}
}

func TestMaxSkew(t *testing.T) {
	set := protocol.At(time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC))
	p := Profile{Decode: Decode{JSON: &JSON{}}, Time: &Time{Path: "ts", Format: "rfc3339", MaxSkew: 10 * time.Minute}}
	for _, c := range []struct {
		received protocol.Timestamp
		ts       string
		used     bool
	}{
		{set, "2026-11-22T12:00:00Z", true},
		{set, "2026-11-22T11:50:00Z", true},
		{set, "2026-11-22T12:10:00Z", true},
		{set, "2026-11-22T11:49:59Z", false},
		{set, "2026-11-22T12:10:01Z", false},
		{set, "1970-01-01T00:00:01Z", false},
		{set, "2262-01-01T00:00:00Z", false},
		{protocol.At(time.Unix(3600, 0)), "2026-11-22T12:00:00Z", true}, // the gateway's clock is the wrong one
	} {
		b := &protocol.Batch{}
		m := Message{Payload: []byte(`{"t":1,"ts":"` + c.ts + `"}`), Device: device, Received: c.received}
		if err := decoder(t, p).Decode(b, m); err != nil {
			t.Fatal(err)
		}
		r := &b.Readings[0]
		if (r.SourceTime != 0) != c.used || r.Skewed == c.used || len(r.Metrics) != 1 {
			t.Errorf("%s received %s: %+v", c.ts, c.received.Time(), r)
		}
	}
}

func TestZone(t *testing.T) {
	p := Profile{Decode: Decode{JSON: &JSON{}}, Time: &Time{Path: "ts", Format: "2006-01-02 15:04:05", Zone: "Europe/Berlin"}}
	for ts, want := range map[string]string{
		"2026-07-01 12:00:00": "2026-07-01T10:00:00Z",
		"2026-12-01 12:00:00": "2026-12-01T11:00:00Z",
	} {
		b := &protocol.Batch{}
		if err := decoder(t, p).Decode(b, Message{Payload: []byte(`{"t":1,"ts":"` + ts + `"}`), Device: device}); err != nil {
			t.Fatal(err)
		}
		if got := b.Readings[0].SourceTime; got.Time().Format(time.RFC3339) != want || string(p.Time.Append(nil, got)) != ts {
			t.Errorf("%s: %s, back %s", ts, got.Time(), p.Time.Append(nil, got))
		}
	}
}

// asking is a decoder that wants something published.
type asking struct{ Decoder }

func (asking) Reply() (string, []byte, bool) { return "a", []byte("b"), true }

func TestEnvelopeHandsRepliesOn(t *testing.T) {
	p := Profile{Encoding: "hex", Decode: Decode{JSON: &JSON{}}}
	if topic, _, ok := enclose(p, asking{}).(Replier).Reply(); !ok || topic != "a" {
		t.Errorf("%q, %v", topic, ok)
	}
	if _, _, ok := enclose(p, &valueDecoder{}).(Replier).Reply(); ok {
		t.Error("a decoder without a reply gives one")
	}
}

func FuzzEncoding(f *testing.F) {
	for i, name := range wrapNames {
		f.Add(uint8(i), []byte(name))
	}
	f.Add(uint8(0), []byte(gzipped(f, "abc")))
	f.Fuzz(func(t *testing.T, which uint8, p []byte) {
		w := newWrap(wrapNames[int(which)%len(wrapNames)])
		before := string(p)
		out, err := w.open(p)
		again, err2 := w.open(p)
		if string(p) != before {
			t.Fatal("the message was changed")
		}
		var is *protocol.Refusal
		if err != nil && !errors.As(err, &is) || (err == nil) != (err2 == nil) {
			t.Fatalf("%v, then %v", err, err2)
		}
		if err == nil && (len(out) > maxMessage || string(out) != string(again)) {
			t.Fatalf("%d bytes, then %d", len(out), len(again))
		}
	})
}
