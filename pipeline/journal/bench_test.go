package journal_test

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"sluice/pipeline/journal"
)

// benchRecord is about what 100 readings of four metrics take.
const benchRecord = 4000

// benched is a journal of the default sizes that keeps house.
func benched(b *testing.B, noSync bool) *journal.Journal {
	b.Helper()
	o := options(b.TempDir())
	o.SegmentSize, o.MaxSize, o.NoSync = 4<<20, 256<<20, noSync
	j := open(b, o)
	ctx, cancel := context.WithCancel(context.Background())
	var house sync.WaitGroup
	house.Go(func() { j.Tend(ctx) })
	b.Cleanup(func() {
		cancel()
		house.Wait()
		if err := j.Close(); err != nil {
			b.Error(err)
		}
	})
	return j
}

// BenchmarkAppend appends and commits one record, whose payload costs nothing to
// make.
func BenchmarkAppend(b *testing.B) {
	for _, noSync := range []bool{false, true} {
		b.Run(fmt.Sprintf("NoSync=%t", noSync), func(b *testing.B) {
			j := benched(b, noSync)
			payload := make([]byte, benchRecord)
			b.SetBytes(benchRecord)
			b.ReportAllocs()
			for b.Loop() {
				appendRecord(b, j, payload)
				commit(b, j)
			}
		})
	}
}

func appendRecord(b *testing.B, j *journal.Journal, payload []byte) {
	if _, err := j.Append(100, func(dst []byte, _ bool) []byte { return append(dst, payload...) }); err != nil {
		b.Fatal(err)
	}
}

// BenchmarkNext reads back what a cursor is behind by, from the disk.
func BenchmarkNext(b *testing.B) {
	const behind = 10_000
	j := benched(b, true)
	payload := make([]byte, benchRecord)
	c := cursor(b, j, "hub", journal.Now)
	b.SetBytes(benchRecord)
	b.ReportAllocs()
	left := 0
	for b.Loop() {
		if left == 0 {
			b.StopTimer()
			for ; left < behind; left++ {
				appendRecord(b, j, payload)
				commit(b, j)
			}
			b.StartTimer()
		}
		r, ok, err := c.Next()
		if err != nil || !ok {
			b.Fatal(ok, err)
		}
		c.Ack(r.Seq+uint64(r.Count), journal.Outcome{Delivered: uint64(r.Count)})
		left--
	}
}
