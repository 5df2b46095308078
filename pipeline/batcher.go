package pipeline

import "time"

// batcher is the rule by which readings are written together. It has no clock
// and no goroutine.
type batcher struct {
	max      Batch
	readings int
	bytes    int64
	first    time.Time // when the first reading came
}

// add counts a reading of size bytes that came at now.
func (b *batcher) add(size int, now time.Time) {
	if b.readings == 0 {
		b.first = now
	}
	b.readings++
	b.bytes += int64(size)
}

// full reports whether the batch has to be written before another reading.
func (b *batcher) full() bool {
	return b.readings >= b.max.MaxReadings || b.bytes >= int64(b.max.MaxBytes)
}

// due returns how much longer the batch may wait for company at now; 0 or less
// means that it has to be written.
func (b *batcher) due(now time.Time) time.Duration {
	return b.first.Add(b.max.MaxAge).Sub(now)
}

// empty begins the next batch.
func (b *batcher) empty() { b.readings, b.bytes = 0, 0 }
