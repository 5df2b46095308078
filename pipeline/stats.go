package pipeline

import (
	"time"

	"sluice/pipeline/journal"
)

// Stats is the pipeline at one moment.
type Stats struct {
	Intakes    []IntakeStats
	Rejections []Rejection
	Journal    journal.Stats
	Disk       Health // whether the journal can be written
	Deliveries []DeliveryStats
	Unclaimed  []journal.CursorStats // of sinks that are not configured
}

// DeliveryStats is one sink's delivery.
type DeliveryStats struct {
	journal.CursorStats
	Health Health
	Lag    time.Duration // since the oldest reading that waits was accepted, by the gateway's clock
}

// Stats returns counters and states. Each intake's and each cursor's numbers
// were taken at one moment, so that their equations hold.
func (p *Pipeline) Stats() Stats {
	s := Stats{Disk: p.committer.health.snapshot()}
	for _, source := range p.committer.sources {
		stats, rejections := source.intake.snapshot()
		s.Intakes = append(s.Intakes, stats)
		s.Rejections = append(s.Rejections, rejections...)
	}
	s.Journal = p.journal.Stats()
	for _, d := range p.deliveries {
		for _, c := range s.Journal.Cursors {
			if c.Name == d.name {
				s.Deliveries = append(s.Deliveries, DeliveryStats{c, d.health.snapshot(), d.lag()})
			}
		}
	}
	for _, c := range s.Journal.Cursors {
		if !c.Claimed {
			s.Unclaimed = append(s.Unclaimed, c)
		}
	}
	return s
}

// lag is 0 while nothing waits, and when the clock was set back.
func (d *delivery) lag() time.Duration {
	since := d.since.Load()
	if since == 0 {
		return 0
	}
	return max(0, time.Since(time.Unix(0, since)))
}
