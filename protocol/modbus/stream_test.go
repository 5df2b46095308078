package modbus

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// take feeds pieces one after the other and returns copies of all frames.
func take(s *Stream, pieces ...[]byte) []Frame {
	var got []Frame
	drain := func() {
		for f, ok := s.Next(); ok; f, ok = s.Next() {
			f.PDU = bytes.Clone(f.PDU)
			got = append(got, f)
		}
	}
	for _, p := range pieces {
		buf := bytes.Clone(p)
		s.Feed(buf)
		drain()
		for i := range buf {
			buf[i] = '#' // the feeder uses its memory again
		}
	}
	s.Idle()
	drain()
	return got
}

func sameFrames(a, b []Frame) bool { return slices.EqualFunc(a, b, same) }

// noise draws bytes that end no frame and look like no beginning of one.
func noise(t *rapid.T, m mode) []byte {
	b := rapid.SliceOfN(rapid.Byte(), 0, 40).Draw(t, "noise")
	if m.name == "tcp" { // where nothing but the head tells a frame
		for i := range b {
			b[i] |= 1
		}
	}
	return b
}

// TestStreamFindsAllFrames puts noise between frames and cuts the stream
// anywhere.
func TestStreamFindsAllFrames(t *testing.T) {
	for _, m := range modes {
		t.Run(m.name, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				side := rapid.SampledFrom([]Side{Responses, Requests}).Draw(t, "side")
				var want []Frame
				var text []byte
				var skipped int
				begins := map[int]bool{}
				for range rapid.IntRange(1, 4).Draw(t, "frames") {
					n := noise(t, m)
					f := anyFrame(t, m, side)
					text, skipped = append(text, n...), skipped+len(n)
					begins[len(text)] = true
					text, want = m.append(text, f), append(want, f)
				}
				if m.name == "rtu" && coincidence(side, text, begins) {
					return
				}
				size := rapid.IntRange(1, len(text)).Draw(t, "piece")
				s := m.stream(side)
				got := take(s, slices.Collect(slices.Chunk(text, size))...)
				if !sameFrames(got, want) || s.Stats().Skipped != int64(skipped) || s.Stats().Frames != int64(len(want)) || s.Held() != 0 {
					t.Fatalf("%x: got %+v, %d bytes skipped, %d held, want %+v, %d, 0", text, got, s.Stats().Skipped, s.Held(), want, skipped)
				}
			})
		})
	}
}

// coincidence reports whether something that is none of the frames has the right
// CRC, as one of 65,536 candidates does.
func coincidence(side Side, text []byte, begins map[int]bool) bool {
	for at := range text {
		n := RTULength(side, text[at:])
		if !begins[at] && n > 0 && at+n <= len(text) && crc(text[at:at+n-2]) == binary.LittleEndian.Uint16(text[at+n-2:]) {
			return true
		}
	}
	return false
}

// TestStreamSplitAnywhere cuts a short stream at all pairs of places.
func TestStreamSplitAnywhere(t *testing.T) {
	for _, m := range modes {
		var text []byte
		text = append(text, 0x11, ':', 0)
		text = m.append(text, Frame{Unit: 0x11, Transaction: 7, PDU: []byte{3, 4, 0, 141, 0, 142}})
		text = append(text, '0', 3, 0xff)
		text = m.append(text, Frame{Unit: 0x11, Transaction: 8, PDU: []byte{0x83, 2}})
		want := take(m.stream(Responses), text)
		if len(want) != 2 {
			t.Errorf("%s: %+v", m.name, want)
		}
		for i := range text {
			for j := i; j < len(text); j++ {
				if got := take(m.stream(Responses), text[:i], text[i:j], text[j:]); !sameFrames(got, want) {
					t.Fatalf("%s cut at %d and %d: got %+v, want %+v", m.name, i, j, got, want)
				}
			}
		}
	}
}

func TestStreamWaits(t *testing.T) {
	frame := AppendRTU(nil, 0x12, []byte{2, 3, 0, 0, 0})
	s := NewRTU(Responses)
	s.Feed(frame[:len(frame)-1])
	if f, ok := s.Next(); ok || s.Held() != len(frame)-1 || s.Stats().Skipped != 0 {
		t.Errorf("a part of a frame gives %+v, %d held, %d skipped", f, s.Held(), s.Stats().Skipped)
	}
	s.Feed(frame[len(frame)-1:])
	if f, ok := s.Next(); !ok || f.Unit != 0x12 || len(f.PDU) != 5 {
		t.Errorf("got %+v, %v", f, ok)
	}
}

// TestStreamExpect shows noise that looks like the head of a long frame.
func TestStreamExpect(t *testing.T) {
	text := append([]byte{1, 3, 0xfa}, AppendRTU(nil, 5, []byte{3, 2, 0, 7})...)
	s := NewRTU(Responses)
	s.Feed(text)
	if f, ok := s.Next(); ok {
		t.Errorf("got %+v before the line was quiet", f)
	}
	s.Idle()
	if f, ok := s.Next(); !ok || f.Unit != 5 || s.Stats().Skipped != 3 {
		t.Errorf("got %+v, %v after the line was quiet, %d skipped", f, ok, s.Stats().Skipped)
	}
	s.Expect(5, ReadHoldingRegisters)
	for _, pdu := range [][]byte{{3, 2, 0, 7}, {0x83, 2}} {
		s.Feed(append([]byte{1, 3, 0xfa}, AppendRTU(nil, 5, pdu)...))
		if f, ok := s.Next(); !ok || !bytes.Equal(f.PDU, pdu) {
			t.Errorf("got %+v, %v at once", f, ok)
		}
	}
	s.Feed(AppendRTU(AppendRTU(nil, 6, []byte{3, 2, 0, 7}), 5, []byte{4, 2, 0, 7}))
	if f, ok := s.Next(); ok {
		t.Errorf("got %+v, which nobody expects", f)
	}
	s.Reset()
	s.ExpectAny()
	s.Feed(AppendRTU(nil, 6, []byte{3, 2, 0, 7}))
	if f, ok := s.Next(); !ok || f.Unit != 6 {
		t.Errorf("got %+v, %v", f, ok)
	}
}

func TestStreamDamage(t *testing.T) {
	for _, m := range modes[:2] {
		good := m.append(nil, Frame{Unit: 5, PDU: []byte{3, 2, 0, 7}})
		bad := bytes.Clone(good)
		bad[5] ^= 1
		s := m.stream(Responses)
		if got := take(s, bad, good); len(got) != 1 || s.Stats().Bad != 1 || s.Stats().Skipped != int64(len(bad)) {
			t.Errorf("%s: got %+v, %d damaged, %d skipped", m.name, got, s.Stats().Bad, s.Stats().Skipped)
		}
	}
}

func TestStreamNeverGrows(t *testing.T) {
	for _, m := range modes {
		s := m.stream(Responses)
		before := cap(s.held)
		for _, piece := range []string{":", ":00", "\x00", "\x01\x03\xfa", "\x00\x01\x00\x00\x00\xfe\x01\x03"} {
			take(s, bytes.Repeat([]byte(piece), 20_000))
		}
		if cap(s.held) != before || s.Held() != 0 {
			t.Errorf("%s: room for %d bytes, had %d; %d are held", m.name, cap(s.held), before, s.Held())
		}
	}
}

func TestStreamFedBeforeDrained(t *testing.T) {
	s := NewTCP(Responses)
	frame := AppendTCP(nil, 1, 1, []byte{0x83, 2})
	s.Feed(frame[:3])
	s.Feed(slices.Concat(frame[3:], frame))
	s.Feed(frame)
	if got := take(s); len(got) != 3 {
		t.Errorf("got %+v, want 3 frames", got)
	}
}

func TestTCPKnowsLengths(t *testing.T) {
	s := NewTCP(Responses)
	own := AppendTCP(nil, 1, 1, []byte{0x64, 1, 2, 3}) // a function of a maker's own
	odd := AppendTCP(nil, 1, 1, []byte{3, 2, 0})       // cannot be
	if got := take(s, slices.Concat(odd, own)); len(got) != 1 || got[0].PDU[0] != 0x64 {
		t.Errorf("got %+v", got)
	}
}

func TestStreamAllocatesNothing(t *testing.T) {
	for _, m := range modes {
		s := m.stream(Responses)
		text := m.append([]byte("noise"), Frame{Unit: 5, PDU: []byte{3, 2, 0, 7}})
		n := testing.AllocsPerRun(100, func() {
			for piece := range slices.Chunk(text, 5) {
				s.Feed(piece)
				for _, ok := s.Next(); ok; _, ok = s.Next() {
				}
			}
		})
		if n != 0 {
			t.Errorf("%s: %v allocations, want 0", m.name, n)
		}
	}
}

func FuzzStream(f *testing.F) {
	for i, m := range modes {
		text := m.append([]byte("noise\x01\x03\xfa"), Frame{Unit: 5, PDU: []byte{3, 2, 0, 7}})
		f.Add(uint8(i), m.append(text, Frame{Unit: 6, PDU: []byte{0x83, 2}}), uint8(3))
		f.Add(uint8(i+4), m.append(text, Frame{Unit: 6, PDU: []byte{16, 0, 0, 0, 1, 2, 0, 7}}), uint8(30))
	}
	f.Fuzz(func(t *testing.T, which uint8, text []byte, step uint8) {
		m, side := modes[int(which&3)%len(modes)], Side(which>>2&1)
		whole, cut := m.stream(side), m.stream(side)
		if which&8 != 0 && len(text) > 1 {
			whole.Expect(text[0], Function(text[1]))
			cut.Expect(text[0], Function(text[1]))
		}
		want := take(whole, text)
		got := take(cut, slices.Collect(slices.Chunk(text, int(step)+1))...)
		if !sameFrames(got, want) || whole.Stats() != cut.Stats() || whole.Held() != 0 || cut.Held() != 0 {
			t.Fatalf("%s %x in pieces of %d: got %+v, %d skipped, want %+v, %d", m.name, text, step, got, cut.Stats().Skipped, want, whole.Stats().Skipped)
		}
		var bytesOf int64
		for _, f := range want {
			frame := m.append(nil, f)
			bytesOf += int64(len(frame))
			if back, err := m.parse(frame); err != nil || !same(back, f) {
				t.Fatalf("%+v became %+v, %v", f, back, err)
			}
		}
		if m.name != "ascii" && bytesOf+whole.Stats().Skipped != int64(len(text)) {
			t.Fatalf("%d bytes of frames and %d skipped of %d", bytesOf, whole.Stats().Skipped, len(text))
		}
	})
}

func BenchmarkStream(b *testing.B) {
	for _, m := range modes {
		for _, size := range []int{16, 4096} {
			b.Run(fmt.Sprintf("%s in pieces of %d", m.name, size), func(b *testing.B) {
				var text []byte
				for range 100 {
					text = m.append(text, Frame{Unit: 5, PDU: append([]byte{3, 20}, make([]byte, 20)...)})
				}
				s := m.stream(Responses)
				b.SetBytes(int64(len(text)))
				b.ReportAllocs()
				for b.Loop() {
					for piece := range slices.Chunk(text, size) {
						s.Feed(piece)
						for _, ok := s.Next(); ok; _, ok = s.Next() {
						}
					}
				}
			})
		}
	}
}
