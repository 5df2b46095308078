package wire

import (
	"errors"

	"sluice/protocol/payload"
)

// value gives f the slot and the layout of a message that is one value in plain
// text, for the metric that the topic names or else for the one called "value".
func (f *Form) value(p *payload.Profile, metric string) error {
	f.spell = bare
	if metric == "" {
		metric = "value"
	}
	m, ok := p.Metrics[metric]
	if !ok {
		m, ok = p.Metrics["*"]
	}
	if !ok && p.Others != "keep" && len(p.Metrics) > 0 {
		return errors.New(`no topic names a metric, and none is called "value" or "*"`)
	}
	if _, err := f.bare(metric, m); err != nil {
		return err
	}
	f.layout = plainLayout{}
	return nil
}

// plainLayout is the text of the first slot and nothing else.
type plainLayout struct{}

func (plainLayout) compose(dst []byte, m *message) ([]byte, bool) {
	return append(dst, m.texts[0]...), true
}
