package bus

import (
	"bytes"

	"sluice/protocol/modbus"
)

const maxNoise = 16 // bytes of noise around an answer

// send puts a reply on its way, with the faults that strike it.
func (b *Bus) send(r *reply) {
	t := &transmission{
		to: r.to, start: r.start, char: r.to.wire.char, unit: r.unit, faults: r.faults,
		answers: r.answers, answer: true, unasked: r.unasked,
	}
	t.bytes = b.encode(r, t)
	if r.to.wire.judged {
		b.surround(t)
	}
	if late, ok := b.strikes(Late, t.unit); ok {
		t.faults.add(Late)
		t.start = t.start.Add(late.Delay)
	}
	b.interrupt(t)
	if r.to.wire.judged {
		b.follow(t)
	}
}

// encode returns the frame of a reply, or what became of it.
func (b *Bus) encode(r *reply, t *transmission) []byte {
	unit := r.unit
	if r.text == nil && b.hit(WrongUnit, t) {
		unit = uint8(1 + (int(unit)+b.random.IntN(246))%247) // 1 to 247, and not unit
	}
	var frame []byte
	switch b.options.Mode {
	case ASCII:
		frame = modbus.AppendASCII(nil, unit, r.pdu)
	case TCP:
		frame = modbus.AppendTCP(nil, r.transaction, unit, r.pdu)
	case Text:
		frame = bytes.Clone(r.text)
	default:
		frame = modbus.AppendRTU(nil, unit, r.pdu)
	}
	if b.hit(BadCRC, t) {
		b.damage(frame)
	}
	if len(frame) > 1 && b.hit(Truncated, t) {
		frame = frame[:1+b.random.IntN(len(frame)-1)]
	}
	return frame
}

// damage changes a frame so that its check fails.
func (b *Bus) damage(frame []byte) {
	switch b.options.Mode {
	case ASCII:
		at := &frame[len(frame)-3] // the last digit, '0' to '9' or 'A' to 'F'
		if *at == 'F' {
			*at = '0'
		} else {
			*at = 'F'
		}
	case TCP:
		frame[1] ^= 0x55
	case Text:
		frame[b.random.IntN(max(1, len(frame)-2))] ^= 1
	default:
		frame[len(frame)-1] ^= 0x55
	}
}

// hit is strikes for the transmission that is being made.
func (b *Bus) hit(f Fault, t *transmission) bool {
	_, ok := b.strikes(f, t.unit)
	if ok {
		t.faults.add(f)
	}
	return ok
}

// surround puts noise before and after an answer.
func (b *Bus) surround(t *transmission) {
	if b.hit(NoiseBefore, t) {
		t.bytes = append(b.noise(maxNoise), t.bytes...)
	}
	if b.hit(NoiseAfter, t) {
		t.bytes = append(t.bytes, b.noise(maxNoise)...)
	}
}

// interrupt puts a pause into an answer, and it on its way.
func (b *Bus) interrupt(t *transmission) {
	pause, ok := Trouble{}, false
	if len(t.bytes) > 1 {
		pause, ok = b.strikes(Pause, t.unit)
	}
	if !ok {
		t.to.wire.launch(t)
		return
	}
	t.faults.add(Pause)
	rest := *t
	n := 1 + b.random.IntN(len(t.bytes)-1)
	rest.bytes = t.bytes[n:]
	rest.start = t.at(n).Add(pause.Delay)
	t.bytes, t.answer, t.answers, t.rest = t.bytes[:n:n], false, nil, &rest
	t.to.wire.launch(t)
	t.to.wire.launch(&rest)
}

// follow puts noise on the line some time after an answer.
func (b *Bus) follow(t *transmission) {
	if t.rest != nil {
		t = t.rest
	}
	if late, ok := b.strikes(NoiseBetween, t.unit); ok {
		at := t.end().Add(t.to.wire.gap)
		if late.Delay > 0 {
			at = at.Add(b.random.N(late.Delay))
		}
		b.disturb(t.to, at, NoiseBetween, t.unit, maxNoise)
	}
}
