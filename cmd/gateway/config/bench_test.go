package config

import (
	"fmt"
	"strings"
	"testing"
)

// BenchmarkParse reads a file with 10,000 device rows.
func BenchmarkParse(b *testing.B) {
	var text strings.Builder
	text.WriteString("gateway: g\npipeline: {dir: d}\nsinks: {s: {nats: {url: \"nats://127.0.0.1\"}}}\n")
	text.WriteString("drivers: {floor: {mqtt: {url: \"mqtt://127.0.0.1\"}}}\nprofiles: {p: {decode: json}}\ndevices:\n")
	for i := range 10_000 {
		fmt.Fprintf(&text, "  - {via: floor, profile: p, topic: plant/hall/d%d, device: d%d, tags: {area: hall}}\n", i, i)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Parse("f", []byte(text.String()), Options{}); err != nil {
			b.Fatal(err)
		}
	}
}
