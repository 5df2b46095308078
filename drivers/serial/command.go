package serial

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"sluice/drivers"
	"sluice/protocol"
	"sluice/protocol/payload"
)

// Command sends what a command of the device's profile says, and waits for the
// reply if there is one, which is the answer's value as it came. It implements
// drivers.Commander.
func (d *Driver) Command(ctx context.Context, device string, c drivers.Command) (drivers.Answer, error) {
	o, err := d.order(ctx, device, c)
	if err != nil {
		return drivers.Answer{}, err
	}
	if err := d.orders.put(o); err != nil {
		return drivers.Answer{}, fmt.Errorf("device %s: %w", device, err)
	}
	select {
	case r := <-o.reply:
		return r.answer, r.err
	case <-ctx.Done():
		return drivers.Answer{}, fmt.Errorf("wait for device %s: %w", device, ctx.Err())
	}
}

// order looks up what is to be sent.
func (d *Driver) order(ctx context.Context, device string, c drivers.Command) (*order, error) {
	s, known := d.byName[device]
	if !known {
		return nil, fmt.Errorf("%w: device %s", drivers.ErrUnknown, device)
	}
	what, known := s.profile.Commands[c.Name]
	if !known || what.Way() != payload.WayRequest {
		return nil, fmt.Errorf("%w: device %s has no %s", drivers.ErrUnknown, device, c.Name)
	}
	value, err := told(&what, &c)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", drivers.ErrUnsent, err)
	}
	text, err := payload.Spoken(what.Request, s.unit, value)
	if err != nil {
		return nil, fmt.Errorf("%w: request %w", drivers.ErrUnsent, err)
	}
	expect, err := payload.Spoken(what.Expect, s.unit, value)
	if err != nil {
		return nil, fmt.Errorf("%w: expect %w", drivers.ErrUnsent, err)
	}
	o := &order{ctx: ctx, station: s, name: c.Name, timeout: what.Timeout, reply: make(chan reply, 1)}
	o.step = step{text: text, waits: len(expect) > 0, begins: expect, use: replies}
	if o.timeout == 0 {
		o.timeout = s.timeout
	}
	return o, nil
}

// told returns the value that goes out. A text that would end the line and begin
// another one goes to no device.
func told(what *payload.Command, c *drivers.Command) (protocol.Value, error) {
	if err := what.Check(c.Name, c.Value); err != nil {
		return protocol.Value{}, err
	}
	text := c.Value
	if text == "" {
		text = what.Value
	}
	if text == "" {
		return protocol.Value{}, nil
	}
	if strings.ContainsFunc(text, unicode.IsControl) {
		return protocol.Value{}, fmt.Errorf("the value of %s is %q, want it without control characters", c.Name, text)
	}
	v, err := what.Told(text)
	if err != nil {
		return protocol.Value{}, fmt.Errorf("the value of %s %w", c.Name, err)
	}
	return v.Sent, nil
}

// obey does what an order says. The error is one of the line, which is lost.
func (s *session) obey(o *order) error {
	if err := o.ctx.Err(); err != nil {
		o.reply <- reply{err: fmt.Errorf("%w: %w", drivers.ErrUnsent, err)}
		return nil
	}
	err := s.listen(o.station.deferred)
	if err == nil {
		err = s.silence()
	}
	if err != nil {
		o.reply <- reply{err: drivers.ErrOffline}
		return err
	}
	began := time.Now()
	s.counts.Requests.Add(1)
	err = s.tell(o.station, &o.step, o.timeout)
	answer, failed := s.replied(o)
	s.reader.wanted = wanted{}
	if err != nil {
		failed = err
	}
	if failed != nil {
		failed = fmt.Errorf("tell %s to %s: %w", o.station.device.Name, o.name, failed)
	}
	answer.Took = time.Since(began)
	o.reply <- reply{answer, failed}
	return err
}

// replied returns what came back.
func (s *session) replied(o *order) (drivers.Answer, error) {
	now, w := time.Now(), &s.reader.wanted
	switch {
	case !o.step.waits:
		return drivers.Answer{}, nil
	case !w.came:
		o.station.hold(now)
		if w.damaged {
			return drivers.Answer{}, errDamaged
		}
		return drivers.Answer{}, errSilent
	}
	o.station.wake(now)
	if utf8.Valid(w.text) {
		return drivers.Answer{Value: protocol.String(string(w.text))}, nil
	}
	return drivers.Answer{Value: protocol.Bytes(string(w.text))}, nil
}

var errDamaged = errors.New("the answer is damaged")
