package bus

import (
	"bytes"
	"testing"
	"testing/synctest"
	"time"

	"sluice/protocol/modbus"
)

func TestParseLine(t *testing.T) {
	for text, want := range map[string]timing{
		"9600 8E1":   {11 * time.Second / 9600, 7 * (11 * time.Second / 9600) / 2},
		"9600":       {10 * time.Second / 9600, 7 * (10 * time.Second / 9600) / 2},
		"19200 8n2":  {11 * time.Second / 19200, 7 * (11 * time.Second / 19200) / 2},
		"115200 8N1": {10 * time.Second / 115200, fastGap},
		"1000 7o1":   {10 * time.Millisecond, 35 * time.Millisecond},
	} {
		if got, err := parseLine(text); err != nil || got != want {
			t.Errorf("%s: %v, %v, want %v", text, got, err, want)
		}
	}
}

// TestAnswerTakesItsTime checks the moment at which the last byte arrives, to the
// nanosecond, and that no byte comes before its time.
func TestAnswerTakesItsTime(t *testing.T) {
	for _, line := range []string{"1200 8N1", "9600 8E1", "19200 8E1", "115200 8N1"} {
		synctest.Test(t, func(t *testing.T) {
			r := play(t, Options{Line: line, Turnaround: 40 * time.Millisecond}, meter(1))
			char := r.master.timing.char
			time.Sleep(time.Second)
			start := time.Now()
			r.post(1, read2) // 8 bytes; the answer has 9
			begin := start.Add(8*char + 40*time.Millisecond)
			for n := 0; n < 9; {
				p, err := r.read(start.Add(time.Second))
				if err != nil {
					t.Fatal(err)
				}
				n += len(p)
				if late := time.Since(begin.Add(time.Duration(n) * char)); late < 0 || late > char {
					t.Errorf("%s: %d bytes came %v late", line, n, late)
				}
			}
			if late := time.Since(begin.Add(9 * char)); late != 0 {
				t.Errorf("%s: the last byte came %v late", line, late)
			}
			demand(t, r.Bus)
		})
	}
}

func TestTurnaroundOfASlave(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow := meter(2)
		slow.Turnaround, slow.Jitter = 100*time.Millisecond, 50*time.Millisecond
		r := play(t, Options{Line: "9600", Turnaround: time.Nanosecond}, meter(1), slow)
		char := r.master.timing.char
		for unit, want := range map[uint8][2]time.Duration{1: {r.master.timing.gap}, 2: {100 * time.Millisecond, 50 * time.Millisecond}} {
			differs := false
			for last := time.Duration(0); !differs; {
				time.Sleep(time.Second)
				start := time.Now()
				if _, err := r.ask(unit, read2); err != nil {
					t.Fatal(err)
				}
				took := time.Since(start) - 17*char
				if took < want[0] || took > want[0]+want[1] {
					t.Errorf("unit %d turned round in %v, want %v", unit, took, want)
				}
				differs = want[1] == 0 || last != 0 && last != took
				last = took
			}
		}
	})
}

// TestRequestInPieces has a request come in pieces, after noise, and broken off.
func TestRequestInPieces(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := play(t, fast, meter(1))
		pdu, _ := read2.Append(nil)
		want := modbus.AppendRTU(nil, 1, []byte{3, 4, 0, 1, 0, 2})
		p := modbus.AppendRTU(nil, 1, pdu)
		for i := range p {
			r.write(p[i : i+1])
			time.Sleep(time.Millisecond)
		}
		if got := r.listen(time.Second); !bytes.Equal(got, want) {
			t.Errorf("in pieces: % x", got)
		}
		r.got = nil
		r.write(p[:4])
		time.Sleep(time.Second)
		r.write(p)
		if got := r.listen(time.Second); !bytes.Equal(got, want) {
			t.Errorf("after one that was broken off: % x", got)
		}
		r.got = nil
		r.write(append([]byte{1, 16, 0, 0}, p...))
		if got := r.listen(time.Second); !bytes.Equal(got, want) {
			t.Errorf("after noise: % x", got)
		}
		if s := r.Stats(); s.Skipped != 8 || s.Requests != 3 {
			t.Errorf("%+v", s)
		}
		demand(t, r.Bus)
	})
}
