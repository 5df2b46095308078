package pipeline

import (
	"maps"
	"slices"
	"time"

	"sluice/pipeline/journal"
	"sluice/sink"
)

// Stats is the pipeline at one moment.
type Stats struct {
	Intakes    []IntakeStats
	Rejections []Rejection // messages that gave no reading
	Flaws      []Rejection // metrics that a reading was kept without, counted whenever it was received
	Journal    journal.Stats
	Disk       Health // whether the journal can be written
	Deliveries []DeliveryStats
	Fallbacks  []FallbackStats
	Unclaimed  []journal.CursorStats // of sinks that are not configured
}

// Histogram counts durations by size.
type Histogram = journal.Histogram

// WriteStats counts the writes of a delivery by what came of them.
type WriteStats struct {
	Stored   uint64 // all of it, or all but what is a dead letter
	Rejected uint64 // as a whole, for good: those at fault are looked for
	Failed   uint64 // and tried again
}

// FallbackStats is a sink that takes the readings of others.
type FallbackStats struct {
	Name   string
	Health Health
}

// DeliveryStats is one sink's delivery.
type DeliveryStats struct {
	journal.CursorStats
	Health  Health
	Breaker string        // closed, half-open or open
	Lag     time.Duration // since the oldest reading that waits was accepted, by the gateway's clock
	Latency Histogram     // from acceptance to confirmation, of what was not missed
	Traffic sink.Traffic  // zero for a sink that does not count
	Writes  WriteStats
	Doubted uint64 // readings that the far end may hold twice
	Dead    DeadStats
}

// Stats returns counters and states. Each intake's and each cursor's numbers
// were taken at one moment, so that their equations hold.
func (p *Pipeline) Stats() Stats {
	s := Stats{Disk: p.committer.health.snapshot()}
	p.mu.RLock()
	defer p.mu.RUnlock()
	for _, name := range slices.Sorted(maps.Keys(p.intakes)) {
		stats, rejections, flaws := p.intakes[name].snapshot()
		s.Intakes = append(s.Intakes, stats)
		s.Rejections = append(s.Rejections, rejections...)
		s.Flaws = append(s.Flaws, flaws...)
	}
	s.Journal = p.journal.Stats()
	for _, d := range p.deliveries {
		for _, c := range s.Journal.Cursors {
			if c.Name == d.name {
				s.Deliveries = append(s.Deliveries, d.stats(c))
			}
		}
	}
	for _, f := range p.fallbacks {
		s.Fallbacks = append(s.Fallbacks, FallbackStats{f.name, f.health.snapshot()})
	}
	for _, c := range s.Journal.Cursors {
		if !c.Claimed {
			s.Unclaimed = append(s.Unclaimed, c)
		}
	}
	return s
}

// stats returns the delivery's state beside its cursor's.
func (d *delivery) stats(c journal.CursorStats) DeliveryStats {
	s := DeliveryStats{
		CursorStats: c, Health: d.health.snapshot(), Breaker: d.breaker.String(),
		Lag: max(d.live.age(), d.missed.age()), Latency: d.latency.snapshot(), Dead: d.dead.stats(),
	}
	s.Writes = WriteStats{d.writes.stored.Load(), d.writes.rejected.Load(), d.writes.failed.Load()}
	if k, ok := d.sink.(sink.Doubter); ok {
		s.Doubted = k.PossiblyDuplicated()
	}
	if m, ok := d.sink.(sink.Meter); ok {
		s.Traffic = m.Traffic()
	}
	return s
}
