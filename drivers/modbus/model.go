package modbus

import (
	"fmt"
	"time"

	"sluice/protocol"
	"sluice/protocol/payload"
)

// model is what the devices of one profile have in common.
type model struct {
	plan     *plan
	refine   *payload.Refiner // owned by the bus
	commands map[string]*command
}

// command is one thing that devices of a model can be told.
type command struct {
	payload.Command
	metric metric           // where it is written
	whole  bool             // it covers whole registers
	refine *payload.Refiner // what was read back; owned by the bus
}

func newModel(p *payload.Profile, l limits) (*model, error) {
	refine, err := payload.NewRefiner(*p)
	if err != nil {
		return nil, err
	}
	m := &model{refine: refine, commands: map[string]*command{}}
	if m.plan, err = newPlan(p, l); err != nil {
		return nil, err
	}
	for name, c := range p.Commands {
		if m.commands[name], err = newCommand(name, c); err != nil {
			return nil, fmt.Errorf("command %s: %w", name, err)
		}
	}
	return m, nil
}

func newCommand(name string, c payload.Command) (*command, error) {
	made := &command{Command: c, metric: metric{name: name}, whole: true}
	field := c.Field()
	if err := made.metric.locate(c.Register, field); err != nil {
		return nil, err
	}
	if size, _ := field.Size(); !made.metric.space.bits() {
		made.whole = c.Bits == "" && size%2 == 0
	}
	var err error
	made.refine, err = payload.NewRefiner(payload.Profile{
		Metrics: map[string]payload.Metric{name: c.Metric},
		Poll:    time.Second, // of no use: it is read when it was written
	})
	return made, err
}

// meaning returns what a value in the registers means.
func (c *command) meaning(v protocol.Value) (protocol.Value, error) {
	var b protocol.Batch
	r := b.Add()
	r.Metrics = append(r.Metrics, protocol.Metric{Name: c.metric.name, Value: v})
	if err := c.refine.Refine(&b, 0, payload.Message{Device: &protocol.Device{}}); err != nil {
		return protocol.Value{}, err
	}
	return b.Readings[0].Metrics[0].Value, nil
}
