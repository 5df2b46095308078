package payload

import (
	"fmt"

	"sluice/protocol"
)

// Refiner applies a profile to raw metrics that a driver has read itself, such
// as registers. It is owned by one goroutine.
type Refiner struct{ rules *refined }

// NewRefiner returns the refiner of a profile whose metrics are registers. An
// error names the first problem that p.Validate reports.
func NewRefiner(p Profile) (*Refiner, error) {
	var err error
	p.Validate(func(field, problem string) {
		if err == nil {
			err = fmt.Errorf("compile profile: %s %s", field, problem)
		}
	})
	if err != nil {
		return nil, err
	}
	r := newRefined(newPlan(p), nil)
	r.ordered = true
	return &Refiner{r}, nil
}

// Refine makes readings of the raw ones in b from the first one on: they hold
// metrics by name, with values as the registers have them. Device and received
// time are those of m. Where nothing is left b is as it was before, and the
// error is a *protocol.Refusal. Raw metrics in the order of their names are
// found at once.
func (r *Refiner) Refine(b *protocol.Batch, first int, m Message) error {
	return r.rules.refine(b, first, m)
}
