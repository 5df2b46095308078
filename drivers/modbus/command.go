package modbus

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"sluice/drivers"
	"sluice/protocol"
	"sluice/protocol/modbus"
)

// Command writes what a command of the device's profile says, and reads it back.
// It implements drivers.Commander.
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
		return drivers.Answer{}, fmt.Errorf("wait for device %s: %w", device, context.Cause(ctx))
	}
}

// order looks up what is to be written.
func (d *Driver) order(ctx context.Context, device string, c drivers.Command) (*order, error) {
	u, known := d.byName[device]
	if !known {
		return nil, fmt.Errorf("%w: device %s", drivers.ErrUnknown, device)
	}
	what, known := u.model.commands[c.Name]
	if !known {
		return nil, fmt.Errorf("%w: device %s has no %s", drivers.ErrUnknown, device, c.Name)
	}
	text := c.Value
	switch {
	case what.Value == "":
	case text != "" && text != what.Value:
		return nil, fmt.Errorf("%w: that of %s is %s, want none", drivers.ErrValue, c.Name, what.Value)
	default:
		text = what.Value
	}
	value, err := what.Sent(text)
	if err != nil {
		return nil, fmt.Errorf("%w: it %w", drivers.ErrValue, err)
	}
	return &order{ctx: ctx, unit: u, command: what, value: value, reply: make(chan reply, 1)}, nil
}

// obey does what an order says. The error is one of the line, which is lost.
func (b *bus) obey(ctx context.Context, o *order) error {
	if err := o.ctx.Err(); err != nil {
		o.reply <- reply{err: fmt.Errorf("%w: %w", drivers.ErrUnsent, err)}
		return nil
	}
	pause(ctx, b.link.timer, time.Until(o.unit.quiet))
	began := time.Now()
	value, err := b.write(ctx, o)
	switch {
	case err == nil:
		b.schedule.wake(o.unit, time.Now())
	case errors.Is(err, failedTimeout):
		b.schedule.hold(o.unit, time.Now().Add(b.schedule.late))
	}
	if err != nil {
		err = fmt.Errorf("tell %s %s: %w", o.unit.device.Name, o.command.metric.name, err)
	}
	o.reply <- reply{drivers.Answer{Value: value, Took: time.Since(began)}, err}
	if errors.Is(err, errLost) {
		return err
	}
	return nil
}

// write writes the value of an order and returns what the unit has then.
func (b *bus) write(ctx context.Context, o *order) (protocol.Value, error) {
	c := o.command
	registers, err := b.registers(ctx, o)
	if err != nil {
		return protocol.Value{}, err
	}
	wanted, _ := c.metric.value(uint16(c.metric.from), registers, nil)
	if err := b.send(ctx, o, registers); err != nil || c.Blind {
		return protocol.Value{}, err
	}
	back, err := b.fetch(ctx, o)
	if err != nil {
		return protocol.Value{}, fmt.Errorf("read back: %w", err)
	}
	got, err := c.metric.value(uint16(c.metric.from), back, nil)
	if err != nil {
		return protocol.Value{}, fmt.Errorf("read back: %w", err)
	}
	means, err := c.meaning(got)
	if err == nil && got != wanted {
		err = fmt.Errorf("read back: the device has %v", means)
	}
	return means, err
}

// registers returns what is to be written: the value, and around it what the
// unit has there.
func (b *bus) registers(ctx context.Context, o *order) ([]byte, error) {
	c := o.command
	if c.metric.space.bits() {
		return []byte{boolByte(o.value.Bool())}, nil
	}
	registers := make([]byte, 2*(c.metric.to-c.metric.from))
	if !c.whole {
		there, err := b.fetch(ctx, o)
		if err != nil {
			return nil, fmt.Errorf("read what is beside it: %w", err)
		}
		copy(registers, there)
	}
	at := modbus.Registers{Start: uint16(c.metric.from), Data: registers}
	if err := c.metric.point.Put(at, 0, o.value); err != nil {
		return nil, fmt.Errorf("%w: %w", drivers.ErrValue, err)
	}
	return registers, nil
}

func boolByte(on bool) byte {
	if on {
		return 1
	}
	return 0
}

// fetch reads what an order is about.
func (b *bus) fetch(ctx context.Context, o *order) ([]byte, error) {
	m := &o.command.metric
	r, err := b.tell(ctx, o.unit, &modbus.Request{
		Function: readers[m.space], Address: uint16(m.from), Quantity: uint16(m.to - m.from),
	})
	return slices.Clone(r.Data), err
}

// send writes coil or registers, as devices like it best: one by the function
// for one, and by that for many where they lack it.
func (b *bus) send(ctx context.Context, o *order, registers []byte) error {
	m := &o.command.metric
	q := modbus.Request{Address: uint16(m.from), Quantity: uint16(m.to - m.from), Data: registers}
	many := modbus.WriteMultipleRegisters
	if m.space.bits() {
		many = modbus.WriteMultipleCoils
	}
	if q.Quantity == 1 {
		one := modbus.Request{Address: q.Address, Function: modbus.WriteSingleRegister}
		switch {
		case !m.space.bits():
			one.Value = uint16(registers[0])<<8 | uint16(registers[1])
		case registers[0] != 0:
			one.Function, one.Value = modbus.WriteSingleCoil, modbus.CoilOn
		default:
			one.Function, one.Value = modbus.WriteSingleCoil, modbus.CoilOff
		}
		if _, err := b.tell(ctx, o.unit, &one); !errors.Is(err, modbus.IllegalFunction) {
			return err
		}
	}
	q.Function = many
	_, err := b.tell(ctx, o.unit, &q)
	return err
}

// tell sends one request of an order, once: what was done may not be done twice.
func (b *bus) tell(ctx context.Context, u *unit, q *modbus.Request) (modbus.Response, error) {
	pdu, err := q.Append(nil)
	if err != nil {
		return modbus.Response{}, fmt.Errorf("%w: %w", drivers.ErrUnsent, err)
	}
	b.counts.Requests.Add(1)
	r, err := b.link.ask(ctx, u.address, q, pdu)
	if err != nil {
		return r, err
	}
	b.reached()
	err = r.Answers(q)
	if e, ok := errors.AsType[modbus.Exception](err); ok && outcomeOf(e) == answered {
		err = fmt.Errorf("%w: %w", drivers.ErrRefused, err)
	}
	return r, err
}
