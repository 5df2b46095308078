package influx

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"math/rand/v2"
	"syscall"
	"testing"
	"time"

	"sluice/protocol"
	"sluice/sink/lineproto"
)

// plantLines returns n lines of 50 devices with three drifting values each.
func plantLines(tb testing.TB, n int) []byte {
	encoder, err := lineproto.New("plant-7", lineproto.DefaultFormat())
	if err != nil {
		tb.Fatal(err)
	}
	random := rand.New(rand.NewPCG(1, 2))
	var lines []byte
	for i := range n {
		r := protocol.Reading{
			Device:     &protocol.Device{Name: fmt.Sprint("sensor-", i%50), Profile: "climate", Driver: "floor", Tags: []protocol.Tag{{Key: "area", Value: fmt.Sprint("hall-", i%5)}}},
			SourceTime: protocol.Timestamp(1763805600123456789 + int64(i)*20_000_000 + random.Int64N(1_000_000)),
			Metrics: []protocol.Metric{
				{Name: "temperature", Value: protocol.Float(float64(2000+random.IntN(300)) / 100)},
				{Name: "humidity", Value: protocol.Float(float64(400+random.IntN(80)) / 10)},
				{Name: "battery", Value: protocol.Int(int64(3300 - random.IntN(50)))},
				{Name: "state", Value: protocol.String("running")},
			},
		}
		if lines, err = encoder.Append(lines, &r); err != nil {
			tb.Fatal(err)
		}
	}
	return lines
}

// BenchmarkGzip measures the levels; what it found stands at gzipLevel.
func BenchmarkGzip(b *testing.B) {
	for _, n := range []int{10, 1000, 5000} {
		lines := plantLines(b, n)
		for _, level := range []int{1, 2, 3, 4, 5, 6, 9} {
			b.Run(fmt.Sprintf("lines=%d/level=%d", n, level), func(b *testing.B) {
				var packed bytes.Buffer
				zip, err := gzip.NewWriterLevel(&packed, level)
				if err != nil {
					b.Fatal(err)
				}
				b.SetBytes(int64(len(lines)))
				b.ReportAllocs()
				begin := processorTime(b)
				for b.Loop() {
					packed.Reset()
					zip.Reset(&packed)
					_, _ = zip.Write(lines)
					_ = zip.Close()
				}
				b.ReportMetric(float64(len(lines))/float64(packed.Len()), "ratio")
				b.ReportMetric(float64(processorTime(b)-begin)/float64(b.N)/float64(n), "cpu-ns/line")
				b.ReportMetric(float64(packed.Len())/float64(n), "B/line")
			})
		}
	}
}

// processorTime returns what this process has used: other than the time of day it
// tells the levels apart on a busy machine.
func processorTime(tb testing.TB) time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		tb.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
