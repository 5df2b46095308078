// Package sinktest checks that a sink keeps the contract of sink.Sink, against
// its real far end, and starts the far ends that have to be programs.
package sinktest

import (
	"context"
	"fmt"
	"testing"
	"time"

	"sluice/protocol"
	"sluice/sink"
)

// patience is how long the suite waits for what should come at once: the
// machine may be slow and busy.
const patience = 30 * time.Second

// Far is a kind of sink under test and the far end that it writes to.
type Far struct {
	// Addr is the far end's HOST:PORT, or what else New finds it by. It stays the
	// same when it restarts.
	Addr string
	// Silent is the address of a far end that never answers; "": the suite puts
	// up a server.
	Silent string
	// New returns a sink that writes to the far end at addr, which is Addr,
	// that of a line to it, or that of one that never answers. The suite has closed
	// the one before when it makes another for the same readings.
	New func(t testing.TB, addr string) sink.Sink
	// Stop ends the far end, Start brings it back with all that it stored.
	Stop, Start func(t testing.TB)
	// Stored returns what the far end holds, each point as often as it is
	// stored, in the order of storage or of time.
	Stored func(t testing.TB) []Point
	// ExactlyOnce says that readings written twice are stored once.
	ExactlyOnce bool

	// The rest is for RunFaults only.

	// Window is how many readings one fault may store twice, at most, when the
	// sink does not store each once.
	Window int
	// Slow is what an answer takes over a slow line; 0: 300 ms.
	Slow time.Duration
	// Secure returns the HOST:PORT of a far end of this kind that shows the
	// certificate in these PEM files, and NewSecure a sink that writes to one.
	// Both are nil for a sink without TLS.
	Secure    func(t testing.TB, cert, key string) (addr string)
	NewSecure func(t testing.TB, addr string, tls sink.TLS) sink.Sink
}

// Point identifies one stored reading of the suite.
type Point struct {
	Device string
	Time   protocol.Timestamp
	N      int // the metric "n"
}

// Run checks the sink against each rule of its contract.
func Run(t *testing.T, far Far) {
	s := &suite{far: far, epoch: uint64(time.Now().UnixNano())}
	t.Run("nil means all stored, in order", s.stores)
	t.Run("a batch written again", s.storesAgain)
	t.Run("an empty batch", s.storesNothing)
	t.Run("a memory older than what was written", s.recalls)
	t.Run("readings are not kept", s.keepsNothing)
	t.Run("a cancelled context", s.heedsContext)
	t.Run("a far end that never answers", s.survivesSilence)
	t.Run("a far end that is absent at first", s.survivesAbsence)
	t.Run("a far end that goes and returns", s.survivesRestart)
	t.Run("connect tells whether the far end is there", s.connects)
	t.Run("close ends all goroutines", s.endsGoroutines)
}

type suite struct {
	far   Far
	epoch uint64
	made  int // readings so far; their numbers, times and ids follow it

}

// batch returns n readings of three devices that no other batch shares.
func (s *suite) batch(n int) []protocol.Reading {
	devices := []*protocol.Device{
		{Name: "s1", Profile: "climate", Driver: "floor", Tags: []protocol.Tag{{Key: "area", Value: "a"}}},
		{Name: "a.*.>b c", Profile: "climate", Driver: "floor"},
		{Name: "ünï", Profile: "climate", Driver: "scale"},
	}
	readings := make([]protocol.Reading, n)
	for i := range readings {
		s.made++
		at := protocol.At(time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)) + protocol.Timestamp(s.made)*1_000_003
		readings[i] = protocol.Reading{
			ID:           protocol.ID{Epoch: s.epoch, Seq: uint64(s.made)},
			Device:       devices[s.made%len(devices)],
			SourceTime:   at,
			ReceivedTime: at + 5,
			Metrics: []protocol.Metric{
				{Name: "n", Value: protocol.Int(int64(s.made))},
				{Name: "temperature", Value: protocol.Float(float64(s.made) / 8), Unit: "°C"},
				{Name: "state", Value: protocol.String("up \"and\" running")},
			},
		}
	}
	return readings
}

func pointsOf(readings []protocol.Reading) []Point {
	points := make([]Point, len(readings))
	for i := range readings {
		r := &readings[i]
		points[i] = Point{r.Device.Name, r.Time(), int(r.Metrics[0].Value.Int())}
	}
	return points
}

// open returns a new sink for addr that is closed with the test.
func (s *suite) open(t *testing.T, addr string) sink.Sink {
	t.Helper()
	out := s.far.New(t, addr)
	t.Cleanup(func() {
		if err := out.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return out
}

// write writes readings and wants them confirmed.
func write(t *testing.T, out sink.Sink, readings []protocol.Reading) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := out.Write(ctx, readings); err != nil {
		t.Fatalf("Write: %v", err)
	}
}

// expect wants the far end to hold the points, in their order, and each once
// unless the sink promises less. It returns how many are stored too often.
func (s *suite) expect(t *testing.T, want []Point) (doubled int) {
	t.Helper()
	wanted := map[Point]bool{}
	for _, p := range want {
		wanted[p] = true
	}
	seen := map[Point]int{}
	var got []Point
	for _, p := range s.far.Stored(t) {
		if !wanted[p] {
			continue // of another test
		}
		if seen[p]++; seen[p] == 1 {
			got = append(got, p)
			continue
		}
		doubled++
		if s.far.ExactlyOnce {
			t.Errorf("stored %d times: %v", seen[p], p)
		}
	}
	if err := compare(got, want); err != nil {
		t.Error(err)
	}
	return doubled
}

func compare(got, want []Point) error {
	for i := range want {
		if i >= len(got) {
			return fmt.Errorf("stored %d readings of %d, the first that lacks is %v", len(got), len(want), want[i])
		}
		if got[i] != want[i] {
			return fmt.Errorf("stored as number %d: %v, want %v", i, got[i], want[i])
		}
	}
	return nil
}
