package serial

import "sync/atomic"

// Stats are running counts of a line since its driver was made. Talk is in none
// of them.
type Stats struct {
	Requests int64 // polls and commands sent, those again among them
	Retries  int64 // polls sent again
	Skipped  int64 // polls left out, because the line was busy or away when they had their place
	Demoted  int64 // devices that are silent at present
}

// counts are the Stats as the session keeps them.
type counts struct{ requests, retries, skipped, demoted atomic.Int64 }

// Stats returns the counts. It is safe for concurrent use.
func (d *Driver) Stats() Stats {
	c := &d.counts
	return Stats{Requests: c.requests.Load(), Retries: c.retries.Load(), Skipped: c.skipped.Load(), Demoted: c.demoted.Load()}
}
