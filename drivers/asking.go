package drivers

import "sync/atomic"

// Asker is an optional interface of a Driver that asks its devices.
type Asker interface {
	// Stats returns the counts. It is safe for concurrent use.
	Stats() AskStats
}

// AskStats are running counts of a line, since its driver was made. What devices
// say unasked is in none of them.
type AskStats struct {
	Requests int64 // polls and commands sent, those again among them
	Retries  int64 // polls sent again
	Skipped  int64 // polls left out, because the line was busy or away when they had their place
	Demoted  int64 // devices that are silent at present
}

// AskCounts are AskStats as a driver keeps them. They are safe for concurrent use.
type AskCounts struct{ Requests, Retries, Skipped, Demoted atomic.Int64 }

// Stats returns the counts.
func (c *AskCounts) Stats() AskStats {
	return AskStats{c.Requests.Load(), c.Retries.Load(), c.Skipped.Load(), c.Demoted.Load()}
}
