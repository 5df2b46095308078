package frame

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"time"

	"sluice/protocol/checksum"
)

func ptr[T any](v T) *T { return &v }

// say splits a conversation: the line is quiet where it has "(quiet)".
func say(text string) []piece {
	var pieces []piece
	for _, part := range strings.SplitAfter(text, "(quiet)") {
		said, isQuiet := strings.CutSuffix(part, "(quiet)")
		pieces = append(pieces, piece{[]byte(said), isQuiet})
	}
	return pieces
}

// TestReaders holds what single kinds do, byte by byte and in one piece.
func TestReaders(t *testing.T) {
	nmea, optional := Config{NMEA: &NMEA{}}, Config{NMEA: &NMEA{Checksum: "optional"}}
	dsmr, sml, mbus := Config{DSMR: &DSMR{}}, Config{SML: &SML{}}, Config{MBus: &MBus{}}
	slip, victron, modbus := Config{SLIP: &SLIP{}}, Config{VEDirect: &VEDirect{}}, Config{ModbusRTU: &ModbusRTU{}}
	gll := "$GPGLL,5300.97914,N,00259.98174,E,125926,A*28"
	old := "/ISk5\\2MT382-1003\r\n\r\n0-0:96.1.1(01)\r\n1-0:1.8.1(00001.001*kWh)\r\n!"
	block := string(AppendVEDirect(nil, []byte("\r\nPID\t0xA053\r\nV\t12800")))
	file := "v\x1b\x1b\x1b\x1b\x1b\x1bw\x1b\x1b"
	transport := string(AppendSML(nil, []byte(file)))
	old16, _ := checksum.Lookup("CRC-16/KERMIT")
	kermit := string(AppendSML(nil, []byte("vwxy")))
	kermit = string(old16.Append([]byte(kermit[:18]), []byte(kermit[:18]), true))
	short := string(AppendMBusShort(nil, 0x7b, 1))
	ask := string(AppendModbusRTU(nil, []byte{1, 3, 4, 0, 0, 2}))
	answer := "\x11\x03\x04\x1b\x10\x07\x7a\x6f\x00" // without its last byte it is a request
	own := string(AppendModbusRTU(nil, []byte{17, 65, 1, 2, 3}))

	for _, test := range []struct {
		name   string
		config Config
		said   string
		want   []string
		stats  Stats
	}{
		{"default", DefaultConfig(), "a\r\nb\nc", []string{"a", "b"}, Stats{Frames: 2}},
		{"a line that is cut off", Config{Lines: &Lines{}}, "a(quiet)b\n", []string{"b"}, Stats{Frames: 1, Bad: 1, Skipped: 1}},

		{"sentence", nmea, gll + "\r\n", []string{gll}, Stats{Frames: 1}},
		{"lower case digits, blanks, LF", nmea, "$A,1*5c  \n", []string{"$A,1*5c"}, Stats{Frames: 1}},
		{"wrong checksum", nmea, "$GPGLL,1*28\r\n" + gll + "\r", []string{gll}, Stats{Frames: 1, Bad: 1, Skipped: 11}},
		{"cut sentence", nmea, "$GPGLL,5300." + gll + "\r\n", []string{gll}, Stats{Frames: 1, Bad: 1, Skipped: 12}},
		{"no checksum", nmea, "$GPGLL,1\r\n", nil, Stats{Bad: 1, Skipped: 8}},
		{"no checksum wanted", optional, "$GPGLL,1\r\n$GPGLL,2$GPGLL,3\r\n" + gll + "\r\n", []string{"$GPGLL,1", "$GPGLL,3", gll}, Stats{Frames: 3, Bad: 1, Skipped: 8}},
		{"text and binary between", nmea, "# hello!\r\n\xb5\x62$\x00" + gll + "\n", []string{gll}, Stats{Frames: 1, Skipped: 12}},

		{"telegram without checksum", dsmr, old + "\r\n" + old + "\r\n", []string{old, old}, Stats{Frames: 2}},
		{"telegram cut off", dsmr, old[:30] + old + "\r\n", []string{old}, Stats{Frames: 1, Bad: 1, Skipped: 30}},
		{"telegram without values", dsmr, "/ISk5\r\n!\r\n", nil, Stats{Bad: 1, Skipped: 8}},
		{"telegram that lost its checksum", dsmr, "/KFM5\r\n\r\n1-3:0.2.8(50)\r\n!\r\n", nil, Stats{Bad: 1, Skipped: 25}},

		{"escapes in a file", sml, transport, []string{file}, Stats{Frames: 1}},
		{"a meter's own checksum", sml, kermit, []string{"vwxy"}, Stats{Frames: 1}},
		{"another meter's checksum", sml, transport + kermit, []string{file}, Stats{Frames: 1, Bad: 1, Skipped: 20}},
		{"file begun anew", sml, transport[:20] + transport, []string{file}, Stats{Frames: 1, Bad: 1, Skipped: 20}},
		{"escape in front", sml, "\x1b\x1b" + transport, []string{file}, Stats{Frames: 1, Skipped: 2}},

		{"acknowledgement", mbus, "\xe5" + short + "\xe5", []string{"\xe5", short, "\xe5"}, Stats{Frames: 3}},
		{"acknowledgement in noise", mbus, "\x01\xe5" + short, []string{short}, Stats{Frames: 1, Skipped: 2}},

		{"escapes in a packet", slip, "\xc0a\xdb\xdcb\xdb\xddc\xc0", []string{"a\xc0b\xdbc"}, Stats{Frames: 1}},
		{"escape of nothing", slip, "\xc0a\xdb\xc0ok\xc0a\xdbb\xc0", []string{"ok"}, Stats{Frames: 1, Bad: 2, Skipped: 5}},

		{"records between and inside", victron, block + ":A0102000543\n" + block[:13] + ":A0102000543\n" + block[13:] + block, []string{block, block, block}, Stats{Frames: 3}},
		{"block joined late", victron, "5\r\nV\t12800\r\nChecksum\t\x00" + block, []string{block}, Stats{Frames: 1, Bad: 1, Skipped: 22}},
		{"block joined at its end", victron, "\r\nChecksum\t\xad" + block, []string{block}, Stats{Frames: 1, Skipped: 12}},

		{"request and answer", modbus, ask + answer + "(quiet)", []string{ask, answer}, Stats{Frames: 2}},
		{"exception", modbus, "\x11\x83\x02\xc1\x34", []string{"\x11\x83\x02\xc1\x34"}, Stats{Frames: 1}},
		{"function of one's own", modbus, own + "(quiet)" + ask + "(quiet)", []string{own, ask}, Stats{Frames: 2}},
		{"a function nobody knows", modbus, "\x11\x41\x01\x02(quiet)" + answer, []string{answer}, Stats{Frames: 1, Bad: 1, Skipped: 4}},

		{"idle", Config{Idle: &Idle{}}, "ab(quiet)(quiet)c(quiet)d", []string{"ab", "c"}, Stats{Frames: 2}},
		{"too long for idle", Config{Idle: &Idle{Max: 16}}, "12345678901234567890(quiet)c(quiet)", []string{"c"}, Stats{Frames: 1, TooLong: 1, Skipped: 20}},

		{"a length that is too long", Config{Prefixed: &Prefixed{Sync: "A", Offset: 1, Max: 16}}, "A\xff" + "A\x02ok", []string{"A\x02ok"}, Stats{Frames: 1, TooLong: 1, Skipped: 2}},
		{"a false beginning", Config{Prefixed: &Prefixed{Sync: "A", Offset: 1, Checksum: &Checksum{Name: "xor"}}}, "A\x05A\x02b\x21zz", []string{"A\x02b\x21"}, Stats{Frames: 1, Bad: 1, Skipped: 4}},
		{"a payload without bytes", Config{Delimited: &Delimited{Start: "<", End: ">"}}, "<><a>", []string{"a"}, Stats{Frames: 1}},
		{"delimited, end lost", Config{Delimited: &Delimited{Start: "<", End: ">"}}, "<a<b>c<d(quiet)", []string{"b"}, Stats{Frames: 1, Bad: 2, Skipped: 5}},
		{"no start", Config{Delimited: &Delimited{End: ";"}}, "a;b;c(quiet)d;", []string{"a", "b", "d"}, Stats{Frames: 3, Bad: 1, Skipped: 1}},
		{"overlong", Config{Lines: &Lines{Terminator: ";", Max: 16}}, strings.Repeat("x", 40) + ";ok;", []string{"ok"}, Stats{Frames: 1, TooLong: 1, Skipped: 40}},
	} {
		t.Run(test.name, func(t *testing.T) {
			for _, step := range []int{1, 1000} {
				got, r := listen(t, test.config, step, say(test.said)...)
				if !slices.Equal(got, test.want) || r.Stats() != test.stats {
					t.Errorf("in steps of %d:\n got %q %+v\nwant %q %+v", step, got, r.Stats(), test.want, test.stats)
				}
			}
		})
	}
}

func TestChecksumPlaces(t *testing.T) {
	for _, test := range []struct {
		name     string
		checksum Checksum
		frame    string
		ok       bool
	}{
		{"last", Checksum{Name: "xor"}, "ab\x03", true},
		{"last, wrong", Checksum{Name: "xor"}, "ab\x04", false},
		{"little", Checksum{Name: "sum16", Order: "little"}, "ab\xc3\x00", true},
		{"big", Checksum{Name: "sum16", Order: "big"}, "ab\x00\xc3", true},
		{"first", Checksum{Name: "xor", At: ptr(0), From: ptr(1)}, "\x03ab", true},
		{"in the middle", Checksum{Name: "sum8", At: ptr(-2), From: ptr(1)}, "xab\xc3z", true},
		{"up to its place", Checksum{Name: "sum8", To: ptr(-2)}, "ab*\xc3", true},
		{"from the end", Checksum{Name: "sum8", From: ptr(-3)}, "xxxab\xc3", true},
		{"digits", Checksum{Name: "xor", After: "*"}, "ab*03", true},
		{"digits, with the mark", Checksum{Name: "xor", After: "*"}, "a*b*29", true},
		{"digits, too few", Checksum{Name: "xor", After: "*"}, "ab*3", false},
		{"no digits", Checksum{Name: "xor", After: "*"}, "ab*0g", false},
		{"no mark", Checksum{Name: "xor", After: "*"}, "ab", false},
		{"too short for it", Checksum{Name: "CRC-32"}, "ab", false},
		{"out of the frame", Checksum{Name: "xor", At: ptr(9)}, "ab\x03", false},
		{"the wrong way round", Checksum{Name: "xor", From: ptr(2), To: ptr(1)}, "ab\x03", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, _ := listen(t, Config{Idle: &Idle{Checksum: &test.checksum}}, 10, piece{[]byte(test.frame), true})
			if (len(got) == 1) != test.ok {
				t.Errorf("got %q", got)
			}
		})
	}
}

func TestStripped(t *testing.T) {
	for name, c := range map[string]Config{
		"slip":    {SLIP: &SLIP{Checksum: &crc32}},
		"digits":  {Lines: &Lines{Checksum: &Checksum{Name: "xor", After: "*"}}},
		"trailer": {Delimited: &Delimited{Start: "<", End: ">", Trailer: 1, Checksum: &Checksum{Name: "lrc"}}},
	} {
		const payload = "payload"
		got, _ := listen(t, c, 3, piece{Append(c, nil, []byte(payload)), true})
		if len(got) != 1 || got[0] != payload {
			t.Errorf("%s: got %q, want %q", name, got, payload)
		}
	}
}

func TestReset(t *testing.T) {
	for _, s := range samples() {
		r, err := New(s.config)
		if err != nil {
			t.Fatal(err)
		}
		whole := s.encode(nil, s.payload([]byte("0123456789")))
		r.Feed(whole[:len(whole)-1])
		if f, ok := r.Next(); ok && s.name != "lines checked" && s.name != "nmea" && s.name != "dsmr" && s.name != "lines" {
			t.Errorf("%s: a part gave %q", s.name, f)
		}
		r.Reset()
		r.Feed(whole)
		r.Idle()
		if f, ok := r.Next(); !s.idle && (!ok || string(f) != string(s.payload([]byte("0123456789")))) {
			t.Errorf("%s: after a reset %q, %v", s.name, f, ok)
		}
	}
}

func TestFedBeforeDrained(t *testing.T) {
	r, err := New(Config{SLIP: &SLIP{}})
	if err != nil {
		t.Fatal(err)
	}
	r.Feed([]byte("a\xc0b\xc0c"))
	r.Next()
	r.Feed([]byte("d\xc0"))
	for _, want := range []string{"b", "cd"} {
		if f, ok := r.Next(); !ok || string(f) != want {
			t.Errorf("got %q, want %q", f, want)
		}
	}
}

func TestGap(t *testing.T) {
	for want, c := range map[time.Duration]Config{
		0:                     {Lines: &Lines{}},
		20 * time.Millisecond: {ModbusRTU: &ModbusRTU{}},
		5 * time.Millisecond:  {Idle: &Idle{Gap: 5 * time.Millisecond}},
		time.Second:           {Fixed: &Fixed{Length: 9, Gap: time.Second}},
		time.Minute:           {Prefixed: &Prefixed{Gap: time.Minute}},
	} {
		if got := c.Gap(); got != want {
			t.Errorf("%+v: %v, want %v", c, got, want)
		}
	}
}

// TestEscapesOfSML sends every short file of the bytes that SML's transport
// gives a meaning to.
func TestEscapesOfSML(t *testing.T) {
	const letters = "\x1b\x1a\x00"
	r, err := New(Config{SML: &SML{}})
	if err != nil {
		t.Fatal(err)
	}
	var wire []byte
	for n, count := 1, len(letters); n <= 9; n, count = n+1, count*len(letters) {
		for i := range count {
			file := make([]byte, n)
			for at, rest := 0, i; at < n; at, rest = at+1, rest/len(letters) {
				file[at] = letters[rest%len(letters)]
			}
			wire = AppendSML(wire[:0], file)
			r.Feed(wire)
			if got, ok := r.Next(); !ok || string(got) != string(file) {
				t.Fatalf("% x came back as % x from % x", file, got, wire)
			}
			r.Next()
		}
	}
}

func TestBlocksOfCOBS(t *testing.T) {
	for n := range 800 {
		full := bytes.Repeat([]byte{byte(n) | 1}, n)
		for _, payload := range [][]byte{full, append(bytes.Clone(full), 0), append([]byte{0}, full...), append(append(bytes.Clone(full), 0), full...)} {
			for name, kind := range map[string]Config{"cobs": {COBS: &COBS{}}, "cobsr": {COBSR: &COBS{}}} {
				wire := Append(kind, nil, payload)
				if zero := bytes.IndexByte(wire, 0); zero != len(wire)-1 || len(wire) > len(payload)+2+len(payload)/254 {
					t.Fatalf("%s: %d bytes become %d, with a zero at %d", name, len(payload), len(wire), zero)
				}
				if got, _ := listen(t, kind, len(wire), piece{wire, false}); len(payload) > 0 && (len(got) != 1 || got[0] != string(payload)) {
					t.Fatalf("%s: % x came back as % x", name, payload, got)
				}
			}
		}
	}
}
