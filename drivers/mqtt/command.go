package mqtt

import (
	"context"
	"errors"
	"fmt"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"

	"sluice/drivers"
	"sluice/protocol"
	"sluice/protocol/payload"
)

// maxCommands is how many commands may be under way at a time. Each may wait for
// its time-out.
const maxCommands = 64

// Command publishes what a command of the device's profile says, waits for the
// broker to confirm it, and then, where the command reads a metric, for a reading
// in which that is what the device was told. It implements drivers.Commander.
func (d *Driver) Command(ctx context.Context, device string, c drivers.Command) (drivers.Answer, error) {
	o, err := d.routes.order(device, c)
	if err != nil {
		return drivers.Answer{}, err
	}
	select {
	case d.telling <- struct{}{}:
		defer func() { <-d.telling }()
	default:
		return drivers.Answer{}, fmt.Errorf("device %s: %w", device, drivers.ErrFull)
	}
	began := time.Now()
	var w *watch
	if o.reads != "" { // before it is published: the device may be quick
		w = d.watches.begin(device, o.reads, o.told)
		defer d.watches.end(w)
	}
	if err := d.publish(ctx, o); err != nil {
		return drivers.Answer{}, fmt.Errorf("device %s: %w", device, err)
	}
	answer := drivers.Answer{}
	switch {
	case w != nil:
		answer.Value, err = d.watches.wait(ctx, w)
	case !o.heard:
		answer.Note = fmt.Sprintf("no message of %s has come since the gateway started", device)
	}
	answer.Took = time.Since(began)
	return answer, err
}

// publish publishes an order on the connection there is and waits for the broker
// to confirm it, which only one of QoS 1 is. The library may take enqueueTimeout
// longer than ctx.
func (d *Driver) publish(ctx context.Context, o *order) error {
	c := d.serving.Load()
	if c == nil {
		return drivers.ErrOffline
	}
	token := c.client.Publish(o.topic, o.qos, o.retain, o.payload)
	var err error
	select {
	case <-token.Done():
		err = token.Error()
	case <-c.stop:
		err = errors.New("the connection ended")
	case <-ctx.Done():
		err = context.Cause(ctx)
	}
	select {
	case <-token.Done(): // in the same moment, perhaps
		err = token.Error()
	default:
	}
	switch {
	case errors.Is(err, paho.ErrNotConnected):
		return drivers.ErrOffline
	case err != nil:
		return fmt.Errorf("wait for the broker to confirm the message to %s: %w", o.topic, err)
	}
	d.log.Debug("published a command", "topic", o.topic)
	return nil
}

// order is a command ready to be published.
type order struct {
	topic   string
	payload []byte
	qos     byte
	retain  bool
	reads   string       // the metric that shows what became of it; "": none does
	told    payload.Told // what that metric is to show
	heard   bool         // a message of the device has come
}

// command is one thing that devices of a row can be told.
type command struct {
	payload.Command
	topic, text *payload.Template
}

// newCommands compiles the commands of a profile that are published.
func newCommands(p *payload.Profile) map[string]*command {
	commands := map[string]*command{}
	for name, c := range p.Commands {
		if c.Way() == payload.WayTopic {
			commands[name] = &command{c, payload.ParseTemplate(c.Topic), payload.ParseTemplate(c.Payload)}
		}
	}
	return commands
}

// order works out what is to be published. It is safe for concurrent use.
func (rs *routes) order(device string, c drivers.Command) (*order, error) {
	to, err := rs.addressee(device, c.Name)
	if err != nil {
		return nil, err
	}
	what := to.command
	text := c.Value
	if what.Value != "" {
		text = what.Value
	}
	o := &order{qos: 1, retain: what.Retain, reads: what.Reads, heard: to.heard}
	if what.QoS != nil {
		o.qos = byte(*what.QoS)
	}
	if err := what.Check(c.Name, c.Value); err != nil {
		return nil, fmt.Errorf("%w: %w", drivers.ErrValue, err)
	}
	if text != "" {
		if o.told, err = what.Told(text); err != nil {
			return nil, fmt.Errorf("%w: it %w", drivers.ErrValue, err)
		}
	}
	if name := to.lacks(); name != "" {
		return nil, fmt.Errorf("%w: {%s} in the command %s of %s is not known before a message of it has come", drivers.ErrUnsent, name, c.Name, device)
	}
	of := func(name string) protocol.Value { return to.value(name, o.told.Sent) }
	o.topic, o.payload = string(what.topic.Append(nil, of)), what.text.Append(nil, of)
	if !publishable(o.topic) {
		return nil, fmt.Errorf("%w: %q is no topic", drivers.ErrUnsent, o.topic)
	}
	return o, nil
}
