package journal

import "time"

// Histogram counts durations by size. Bucket i counts those of at most
// Bound(i) that are in no bucket before; the last one counts all longer ones.
type Histogram struct {
	Counts [20]uint64
	Sum    time.Duration
}

// Bound returns the longest duration that bucket i counts: 125 µs doubled i
// times, up to 32 s. The last bucket has none.
func (h *Histogram) Bound(i int) time.Duration { return 125 * time.Microsecond << i }

// Add counts n times d.
func (h *Histogram) Add(d time.Duration, n uint64) {
	i := 0
	for i < len(h.Counts)-1 && d > h.Bound(i) {
		i++
	}
	h.Counts[i] += n
	h.Sum += d * time.Duration(n)
}
