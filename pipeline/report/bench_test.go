package report

import (
	"fmt"
	"log/slog"
	"testing"
	"time"

	"sluice/protocol"
)

// load is readings of many devices in turn, each of four numbers.
type load struct {
	desk    *Desk
	devices []*protocol.Device
	batch   protocol.Batch
	now     protocol.Timestamp
	next    int
}

type nobody struct{}

func (nobody) Superseded() {}

func newLoad(rules protocol.Reports) *load {
	l := &load{desk: New(time.Unix(1_800_000_000, 0), slog.New(slog.DiscardHandler)), now: 1_800_000_000e9}
	for i := range 1000 {
		l.devices = append(l.devices, &protocol.Device{Name: fmt.Sprint("s", i), Profile: "climate", Driver: "floor", Reports: &rules})
	}
	return l
}

// decide brings a batch of n readings.
func (l *load) decide(n int, value func(i int) float64) (suppressed, held uint64) {
	l.batch.Reset()
	l.now += 1e6
	for range n {
		r := l.batch.Add()
		r.Device, r.ReceivedTime = l.devices[l.next%len(l.devices)], l.now
		for _, name := range []string{"temperature", "humidity", "battery", "rssi"} {
			r.Metrics = append(r.Metrics, protocol.Metric{Name: name, Value: protocol.Float(value(l.next))})
		}
		l.next++
	}
	return l.desk.Decide(&l.batch, nobody{})
}

func deadband(width float64) *protocol.Deadband { return &protocol.Deadband{Width: width} }

func span(d time.Duration) *time.Duration { return &d }

// BenchmarkDecide is what a reading of four metrics costs, the making of the
// reading, which is measured by itself, included.
func BenchmarkDecide(b *testing.B) {
	still := func(int) float64 { return 21 }
	moving := func(i int) float64 { return float64(i) }
	for _, c := range []struct {
		name  string
		rules protocol.Reports
		value func(int) float64
	}{
		{"without rules", protocol.Reports{}, moving},
		{"stale", protocol.Reports{StaleAfter: time.Hour}, moving},
		{"suppressed", protocol.Reports{All: &protocol.Report{Deadband: deadband(0.2)}}, still},
		{"reported", protocol.Reports{All: &protocol.Report{Deadband: deadband(0.2)}}, moving},
		{"held", protocol.Reports{All: &protocol.Report{Min: span(time.Hour)}}, moving},
	} {
		b.Run(c.name, func(b *testing.B) {
			l := newLoad(c.rules)
			for range 50 {
				l.decide(100, c.value)
			}
			b.ReportAllocs()
			for b.Loop() {
				l.decide(100, c.value)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/100, "ns/reading")
		})
	}
}

// BenchmarkBring is the part of BenchmarkDecide that is not the desk's.
func BenchmarkBring(b *testing.B) {
	l := newLoad(protocol.Reports{})
	l.desk = nil
	for b.Loop() {
		l.batch.Reset()
		for range 100 {
			r := l.batch.Add()
			r.Device, r.ReceivedTime = l.devices[l.next%len(l.devices)], l.now
			for _, name := range []string{"temperature", "humidity", "battery", "rssi"} {
				r.Metrics = append(r.Metrics, protocol.Metric{Name: name, Value: protocol.Float(21)})
			}
			l.next++
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/100, "ns/reading")
}
