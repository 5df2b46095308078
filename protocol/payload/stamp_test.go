package payload

import (
	"fmt"
	"math"
	"testing"
	"time"

	"sluice/protocol"
)

func readTime(t testing.TB, format string, k kind, src string) (protocol.Timestamp, *protocol.Refusal) {
	t.Helper()
	return newStamp(&Time{Path: "ts", Format: format}).read(scalar{kind: k, src: []byte(src)})
}

func TestTime(t *testing.T) {
	tests := []struct {
		format, src string
		want        int64
	}{
		{"unix", "1763805600", 1763805600e9},
		{"unix", "1763805600.25", 1763805600_250000000},
		{"unix", "1763805600.123456", 1763805600_123456000},
		{"unix", "1763805600.123456789999", 1763805600_123456789},
		{"unix", "1763805600.00000000000000000000000001", 1763805600e9},
		{"unix", "1.7638056e9", 1763805600e9},
		{"unix", "-1.5", -1_500000000},
		{"unix", "0", 0},
		{"unix", " 1763805600 ", 1763805600e9},
		{"unix", "9223372036.854775807", math.MaxInt64},
		{"unix_ms", "1763805600250", 1763805600_250000000},
		{"unix_ms", "1763805600250.5", 1763805600_250500000},
		{"unix_us", "1763805600250001", 1763805600_250001000},
		{"unix_ns", "1763805600250001002", 1763805600_250001002},
		{"unix_ns", "-9223372036854775807", -math.MaxInt64},
		{"rfc3339", "2025-11-22T10:00:00Z", 1763805600e9},
		{"rfc3339", "2025-11-22T11:00:00.000000001+01:00", 1763805600_000000001},
		{"2006-01-02 15:04:05", "2025-11-22 10:00:00", 1763805600e9},
		{"2006-01-02 15:04:05", "2025-11-22 10:00:00.5", 1763805600_500000000},
		{"02.01.2006 15:04 -0700", "22.11.2025 12:00 +0200", 1763805600e9},
		{"20060102150405", "20251122100000", 1763805600e9},
	}
	for _, tt := range tests {
		if got, err := readTime(t, tt.format, bareText, tt.src); err != nil || got != protocol.Timestamp(tt.want) {
			t.Errorf("%s %q: got %d, %v, want %d", tt.format, tt.src, got, err, tt.want)
		}
	}
}

func TestTimeRefused(t *testing.T) {
	for _, tt := range [][2]string{
		{"unix", "now"}, {"unix", ""}, {"unix", "NaN"}, {"unix", "0x10"}, {"unix", "9223372037"}, {"unix", "-9223372037"},
		{"unix", "1e99999999999"}, {"unix", "99999999999999999999999999"}, {"unix_ms", "9223372036855"}, {"unix_ns", "9223372036854775808"},
		{"rfc3339", "2025-11-22"}, {"rfc3339", "2025-13-22T10:00:00Z"}, {"rfc3339", "1600-01-01T00:00:00Z"}, {"rfc3339", "2300-01-01T00:00:00Z"},
		{"2006-01-02", "22.11.2025"},
	} {
		if got, err := readTime(t, tt[0], bareText, tt[1]); err == nil || err.Reason != "time" {
			t.Errorf("%s %q: got %d, %v, want an error", tt[0], tt[1], got, err)
		}
	}
}

func TestTimeAppend(t *testing.T) {
	const at = protocol.Timestamp(1763805600_250001002)
	for format, want := range map[string]string{
		"unix": "1763805600.250001002", "unix_ms": "1763805600250.001002", "unix_us": "1763805600250001.002", "unix_ns": "1763805600250001002",
		"rfc3339": "2025-11-22T10:00:00.250001002Z", "2006-01-02 15:04:05": "2025-11-22 10:00:00",
	} {
		tm := Time{Format: format}
		if got := string(tm.Append([]byte(">"), at)); got != ">"+want {
			t.Errorf("%s: got %s, want %s", format, got, want)
		}
		if got := tm.IsNumber(); got != (format[0] == 'u') {
			t.Errorf("%s: IsNumber is %v", format, got)
		}
	}
	for ts, want := range map[protocol.Timestamp]string{
		0: "0", 1763805600e9: "1763805600", -1_500000000: "-1.5", 1: "0.000000001", math.MinInt64: "-9223372036.854775808",
	} {
		if got := string(Time{Format: "unix"}.Append(nil, ts)); got != want {
			t.Errorf("%d: got %s, want %s", ts, got, want)
		}
	}
}

func FuzzTime(f *testing.F) {
	f.Add("1763805600.25", int64(1763805600_250001002))
	f.Add("2025-11-22T10:00:00+01:00", int64(-1))
	f.Add("1e-5", int64(math.MinInt64+1))
	formats := []string{"unix", "unix_ms", "unix_us", "unix_ns", "rfc3339", "2006-01-02T15:04:05.999999999Z07:00", "02/01/06 3:04:05 PM"}
	f.Fuzz(func(t *testing.T, src string, ns int64) {
		for i, format := range formats {
			for _, k := range []kind{textNode, numberNode, bareText} {
				if _, err := readTime(t, format, k, src); err != nil && err.Reason != "time" {
					t.Fatalf("%s %q: %v", format, src, err)
				}
			}
			if i == len(formats)-1 || ns == math.MinInt64 {
				continue
			}
			sent := string(Time{Format: format}.Append(nil, protocol.Timestamp(ns)))
			if got, err := readTime(t, format, bareText, sent); err != nil || got != protocol.Timestamp(ns) {
				t.Fatalf("%s: %d was sent as %s and read as %d, %v", format, ns, sent, got, err)
			}
		}
	})
}

func TestTimeAllocates(t *testing.T) {
	s := newStamp(&Time{Path: "ts", Format: "rfc3339"})
	text := scalar{kind: textNode, src: []byte(fmt.Sprintf("%q", time.Unix(1763805600, 250).UTC().Format(time.RFC3339Nano)))}
	text.src = text.src[1 : len(text.src)-1]
	n := testing.AllocsPerRun(100, func() {
		if _, err := s.read(text); err != nil {
			t.Fatal(err)
		}
	})
	if n != 0 {
		t.Errorf("%v allocations, want 0", n)
	}
}
