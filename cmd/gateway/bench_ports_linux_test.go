package main

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sluice/firmware-sim/wire/pty"
)

// BenchmarkIdlePorts has 200 serial ports open at which nobody says anything,
// and waits for 200 that are missing.
func BenchmarkIdlePorts(b *testing.B) {
	for _, kind := range []string{"silent", "missing"} {
		b.Run(kind, func(b *testing.B) {
			dir := b.TempDir()
			var ports, devices strings.Builder
			for i := range 200 {
				path := filepath.Join(dir, fmt.Sprintf("port%03d", i))
				if kind == "silent" {
					p, err := pty.Open(path)
					if err != nil {
						b.Fatal(err)
					}
					b.Cleanup(func() { p.Close() })
				}
				fmt.Fprintf(&ports, "  port%03d: {serial: {port: %q, line: 9600 8N1}}\n", i, path)
				fmt.Fprintf(&devices, "  - {via: port%03d, profile: scale, device: scale%03d}\n", i, i)
			}
			g := newBench(b)
			g.run("drivers:\n" + ports.String() + `
profiles:
  scale: {decode: {regex: '^(?P<weight>[0-9.]+) kg$'}}
devices:
` + devices.String() + `
sinks:
  out: {file: {path: out.ndjson}}
`)
			g.measure(func() int64 { return 0 }, func(time.Time, time.Duration, int64) {})
		})
	}
}
