package modbus

import (
	"errors"

	"sluice/protocol"
	"sluice/protocol/binary"
	"sluice/protocol/payload"
)

// result is what a poll has given so far. It is reused from poll to poll.
type result struct {
	values []protocol.Value // by metric of the group
	have   []bool           // which of them there are
	at     protocol.Timestamp
	filled bool                // at least one is there
	flaws  []*protocol.Refusal // of metrics that the device has no such value for
}

func newResult(g *group) result {
	return result{values: make([]protocol.Value, len(g.metrics)), have: make([]bool, len(g.metrics))}
}

func (r *result) reset() {
	clear(r.have)
	clear(r.flaws)
	r.flaws, r.filled = r.flaws[:0], false
}

// take adds what an answer to one of the group's requests holds.
func (r *result) take(g *group, q *read, data []byte, at protocol.Timestamp, texts *binary.Texts) {
	for _, n := range q.metrics {
		v, err := g.metrics[n].value(q.request.Address, data, texts)
		if err != nil {
			r.flaws = append(r.flaws, refusalOf(g.metrics[n].name, err))
			continue
		}
		r.values[n], r.have[n], r.filled = v, true, true
	}
	r.at = at
}

// refusalOf names the metric that err is about.
func refusalOf(metric string, err error) *protocol.Refusal {
	reason := "type"
	var refusal *protocol.Refusal
	if errors.As(err, &refusal) {
		reason, err = refusal.Reason, refusal.Err
	}
	return protocol.Refuse(reason, "metric %s: %w", metric, err)
}

// add appends the reading of the poll to b, as the profile says. The error is a
// *protocol.Refusal: nothing is left of it then.
func (r *result) add(b *protocol.Batch, g *group, by *payload.Refiner, device *protocol.Device) error {
	if !r.filled {
		return r.flaws[0]
	}
	first := len(b.Readings)
	reading := b.Add()
	for n, there := range r.have {
		if there {
			reading.Metrics = append(reading.Metrics, protocol.Metric{Name: g.metrics[n].name, Value: r.values[n]})
		}
	}
	if err := by.Refine(b, first, payload.Message{Device: device, Received: r.at}); err != nil {
		return err
	}
	for _, refusal := range r.flaws {
		b.Flaws = append(b.Flaws, protocol.Flaw{Device: device, Refusal: refusal})
	}
	return nil
}
