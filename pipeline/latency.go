package pipeline

import (
	"sync"
	"time"

	"sluice/pipeline/journal"
)

// latency is how long readings took from their acceptance to the sink's
// confirmation, each as long as the oldest of its batch. It is safe for concurrent
// use.
type latency struct {
	mu   sync.Mutex // guards what follows
	hist journal.Histogram
}

func (l *latency) add(d time.Duration, readings int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.hist.Add(d, uint64(readings))
}

func (l *latency) snapshot() journal.Histogram {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.hist
}
