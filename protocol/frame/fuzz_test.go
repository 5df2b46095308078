package frame

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"testing"
)

// fuzz feeds a reader of the samples with names that begin with name, in one
// piece and in small ones, with a quiet line now and then: the frames and the
// counts must be the same, and as much as possible must be accounted for.
func fuzz(f *testing.F, kinds ...string) {
	chosen := slices.DeleteFunc(samples(), func(s sample) bool { return !slices.Contains(kinds, s.name) })
	if len(chosen) != len(kinds) {
		f.Fatalf("%d of the kinds %v exist", len(chosen), kinds)
	}
	for i, s := range chosen {
		for round := range 4 {
			rng := rand.New(rand.NewPCG(uint64(round), 2))
			made := s.newStream(rng, 2, s.noise != nil)
			var whole []byte
			for _, p := range made.pieces {
				whole = append(whole, p.bytes...)
			}
			f.Add(whole, uint8(i), uint16(len(made.pieces[0].bytes)), uint8(round))
		}
	}
	f.Fuzz(func(t *testing.T, text []byte, which uint8, pause uint16, step uint8) {
		s := chosen[int(which)%len(chosen)]
		at := min(int(pause), len(text))
		pieces := []piece{{text[:at], true}, {text[at:], true}}
		want, whole := listen(t, s.config, len(text)+1, pieces...)
		stats := whole.Stats()
		for _, n := range []int{1, 2 + int(step)} {
			got, r := listen(t, s.config, n, pieces...)
			if !slices.Equal(got, want) || r.Stats() != stats {
				t.Fatalf("in steps of %d: got %q %+v,\nin one piece %q %+v", n, got, r.Stats(), want, stats)
			}
		}
		size := 0
		for _, frame := range want {
			size += len(frame)
		}
		if int(stats.Skipped)+size > len(text) || int(stats.Bad+stats.TooLong) > len(text) {
			t.Fatalf("%d bytes of payload and %+v of %d bytes", size, stats, len(text))
		}
	})
}

func FuzzLineEnds(f *testing.F)  { fuzz(f, "lines", "lines checked") }
func FuzzDelimited(f *testing.F) { fuzz(f, "delimited", "delimited text") }
func FuzzEscaped(f *testing.F)   { fuzz(f, "delimited by one", "delimited escaped") }
func FuzzFixed(f *testing.F)     { fuzz(f, "fixed", "fixed without sync") }
func FuzzIdle(f *testing.F)      { fuzz(f, "idle") }
func FuzzSLIP(f *testing.F)      { fuzz(f, "slip", "lines terminated") }
func FuzzCOBS(f *testing.F)      { fuzz(f, "cobs", "cobsr") }
func FuzzNMEA(f *testing.F)      { fuzz(f, "nmea") }
func FuzzDSMR(f *testing.F)      { fuzz(f, "dsmr") }
func FuzzSML(f *testing.F)       { fuzz(f, "sml") }
func FuzzMBus(f *testing.F)      { fuzz(f, "mbus") }
func FuzzVEDirect(f *testing.F)  { fuzz(f, "vedirect") }
func FuzzModbusRTU(f *testing.F) { fuzz(f, "modbus_rtu") }

func FuzzPrefixed(f *testing.F) {
	fuzz(f, "prefixed 2  ", "prefixed 4 little frame", "prefixed 1 big ")
}

// FuzzPacket decodes bodies as they come, and what it encoded itself.
func FuzzPacket(f *testing.F) {
	f.Add([]byte("\x03\x01\x02\xff"))
	f.Add(bytes.Repeat([]byte{1}, 300))
	f.Add([]byte("\xdb\xdc\xdb\xdd\xc0\xdb"))
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, codec := range []struct {
			encode func(dst, payload []byte) []byte
			decode func(dst, body []byte) ([]byte, bool)
		}{
			{AppendCOBS, DecodeCOBS}, {AppendCOBSR, DecodeCOBSR}, {appendBareSLIP, DecodeSLIP},
		} {
			if got, _ := codec.decode(nil, body); len(got) > len(body) {
				t.Fatalf("%x decodes to %x, which is longer", body, got)
			}
			encoded := codec.encode(nil, body)
			if got, ok := codec.decode([]byte("x"), encoded[:len(encoded)-1]); !ok || string(got) != "x"+string(body) {
				t.Fatalf("%x comes back as %x from %x", body, got, encoded)
			}
		}
	})
}

func appendBareSLIP(dst, payload []byte) []byte { return AppendSLIP(dst, payload)[len(dst)+1:] }
