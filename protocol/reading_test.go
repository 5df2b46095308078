package protocol

import (
	"math"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestIDRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		id := ID{rapid.Uint64().Draw(t, "epoch"), rapid.Uint64().Draw(t, "seq")}
		if got, err := ParseID(id.String()); err != nil || got != id {
			t.Fatalf("%+v became %q, read back as %+v, %v", id, id, got, err)
		}
	})
	for id, want := range map[ID]string{
		{}:                          "0000000000000000-0",
		{0xf1, 17}:                  "00000000000000f1-17",
		{math.MaxUint64, 1<<64 - 1}: "ffffffffffffffff-18446744073709551615",
	} {
		if got := id.String(); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

func TestParseIDRefuses(t *testing.T) {
	for _, s := range []string{
		"", "-", "00000000000000f1", "00000000000000f1-", "00000000000000f1-x", "00000000000000f1--1", "00000000000000f1-18446744073709551616",
		"0000000000000xf1-1", "00000000000000f11-1", "f1-17", "+0000000000000f1-1", "00000000000000f1-+1", " 0000000000000f1-1",
	} {
		if id, err := ParseID(s); err == nil {
			t.Errorf("%q was read as %+v", s, id)
		} else if !strings.Contains(err.Error(), "parse reading id") {
			t.Errorf("%q: %v", s, err)
		}
	}
}

func FuzzParseID(f *testing.F) {
	f.Add("00000000000000f1-17")
	f.Fuzz(func(t *testing.T, s string) {
		id, err := ParseID(s)
		if err != nil {
			return
		}
		if again, err := ParseID(id.String()); err != nil || again != id {
			t.Fatalf("%q: %+v became %+v, %v", s, id, again, err)
		}
	})
}

func TestReadingTime(t *testing.T) {
	r := Reading{ReceivedTime: 2}
	if r.Time() != 2 {
		t.Errorf("without a source time the time is %d, want 2", r.Time())
	}
	if r.SourceTime = -1; r.Time() != -1 {
		t.Errorf("with a source time the time is %d, want -1", r.Time())
	}
	at := time.Date(2025, 11, 22, 11, 0, 0, 1, time.FixedZone("", 3600))
	if got := At(at).Time(); !got.Equal(at) || got.Location() != time.UTC {
		t.Errorf("%v became %v", at, got)
	}
}
