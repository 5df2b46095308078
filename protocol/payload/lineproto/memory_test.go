package lineproto

import (
	"runtime"
	"strings"
	"testing"

	"sluice/protocol"
)

// TestMemoryIsBounded sends what costs most: for each byte of a message, a
// decoder asks for so many bytes at most.
func TestMemoryIsBounded(t *testing.T) {
	const most = 100
	for name, message := range map[string]string{
		"metrics":    "m x0=1" + many(",x%d=1", maxMetrics-1),
		"too many":   "m x0=1" + many(",%x=1", 20_000),
		"tags":       "m" + many(",%x=1", maxTags) + " x=1",
		"many tags":  "m" + many(",%x=1", 20_000) + " x=1",
		"series":     many("%x x=1\n", maxMetrics),
		"short":      strings.Repeat("m x=1\n", maxMetrics),
		"texts":      "m x0=1" + many(",x%[1]d=\"%[1]d\"", maxMetrics-1),
		"escapes":    `m x="` + strings.Repeat(`\"`, 400_000) + `"`,
		"long names": "m" + strings.Repeat("x", 500_000) + " " + strings.Repeat("y", 500_000) + "=1",
	} {
		d := New(DefaultConfig())
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		err := d.Decode(&protocol.Batch{}, []byte(message))
		runtime.ReadMemStats(&after)
		times := int(after.TotalAlloc-before.TotalAlloc) / len(message)
		if times > most {
			t.Errorf("%s (%v): %d bytes for each byte, want at most %d", name, err, times, most)
		}
	}
}
