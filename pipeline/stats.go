package pipeline

import "sluice/pipeline/journal"

// Stats is the pipeline at one moment.
type Stats struct {
	Intakes    []IntakeStats
	Rejections []Rejection
	Journal    journal.Stats
	Disk       Health // whether the journal can be written
	Deliveries []DeliveryStats
}

// DeliveryStats is one sink's delivery.
type DeliveryStats struct {
	journal.CursorStats
	Health Health
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
				s.Deliveries = append(s.Deliveries, DeliveryStats{c, d.health.snapshot()})
			}
		}
	}
	return s
}
