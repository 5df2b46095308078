package modbus

import (
	"fmt"
	"time"

	"sluice/protocol/payload"
)

// Read is one request for what a profile's metrics are made of.
type Read struct {
	Table   string        `json:"table"` // coil, discrete, input or holding
	From    int           `json:"from"`  // the first address
	To      int           `json:"to"`    // the last one
	Metrics int           `json:"metrics"`
	Every   time.Duration `json:"every_ns"`
}

// String returns the read as people say it: holding 0-59 every 1s.
func (r Read) String() string {
	if r.From == r.To {
		return fmt.Sprintf("%s %d every %v", r.Table, r.From, r.Every)
	}
	return fmt.Sprintf("%s %d-%d every %v", r.Table, r.From, r.To, r.Every)
}

var tables = [spaces]string{"coil", "discrete", "input", "holding"}

// Reads returns the requests that devices of a profile get on the bus of c, the
// most frequent ones first. c is valid.
func Reads(c Config, p *payload.Profile) ([]Read, error) {
	plan, err := newPlan(p, c.limits())
	if err != nil {
		return nil, err
	}
	var list []Read
	for i := range plan.groups {
		g := &plan.groups[i]
		for _, r := range g.reads {
			from := int(r.request.Address)
			list = append(list, Read{
				Table: tables[g.metrics[r.metrics[0]].space], From: from, To: from + int(r.request.Quantity) - 1,
				Metrics: len(r.metrics), Every: g.every,
			})
		}
	}
	return list, nil
}
