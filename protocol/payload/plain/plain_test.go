package plain_test

import (
	"fmt"
	"math"
	"strconv"
	"testing"
	"unsafe"

	"pgregory.net/rapid"

	"sluice/protocol/payload/plain"
)

func TestFloat(t *testing.T) {
	for text, want := range map[string]float64{
		"0": 0, "-0.0": 0, "+1.5": 1.5, "000010.181": 10.181, ".5": .5, "5.": 5, "-25.0": -25, "0.1": 0.1,
		"9007199254740993": 9007199254740992, "123456789012345678.5": 123456789012345678.5,
		"0.000000000000000000001": 1e-21, "00000000000000000000000042": 42,
	} {
		if got, ok := plain.Float([]byte(text)); !ok || got != want || math.Signbit(got) && got == 0 {
			t.Errorf("Float(%s) = %v, %v", text, got, ok)
		}
	}
	for _, text := range []string{"", "+", ".", "-.", "1e5", "NaN", "inf", "0x10", "1_0", " 1", "1 ", "1.2.3", "--1", "1234567890123456789012345678901"} {
		if got, ok := plain.Float([]byte(text)); ok {
			t.Errorf("Float(%q) = %v", text, got)
		}
	}
}

func TestFloatIsTheNearest(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringMatching(`[+-]?[0-9]{1,12}(\.[0-9]{1,12})?`).Draw(t, "text")
		want, err := strconv.ParseFloat(text, 64)
		if err != nil {
			t.Fatal(err)
		}
		if got, ok := plain.Float([]byte(text)); !ok || got != want {
			t.Fatalf("Float(%s) = %v, want %v", text, got, want)
		}
	})
}

func TestInt(t *testing.T) {
	for text, want := range map[string]int64{
		"0": 0, "-7625": -7625, "+3": 3, "00015": 15, "9223372036854775807": math.MaxInt64, "-9223372036854775808": math.MinInt64,
	} {
		if got, ok := plain.Int([]byte(text)); !ok || got != want {
			t.Errorf("Int(%s) = %v, %v", text, got, ok)
		}
	}
	for _, text := range []string{"", "-", "1.0", "1.", ".", "9223372036854775808", "1e3", "0x1"} {
		if got, ok := plain.Int([]byte(text)); ok {
			t.Errorf("Int(%q) = %v", text, got)
		}
	}
}

func TestNaturalAndHex(t *testing.T) {
	if n, ok := plain.Natural([]byte("012")); n != 12 || !ok {
		t.Error(n, ok)
	}
	if n, ok := plain.Hex([]byte("01F112")); n != 0x1f112 || !ok {
		t.Error(n, ok)
	}
	for _, text := range []string{"", "-1", "1.", "1234567890"} {
		if n, ok := plain.Natural([]byte(text)); ok {
			t.Errorf("Natural(%q) = %d", text, n)
		}
	}
	for _, text := range []string{"", "0x1", "g", "1234567890abcdef"} {
		if n, ok := plain.Hex([]byte(text)); ok {
			t.Errorf("Hex(%q) = %d", text, n)
		}
	}
}

func TestWordsStayBounded(t *testing.T) {
	var w plain.Words
	for i := range 100_000 {
		w.Next()
		text := []byte(fmt.Sprintf("word %d", i))
		if got, fresh := w.Use(text); got != string(text) || !fresh {
			t.Fatal(got, fresh)
		}
		if _, fresh := w.Use(text); fresh || w.Take(string(text)) {
			t.Fatal("used twice and called fresh")
		}
		if taken := fmt.Sprint("taken ", i); !w.Take(taken) || w.Take(taken) {
			t.Fatal("taken once and not called fresh, or twice and called fresh")
		}
	}
	again := []byte("word 99999")
	if n := testing.AllocsPerRun(100, func() { w.Next(); w.Get(again) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
	if n := keptAfter(0); n > 256<<10 {
		t.Errorf("keeps %d bytes", n)
	}
	if n := keptAfter(1 << 20); n < 256<<10 || n > 1<<20 {
		t.Errorf("keeps %d bytes, want about 1 MiB", n)
	}
	long := []byte("-1234567890123456.78901234567890")
	if n := testing.AllocsPerRun(100, func() { plain.Float(long) }); n != 0 {
		t.Errorf("%v allocations for a long number", n)
	}
}

// keptAfter returns how many bytes of words with that bound are held at most
// when each message has a word of 200 bytes that never comes again. That they
// start over is seen by a word that then stands elsewhere.
func keptAfter(bound int) (most int) {
	w := plain.Words{Most: bound}
	held, first := 0, unsafe.StringData(w.Get([]byte("first")))
	for i := range 20_000 {
		w.Next()
		if at := unsafe.StringData(w.Get([]byte("first"))); at != first {
			held, first = 0, at
		}
		held += len(w.Get(fmt.Appendf(nil, "%0200d", i)))
		most = max(most, held)
	}
	return most
}
