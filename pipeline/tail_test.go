package pipeline

import (
	"testing"

	"sluice/protocol"
)

// emit returns when the batch is in the journal.
func emit(t *testing.T, r *running, b *protocol.Batch) {
	t.Helper()
	done := make(chan error, 1) // sent by Done, never closed; it is called once
	b.Done = func(err error) { done <- err }
	if !r.Intake("floor").Emit(b) {
		t.Fatal("refused")
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

// TestSinkThatKeepsUpReadsNothingBack holds that what a sink takes at once comes
// from memory: over many segments, and again after the sink was behind by more
// than memory keeps.
func TestSinkThatKeepsUpReadsNothingBack(t *testing.T) {
	fs := newCounted()
	c := config(t.TempDir())
	c.MaxSize = 64 << 20
	m := newMemory()
	p := start(t, c, fs, delivered("hub", m))
	b, sent := newLoad().batch(perBatch), 0
	send := func(batches int) {
		for range batches {
			emit(t, p, b)
			sent += perBatch
		}
	}
	healthy := func(when string) {
		t.Helper()
		var before int64
		for i := range 100 {
			send(1)
			m.wait(t, sent) // the sink has everything before more comes
			if i == 0 {
				before = fs.segments.read.Load()
			}
		}
		if n := fs.segments.read.Load() - before; n != 0 {
			t.Errorf("%s: %d bytes were read from segments", when, n)
		}
	}
	healthy("from the start")
	m.fails(errDead)
	send(1000) // about 4 MB
	m.fails(nil)
	m.wait(t, sent)
	healthy("after it was behind")
}

// TestMoreSinksWriteNoMore holds that one write and one sync of the journal serve
// all sinks: with two and three of them, the same batches cost the same bytes and
// syncs, by the metrics and by what the file system saw.
func TestMoreSinksWriteNoMore(t *testing.T) {
	type cost struct {
		appended, commits uint64 // the metrics
		written, syncs    int64  // what the file system saw
	}
	var alone cost
	names := []string{"one", "two", "three"}
	for n := 1; n <= len(names); n++ {
		fs := newCounted()
		c := config(t.TempDir())
		c.MaxSize = 64 << 20
		var sinks []Sink
		var memories []*memory
		for _, name := range names[:n] {
			m := newMemory()
			memories, sinks = append(memories, m), append(sinks, delivered(name, m))
		}
		p := start(t, c, fs, sinks...)
		l := newLoad()
		for i := range 100 {
			b := l.batch(perBatch)
			stamp(b, protocol.Timestamp(1+i)*1e9)
			emit(t, p, b)
		}
		for _, m := range memories {
			m.wait(t, 100*perBatch)
		}
		p.stop()
		s := p.Stats().Journal
		got := cost{s.Appended, s.Fsyncs, fs.segments.written.Load(), fs.segments.syncs.Load()}
		if n == 1 {
			alone = got
		}
		if got != alone || got.commits == 0 {
			t.Errorf("%d sinks cost %+v, one alone %+v", n, got, alone)
		}
	}
}
