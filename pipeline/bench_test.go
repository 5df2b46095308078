package pipeline

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"sluice/pipeline/journal"
	"sluice/protocol"
)

// perBatch is how many readings the batches of these benchmarks hold.
const perBatch = 100

// writer appends batches to a journal of its own, as the committer does, without
// the committer.
type writer struct {
	*journal.Journal
	b       *testing.B
	load    *load
	encoder *encoder
	batches []*protocol.Batch // in turn
	next    int
	payload int64  // bytes encoded
	last    []byte // the last payload, valid until the next append
}

func newWriter(b *testing.B, o journal.Options) *writer {
	b.Helper()
	o.Dir, o.SegmentSize, o.MaxSize, o.Log = b.TempDir(), 4<<20, 256<<20, slog.New(slog.DiscardHandler)
	j, err := journal.Open(o)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := j.Close(); err != nil {
			b.Error(err)
		}
	})
	w := &writer{Journal: j, b: b, load: newLoad(), encoder: newEncoder()}
	for range 64 {
		w.batches = append(w.batches, w.load.batch(perBatch))
	}
	return w
}

// keep appends and commits the next batch.
func (w *writer) keep() {
	batch := w.batches[w.next%len(w.batches)]
	w.next++
	stamp(batch, protocol.At(time.Now()))
	entries := [1]entry{{batch: batch}}
	_, err := w.Append(perBatch, func(dst []byte, begin bool) []byte {
		if begin {
			w.encoder.forget()
		}
		record := w.encoder.encode(dst, entries[:], nil)
		w.last = record[len(dst):]
		return record
	})
	if err == nil {
		w.payload += int64(len(w.last))
		err = w.Commit()
	}
	if err != nil {
		w.b.Fatal(err)
	}
}

// tended runs do while the journal keeps house.
func (w *writer) tended(do func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var house sync.WaitGroup
	house.Go(func() { w.Tend(ctx) })
	do()
	cancel()
	house.Wait()
}

// BenchmarkDurableAppend writes batches durably and, in slices in between, the
// same bytes to a file that was filled with zeros before, with nothing but write
// and fdatasync. What the journal spends on encoding, checksums and making
// segments is in its own slices. The ratio is of the speeds.
func BenchmarkDurableAppend(b *testing.B) {
	const slice = 50
	w := newWriter(b, journal.Options{})
	bare, size := zeroed(b, 4<<20)
	var off int64
	var ours, theirs time.Duration
	records := make([][]byte, slice)
	for b.Loop() {
		begin := time.Now()
		w.tended(func() {
			for i := range records {
				w.keep()
				records[i] = append(records[i][:0], w.last...)
			}
		})
		middle := time.Now()
		for _, r := range records {
			if off+int64(len(r)) > size {
				off = 0
			}
			if _, err := bare.WriteAt(r, off); err != nil {
				b.Fatal(err)
			}
			off += int64(len(r))
			if err := bare.Sync(); err != nil {
				b.Fatal(err)
			}
		}
		ours += middle.Sub(begin)
		theirs += time.Since(middle)
	}
	b.ReportMetric(theirs.Seconds()/ours.Seconds(), "of-bare")
	b.ReportMetric(float64(w.next*perBatch)/ours.Seconds(), "readings/s")
}

// zeroed returns a file of zeros that are on the disk.
func zeroed(b *testing.B, size int64) (journal.File, int64) {
	b.Helper()
	f, err := journal.OS{}.Create(filepath.Join(b.TempDir(), "bare"))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { f.Close() })
	_, err = f.WriteAt(make([]byte, size), 0)
	if err = errors.Join(err, f.Sync()); err != nil {
		b.Fatal(err)
	}
	return f, size
}

// BenchmarkJournalCPU is the journal's part of a reading's cost at durability os:
// encoding, appending and committing batches, and keeping house.
func BenchmarkJournalCPU(b *testing.B) {
	w := newWriter(b, journal.Options{NoSync: true})
	b.ReportAllocs()
	before, begin := cpu(b), time.Now()
	w.tended(func() {
		for b.Loop() {
			w.keep()
		}
	})
	reportCost(b, cpu(b)-before, time.Since(begin), w.next*perBatch)
}

func reportCost(b *testing.B, used, took time.Duration, readings int) {
	b.ReportMetric(used.Seconds()*1e6/float64(readings), "cpu-s/M")
	b.ReportMetric(float64(readings)/took.Seconds(), "readings/s")
}

// piped is a pipeline of one driver under a benchmark.
type piped struct {
	*Pipeline
	intake *Intake
	stop   func()
}

func pipe(b *testing.B, c Config, fs journal.FS, sinks ...Sink) piped {
	b.Helper()
	p, err := open(c, []string{"floor"}, sinks, slog.New(slog.DiscardHandler), fs)
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- p.Run(ctx) }()
	stop := sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			b.Error(err)
		}
	})
	b.Cleanup(stop)
	return piped{p, p.Intake("floor"), stop}
}

func sized(dir, durability string) Config {
	c := DefaultConfig()
	c.Dir, c.Durability = dir, durability
	return c
}

// BenchmarkPipeline is the whole way of a reading, from Emit to a sink that only
// counts.
func BenchmarkPipeline(b *testing.B) {
	for _, durability := range []string{"always", "os"} {
		b.Run("durability="+durability, func(b *testing.B) {
			free := newLoad().flow(64, perBatch)
			hub := newCounter(1 << 62)
			p := pipe(b, sized(b.TempDir(), durability), nil, delivered("hub", hub))
			b.ReportAllocs()
			before, begin := cpu(b), time.Now()
			for b.Loop() {
				batch := <-free
				stamp(batch, protocol.At(time.Now()))
				p.intake.Emit(batch)
			}
			p.stop() // delivers the rest
			if hub.taken.Load() != int64(b.N*perBatch) {
				b.Fatalf("sink took %d readings of %d", hub.taken.Load(), b.N*perBatch)
			}
			reportCost(b, cpu(b)-before, time.Since(begin), b.N*perBatch)
		})
	}
}

// BenchmarkWriteAmplification counts the bytes that the journal writes for three
// sinks that keep up, per byte of payload. Places of cursors are written by the
// clock, so their part is the larger the less there is to write.
func BenchmarkWriteAmplification(b *testing.B) {
	for _, rate := range []int{0, 10_000, 1000} {
		name := "readings_per_s=all"
		if rate > 0 {
			name = fmt.Sprintf("readings_per_s=%d", rate)
		}
		b.Run(name, func(b *testing.B) {
			fs := newCounted()
			w := newWriter(b, journal.Options{FS: fs})
			cursors := w.cursors("one", "two", "three")
			w.tended(func() {
				for b.Loop() {
					pace(b, w.next*perBatch, rate)
					w.keep()
					for _, c := range cursors {
						w.follow(c)
					}
				}
			})
			per := func(t *traffic) float64 { return float64(t.written.Load()) / float64(w.payload) }
			b.ReportMetric(per(&fs.segments)+per(&fs.cursors), "written/payload")
			b.ReportMetric(per(&fs.cursors), "cursors/payload")
			if rate == 0 { // otherwise too little is written for the spare at the start not to show
				b.ReportMetric(per(&fs.zeros), "zeroed/payload")
			}
		})
	}
}

// cursors opens cursors that stand at the end.
func (w *writer) cursors(names ...string) (list []*journal.Cursor) {
	for _, name := range names {
		c, err := w.Cursor(name, journal.CursorOptions{})
		if err != nil {
			w.b.Fatal(err)
		}
		list = append(list, c)
	}
	return list
}

// follow reads what is committed and acknowledges it.
func (w *writer) follow(c *journal.Cursor) {
	for {
		r, ok, err := c.Next()
		if err != nil {
			w.b.Fatal(err)
		}
		if !ok {
			return
		}
		c.Ack(r.Seq+uint64(r.Count), journal.Outcome{Delivered: uint64(r.Count)})
	}
}

// pace waits until the nth thing is due at so many per second; 0: at once.
func pace(b *testing.B, n, perSecond int) {
	if perSecond == 0 {
		return
	}
	due := time.Duration(n) * time.Second / time.Duration(perSecond)
	time.Sleep(due - b.Elapsed())
}

// BenchmarkFsyncs counts how often anything is synced while 2,000 batches come
// every second, at each level of durability.
func BenchmarkFsyncs(b *testing.B) {
	const perSecond = 2000
	for _, durability := range []string{"always", "interval", "os", "memory"} {
		b.Run("durability="+durability, func(b *testing.B) {
			free := newLoad().flow(512, perBatch)
			fs := newCounted()
			p := pipe(b, sized(b.TempDir(), durability), fs, delivered("hub", newCounter(1<<62)))
			commits, all, sent := p.Stats().Journal.Fsyncs, fs.syncs(), 0
			for b.Loop() {
				pace(b, sent, perSecond)
				batch := <-free
				stamp(batch, protocol.At(time.Now()))
				p.intake.Emit(batch)
				sent++
			}
			seconds := b.Elapsed().Seconds()
			b.ReportMetric(float64(p.Stats().Journal.Fsyncs-commits)/seconds, "commits/s")
			b.ReportMetric(float64(fs.syncs()-all)/seconds, "fsyncs/s")
			b.ReportMetric(float64(sent)/seconds, "batches/s")
		})
	}
}

// BenchmarkEmitFull is the price of a refusal.
func BenchmarkEmitFull(b *testing.B) {
	i := newIntake("floor", 1, make(chan struct{}, 1))
	full := batch(protocol.Origin{}, nil, 1)
	i.Emit(full)
	b.ReportAllocs()
	for b.Loop() {
		i.Emit(full)
	}
}
