package journal

import "time"

// Histogram counts durations by size. Bucket i counts those of at most
// Bound(i) that are in no bucket before; the last one counts all longer ones.
type Histogram struct {
	Counts [14]uint64
	Sum    time.Duration
}

// Bound returns the longest duration that bucket i counts: 125 µs doubled i
// times, up to 512 ms. The last bucket has none.
func (h *Histogram) Bound(i int) time.Duration { return 125 * time.Microsecond << i }

// Add counts d.
func (h *Histogram) Add(d time.Duration) {
	i := 0
	for i < len(h.Counts)-1 && d > h.Bound(i) {
		i++
	}
	h.Counts[i]++
	h.Sum += d
}
