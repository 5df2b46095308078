package frame

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"sluice/protocol/checksum"
)

// sample is a kind of frames under test.
type sample struct {
	name   string
	config Config

	// payload makes a payload that the kind can carry of any bytes, and encode
	// the frame of it.
	payload func(body []byte) []byte
	encode  func(dst, payload []byte) []byte

	// noise makes noise that is honest: it is no frame, and what ends frames
	// of the kind ends it too, if need be. nil: no noise of this kind can be
	// told from a frame.
	noise func(junk []byte) []byte

	// A frame that is damaged costs only itself, unless the damage hits the
	// last so many bytes, which tell where it ends and the next one begins.
	// Negative: nothing tells a frame that is damaged.
	shared int

	idle bool // frames end when the line is quiet
}

var crc32 = Checksum{Name: "CRC-32/BZIP2"}

// sealed returns p with its CRC-32 in bytes.
func sealed(p []byte) []byte { return append(bytes.Clone(p), crcOf(p)...) }

func crcOf(p []byte) []byte {
	sum, _ := checksum.Lookup(crc32.Name)
	return sum.Append(nil, p, false)
}

func raw(body []byte) []byte { return append([]byte{7}, body...) } // never empty

func text(body []byte) []byte { return hex.AppendEncode([]byte("v"), body) }

// without returns a maker of noise that lacks some bytes, and has an end.
func without(bad, end string) func(junk []byte) []byte {
	return func(junk []byte) []byte {
		keep := slices.DeleteFunc(bytes.Clone(junk), func(c byte) bool { return bytes.IndexByte([]byte(bad), c) >= 0 })
		return append(keep, end...)
	}
}

func samples() []sample {
	seal := func(encode func(dst, payload []byte) []byte) func(dst, payload []byte) []byte {
		return func(dst, payload []byte) []byte { return encode(dst, sealed(payload)) }
	}
	lines := func(end string) func(dst, payload []byte) []byte {
		return func(dst, payload []byte) []byte {
			return fmt.Appendf(dst, "%s*%X%s", payload, crcOf(payload), end)
		}
	}
	prefixed := func(c Prefixed) sample {
		c.Checksum = &crc32
		return sample{
			name:   fmt.Sprintf("prefixed %d %s %s", c.Width, c.Order, c.Counts),
			config: Config{Prefixed: &c},
			payload: func(body []byte) []byte {
				p := AppendPrefixed(nil, c, append(body[:min(len(body), 200)], 0, 0, 0, 0))
				return append(p[:len(p)-4], crcOf(p[:len(p)-4])...)
			},
			encode: appendWhole,
			noise:  without("", ""),
		}
	}
	return slices.Concat([]sample{
		{name: "lines", payload: text, encode: EOL(CRLF).appendLine, shared: -1},
		{name: "lines checked", config: Config{Lines: &Lines{Checksum: &Checksum{Name: crc32.Name, After: "*"}}},
			payload: text, encode: lines("\r\n"), noise: without("", "\r\n"), shared: 1},
		{name: "lines terminated", config: Config{Lines: &Lines{Terminator: "hex:3b3b", Checksum: &Checksum{Name: crc32.Name, After: "*"}}},
			payload: text, encode: lines(";;"), noise: without(";", ";;"), shared: 2},
	}, []sample{
		prefixed(Prefixed{Sync: "hex:424d", Offset: 2, Width: 2}),
		prefixed(Prefixed{Sync: "A", Offset: 3, Width: 4, Order: "little", Counts: "frame", Header: 9, Trailer: 2}),
		prefixed(Prefixed{Width: 1, Order: "big", Trailer: 1}),
	}, delimitedSamples(seal), fixedSamples(seal), packetSamples(seal), meterSamples())
}

func (e EOL) appendLine(dst, payload []byte) []byte { return e.Append(append(dst, payload...)) }

func appendWhole(dst, payload []byte) []byte { return append(dst, payload...) }

func delimitedSamples(seal func(func(dst, payload []byte) []byte) func(dst, payload []byte) []byte) []sample {
	return []sample{
		{name: "delimited", config: Config{Delimited: &Delimited{Start: "hex:02", End: "hex:03", Trailer: 4, Checksum: &crc32}},
			payload: text, noise: without("", ""),
			encode: func(dst, payload []byte) []byte {
				covered := append(bytes.Clone(payload), 3)
				return append(append(append(dst, 2), covered...), crcOf(covered)...)
			}},
		{name: "delimited text", config: Config{Delimited: &Delimited{Start: "<<", End: ">"}},
			payload: text, noise: without("<", ""), shared: -1,
			encode: func(dst, payload []byte) []byte {
				return AppendDelimited(dst, []byte("<<"), payload, []byte(">"))
			}},
		{name: "delimited by one", config: Config{Delimited: &Delimited{Start: "hex:7e", End: "hex:7e", Escape: "hex:7d", EscapeXOR: 0x20, Checksum: &crc32}},
			payload: raw, noise: without("\x7e", ""),
			encode: seal(func(dst, payload []byte) []byte {
				return AppendEscaped(dst, []byte{0x7e}, payload, []byte{0x7e}, 0x7d, 0x20)
			})},
		{name: "delimited escaped", config: Config{Delimited: &Delimited{Start: "hex:10 02", End: "hex:1003", Escape: "hex:10", Checksum: &crc32}},
			payload: raw, noise: without("", ""),
			encode: seal(func(dst, payload []byte) []byte {
				return AppendEscaped(dst, []byte{0x10, 2}, payload, []byte{0x10, 3}, 0x10, 0)
			})},
	}
}

func fixedSamples(seal func(func(dst, payload []byte) []byte) func(dst, payload []byte) []byte) []sample {
	fixed := func(body []byte) []byte {
		return sealed(append([]byte("BM"), append(body, make([]byte, 14)...)[:14]...))
	}
	return []sample{
		{name: "fixed", config: Config{Fixed: &Fixed{Length: 20, Sync: "BM", Checksum: &crc32}},
			payload: fixed, encode: appendWhole, noise: without("", "")},
		{name: "fixed without sync", config: Config{Fixed: &Fixed{Length: 20, Checksum: &crc32}},
			payload: fixed, encode: appendWhole, noise: without("", "")},
		{name: "idle", config: Config{Idle: &Idle{Checksum: &crc32}}, idle: true,
			payload: func(body []byte) []byte { return sealed(body) }, encode: appendWhole, noise: without("", "")},
	}
}

func packetSamples(seal func(func(dst, payload []byte) []byte) func(dst, payload []byte) []byte) []sample {
	return []sample{
		{name: "slip", config: Config{SLIP: &SLIP{Checksum: &crc32}}, payload: raw, encode: seal(AppendSLIP), noise: without("\xc0", "")},
		{name: "cobs", config: Config{COBS: &COBS{Checksum: &crc32}}, payload: raw, encode: seal(AppendCOBS), noise: without("", "\x00"), shared: 1},
		{name: "cobsr", config: Config{COBSR: &COBS{Checksum: &crc32}}, payload: raw, encode: seal(AppendCOBSR), noise: without("", "\x00"), shared: 1},
	}
}

func meterSamples() []sample {
	return []sample{
		{name: "nmea", config: Config{NMEA: &NMEA{}}, noise: without("$!", ""),
			payload: func(body []byte) []byte {
				line := AppendNMEA(nil, append([]byte("$GPTXT,"), text(body)...))
				return line[:len(line)-2]
			},
			encode: EOL(CRLF).appendLine},
		{name: "dsmr", config: Config{DSMR: &DSMR{}}, noise: without("", ""),
			payload: func(body []byte) []byte {
				telegram := fmt.Appendf(nil, "/KFM5KAIFA-METER\r\n\r\n1-3:0.2.8(50)\r\n1-0:1.7.0(%s)\r\n!", text(body))
				telegram = AppendDSMR(nil, telegram)
				return telegram[:len(telegram)-2]
			},
			encode: EOL(CRLF).appendLine},
		{name: "sml", config: Config{SML: &SML{}}, payload: raw, encode: AppendSML, noise: without("", "")},
		{name: "mbus", config: Config{MBus: &MBus{}}, noise: without("\x10", ""),
			payload: func(body []byte) []byte {
				return AppendMBus(nil, append([]byte{8, 1, 0x72}, body[:min(len(body), 250)]...))
			},
			encode: appendWhole},
		{name: "vedirect", config: Config{VEDirect: &VEDirect{}}, noise: without("\r", ""),
			payload: func(body []byte) []byte {
				return AppendVEDirect(nil, fmt.Appendf(nil, "\r\nPID\t0xA053\r\nV\t%d\r\nSER#\t%s", len(body), text(body)))
			},
			encode: appendWhole},
		{name: "modbus_rtu", config: Config{ModbusRTU: &ModbusRTU{}}, noise: without("", ""),
			payload: func(body []byte) []byte {
				body = body[:min(len(body), 250)]
				return AppendModbusRTU(nil, append([]byte{17, 3, byte(len(body))}, body...))
			},
			encode: appendWhole},
	}
}

// piece is a part of a stream, and whether the line is quiet behind it.
type piece struct {
	bytes []byte
	quiet bool
}

// listen feeds pieces in chunks of step bytes, and returns copies of all frames.
func listen(t testing.TB, c Config, step int, pieces ...piece) (frames []string, r Reader) {
	t.Helper()
	r, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	drain := func() {
		for f, ok := r.Next(); ok; f, ok = r.Next() {
			if len(f) == 0 {
				t.Fatal("an empty frame was delivered")
			}
			frames = append(frames, string(f))
		}
	}
	for _, p := range pieces {
		for chunk := range slices.Chunk(p.bytes, step) {
			buf := bytes.Clone(chunk)
			r.Feed(buf)
			drain()
			if !bytes.Equal(buf, chunk) {
				t.Fatalf("fed % x, found changed to % x", chunk, buf)
			}
			for i := range buf {
				buf[i] = '#' // the feeder uses its memory again
			}
		}
		if p.quiet {
			r.Idle()
			drain()
		}
	}
	if n := r.Stats().Frames; n != int64(len(frames)) {
		t.Fatalf("counted %d frames of %d", n, len(frames))
	}
	return frames, r
}

// junk returns up to n bytes of anything.
func junk(rng *rand.Rand, n int) []byte {
	b := make([]byte, rng.IntN(n+1))
	few := rng.IntN(2) == 0
	for i := range b {
		if b[i] = byte(rng.Uint32()); few {
			b[i] = "\x00\x02\x03\x10\x16\x1b\x7d\x7e\x68\xc0\xdb\xe5\r\n:/!$*A"[rng.IntN(20)]
		}
	}
	return b
}

// stream is some frames as they come over the line.
type stream struct {
	want   []string
	pieces []piece // one for each frame, and one for each noise
}

// newStream makes a stream of n frames, with noise before each of them or not.
func (s *sample) newStream(rng *rand.Rand, n int, noisy bool) stream {
	var made stream
	for range n {
		if noisy {
			made.pieces = append(made.pieces, piece{s.noise(junk(rng, 40)), s.idle})
		}
		payload := s.payload(junk(rng, 300))
		made.want = append(made.want, string(payload))
		made.pieces = append(made.pieces, piece{s.encode(nil, payload), s.idle})
	}
	return made
}

// quiet ends a stream, so that what is waited for in vain is given up.
var quiet = piece{nil, true}
