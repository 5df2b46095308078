package modbus

import (
	"bytes"
	"errors"
	"testing"

	"pgregory.net/rapid"
)

// mode is a kind of frame, for tests of all of them.
type mode struct {
	name   string
	stream func(Side) *Stream
	append func(dst []byte, f Frame) []byte
	parse  func(frame []byte) (Frame, error)
}

var modes = []mode{
	{"rtu", NewRTU, func(dst []byte, f Frame) []byte { return AppendRTU(dst, f.Unit, f.PDU) }, ParseRTU},
	{"ascii", func(Side) *Stream { return NewASCII() }, func(dst []byte, f Frame) []byte { return AppendASCII(dst, f.Unit, f.PDU) },
		func(frame []byte) (Frame, error) { return ParseASCII(nil, frame) }},
	{"tcp", NewTCP, func(dst []byte, f Frame) []byte { return AppendTCP(dst, f.Transaction, f.Unit, f.PDU) }, ParseTCP},
}

func TestFrames(t *testing.T) {
	for _, c := range []struct {
		mode int
		text string
		hex  string
		want Frame
		fail string
	}{
		{0, "", "0103 0000 000a c5cd", Frame{Unit: 1, PDU: unhex(t, "030000000a")}, ""},
		{0, "", "0207 4112", Frame{Unit: 2, PDU: []byte{7}}, ""}, // the example of the serial line specification
		{0, "", "0207 4113", Frame{}, "parse rtu frame: crc is 1241, the frame says 1341: the checksum is wrong"},
		{0, "", "020741", Frame{}, "parse rtu frame: 3 bytes, want 4 to 256"},
		{1, ":F7031389000A60\r\n", "", Frame{Unit: 0xf7, PDU: unhex(t, "031389000a")}, ""},
		{1, ":f7031389000a60\n", "", Frame{Unit: 0xf7, PDU: unhex(t, "031389000a")}, ""},
		{1, ">F7031389000A60", "", Frame{Unit: 0xf7, PDU: unhex(t, "031389000a")}, ""},
		{1, ":F7031389000A61\r\n", "", Frame{}, "parse ascii frame: lrc is 60, the frame says 61: the checksum is wrong"},
		{1, ":F7031389000A6\r\n", "", Frame{}, "parse ascii frame: encoding/hex: odd length hex string"},
		{1, ":F703138900xA60\r\n", "", Frame{}, "parse ascii frame: encoding/hex: invalid byte: U+0078 'x'"},
		{1, "F7031389000A60\r\n", "", Frame{}, "parse ascii frame: 14 characters are no frame"},
		{1, "\r\n", "", Frame{}, "parse ascii frame: 0 characters are no frame"},
		{2, "", "1501 0000 0006 ff 04 0000 0001", Frame{Unit: 0xff, Transaction: 0x1501, PDU: unhex(t, "0400000001")}, ""},
		{2, "", "1501 0001 0006 ff 04 0000 0001", Frame{}, "parse tcp frame: 15 01 00 01 00 06 ff is no head"},
		{2, "", "1501 0000 0006 ff 04 0000 00", Frame{}, "parse tcp frame: 11 bytes, want 12"},
		{2, "", "1501 0000 0001 ff", Frame{}, "parse tcp frame: 15 01 00 00 00 01 ff is no head"},
		{2, "", "1501 0000 00ff", Frame{}, "parse tcp frame: 15 01 00 00 00 ff is no head"},
		{2, "", "1501", Frame{}, "parse tcp frame: 2 bytes, want 8"},
	} {
		frame := []byte(c.text)
		if c.hex != "" {
			frame = unhex(t, c.hex)
		}
		got, err := modes[c.mode].parse(frame)
		switch {
		case c.fail != "":
			if err == nil || err.Error() != c.fail {
				t.Errorf("%q: %+v, %v, want %s", frame, got, err, c.fail)
			}
			if sum := bytes.Contains([]byte(c.fail), []byte("checksum")); errors.Is(err, ErrChecksum) != sum {
				t.Errorf("%q: %v is about a checksum: %v", frame, err, !sum)
			}
		case err != nil || !same(got, c.want):
			t.Errorf("%q: %+v, %v, want %+v", frame, got, err, c.want)
		}
	}
}

func same(a, b Frame) bool {
	return a.Unit == b.Unit && a.Transaction == b.Transaction && bytes.Equal(a.PDU, b.PDU)
}

// anyFrame draws a frame of one side.
func anyFrame(t *rapid.T, m mode, side Side) Frame {
	f := Frame{Unit: rapid.Byte().Draw(t, "unit")}
	if m.name == "tcp" {
		f.Transaction = rapid.Uint16().Draw(t, "transaction")
	}
	ask := anyRequest(t)
	var err error
	if f.PDU, err = ask.Append(nil); side == Responses {
		answer := anyAnswer(t, &ask)
		f.PDU, err = answer.Append(nil)
	}
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestFrameRoundTrip(t *testing.T) {
	for _, m := range modes {
		t.Run(m.name, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				f := anyFrame(t, m, rapid.SampledFrom([]Side{Responses, Requests}).Draw(t, "side"))
				frame := m.append([]byte("x"), f)
				if got, err := m.parse(frame[1:]); err != nil || !same(got, f) {
					t.Fatalf("%+v became %+v, %v", f, got, err)
				}
				bit := rapid.IntRange(8, len(frame)*8-1).Draw(t, "bit")
				frame[bit/8] ^= 1 << (bit % 8)
				if got, err := m.parse(frame[1:]); m.name == "rtu" && err == nil {
					t.Fatalf("with bit %d changed it is %+v", bit, got)
				}
			})
		})
	}
}

func TestCRC(t *testing.T) {
	if got := crc([]byte("123456789")); got != 0x4b37 {
		t.Errorf("the check value is %04x, want 4b37", got)
	}
	rapid.Check(t, func(t *rapid.T) {
		p := rapid.SliceOf(rapid.Byte()).Draw(t, "bytes")
		want := uint16(0xffff)
		for _, b := range p {
			want ^= uint16(b)
			for range 8 {
				want = want>>1 ^ -(want&1)&0xa001
			}
		}
		if got := crc(p); got != want {
			t.Fatalf("%x: %04x, want %04x", p, got, want)
		}
	})
}
