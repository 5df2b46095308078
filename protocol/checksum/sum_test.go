package checksum

import (
	"bytes"
	"slices"
	"strings"
	"testing"
)

var digits = []byte("123456789")

func TestCatalogue(t *testing.T) {
	for _, m := range catalogue {
		s, ok := Lookup(m.name)
		if !ok || s.Name() != m.name || s.Width() != m.bits/8 {
			t.Fatalf("Lookup(%q) = %q of %d bytes, %v", m.name, s.Name(), s.Width(), ok)
		}
		if got := s.Of(digits); got != m.check {
			t.Errorf("%s of 123456789 is %#x, want %#x", m.name, got, m.check)
		}
		if got := bitwise(m, digits[:4]); s.Of(digits[:4]) != got {
			t.Errorf("%s of 1234 is %#x, bit by bit %#x", m.name, s.Of(digits[:4]), got)
		}
	}
}

// bitwise computes a CRC as its definition says.
func bitwise(m model, p []byte) uint64 {
	reg, top := m.init, uint64(1)<<(m.bits-1)
	mask := top<<1 - 1
	for _, c := range p {
		for bit := range 8 {
			in := c >> (7 - bit) & 1
			if m.reflect {
				in = c >> bit & 1
			}
			out := reg&top != 0
			reg = reg << 1 & mask
			if out != (in == 1) {
				reg ^= m.poly
			}
		}
	}
	if m.reflect {
		var mirrored uint64
		for i := range m.bits {
			mirrored |= reg >> i & 1 << (m.bits - 1 - i)
		}
		reg = mirrored
	}
	return reg ^ m.xorout
}

func TestPlain(t *testing.T) {
	for _, test := range []struct {
		name, in string
		want     uint64
	}{
		{"sum8", "123456789", 0xdd},
		{"sum8-complement", "123456789", 0x23},
		{"sum8-inverted", "123456789", 0x22},
		{"sum16", "123456789", 0x1dd},
		{"lrc", "\x01\x03\x01\x0a", 0xf1},
		{"xor", "GPGLL,5300.97914,N,00259.98174,E,125926,A", 0x28},
		{"xor", "", 0},
		{"sum8-complement", "", 0},
		{"sum16", strings.Repeat("\xff", 0x200), 0xfe00},
	} {
		s, ok := Lookup(test.name)
		if got := s.Of([]byte(test.in)); !ok || got != test.want {
			t.Errorf("%s of %q is %#x, want %#x", test.name, test.in, got, test.want)
		}
	}
}

func TestLookup(t *testing.T) {
	for alias, name := range map[string]string{
		"crc-16/modbus":      "CRC-16/MODBUS",
		"CRC-16/CCITT-FALSE": "CRC-16/IBM-3740",
		"crc-32":             "CRC-32/ISO-HDLC",
		"CRC-32C":            "CRC-32/ISCSI",
		"XOR":                "xor",
	} {
		if s, ok := Lookup(alias); !ok || s.Name() != name {
			t.Errorf("Lookup(%q) is %q, want %q", alias, s.Name(), name)
		}
	}
	for _, a := range aliases {
		s, ok := Lookup(a.alias)
		if !ok || s.Name() != a.name || slices.Contains(Names(), a.alias) {
			t.Errorf("alias %q leads to %q, want %q", a.alias, s.Name(), a.name)
		}
	}
	if s, ok := Lookup("CRC-16/NONE"); ok || s.Of(digits) != 0 || s.Width() != 0 || s.Name() != "" {
		t.Errorf("found %+v under a name that nothing has", s)
	}
}

func TestNames(t *testing.T) {
	names := Names()
	if len(names) != len(catalogue)+len(plain) {
		t.Errorf("%d names", len(names))
	}
	for i, n := range names {
		if _, ok := Lookup(n); !ok || slices.Contains(names[:i], n) {
			t.Errorf("%q is not found, or there twice", n)
		}
	}
}

func TestAppend(t *testing.T) {
	s, _ := Lookup("CRC-24/OPENPGP")
	if got := s.Append([]byte("x"), digits, false); !bytes.Equal(got, []byte("x\x21\xcf\x02")) {
		t.Errorf("big: % x", got)
	}
	if got := s.Append(nil, digits, true); !bytes.Equal(got, []byte("\x02\xcf\x21")) {
		t.Errorf("little: % x", got)
	}
}

func TestOfAllocatesNothing(t *testing.T) {
	for _, name := range Names() {
		s, _ := Lookup(name)
		if n := testing.AllocsPerRun(10, func() { s.Of(digits) }); n != 0 {
			t.Errorf("%s allocates %v times", name, n)
		}
	}
}

func BenchmarkOf(b *testing.B) {
	p := bytes.Repeat(digits, 28)
	for _, name := range []string{"xor", "CRC-8/MAXIM-DOW", "CRC-16/MODBUS", "CRC-16/XMODEM", "CRC-32/BASE91-D", "CRC-32/ISO-HDLC"} {
		s, _ := Lookup(name)
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(p)))
			for b.Loop() {
				s.Of(p)
			}
		})
	}
}
