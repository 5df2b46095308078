package bus

import (
	"time"

	"sluice/protocol/modbus"
)

// reply is an answer that is being made.
type reply struct {
	to          *conn
	unit        uint8
	transaction uint16
	pdu         []byte // of Modbus
	text        []byte // of a Device
	start       time.Time
	faults      Faults
	answers     []Answer
	unasked     bool // the device talks by itself
}

// answer has a request answered that was heard on c.
func (b *Bus) answer(c *conn, q request, heard Interval) {
	b.echo(c, heard)
	if q.phrase == nil || q.phrase.speech != nil {
		b.stats.Requests++
	}
	switch {
	case q.phrase != nil:
		b.speak(c, q.phrase, heard.End)
	case b.slaves[heard.Unit] != nil:
		b.work(c, b.slaves[heard.Unit], q.frame, heard.End)
	case heard.Unit == 0 && b.options.Mode != TCP:
		b.broadcast(q.frame.PDU, heard.End)
	default:
		b.stats.Unheard++
		if b.options.Mode == TCP {
			refusal := modbus.Response{Function: function(q.frame.PDU), Exception: modbus.GatewayTargetNoResponse}
			b.send(b.respond(c, q.frame, heard.End.Add(b.pause(0, 0)), refusal))
		}
	}
}

func function(pdu []byte) modbus.Function { return modbus.Function(pdu[0] &^ 0x80) }

// work has a slave answer.
func (b *Bus) work(c *conn, s *slave, f modbus.Frame, end time.Time) {
	if _, silent := b.strikes(Silent, s.Unit); silent {
		return
	}
	start := end.Add(b.pause(s.Turnaround, s.Jitter))
	if t, refused := b.strikes(Refused, s.Unit); refused {
		r := b.respond(c, f, start, modbus.Response{Function: function(f.PDU), Exception: t.Code})
		r.faults.add(Refused)
		b.send(r)
		return
	}
	w := &work{slave: s, at: start, accounts: b.options.Ledger != nil}
	response := w.do(f.PDU)
	if response.Exception != 0 {
		b.stats.Exceptions++
	}
	r := b.respond(c, f, start, response)
	r.answers = w.answers
	b.send(r)
}

// respond makes the reply of a Modbus response. What a slave answers can be
// appended: it is made of a request that was checked.
func (b *Bus) respond(c *conn, f modbus.Frame, start time.Time, response modbus.Response) *reply {
	pdu, err := response.Append(nil)
	if err != nil {
		response = modbus.Response{Function: response.Function, Exception: modbus.ServerDeviceFailure}
		pdu, _ = response.Append(nil)
	}
	return &reply{to: c, unit: f.Unit, transaction: f.Transaction, pdu: pdu, start: start}
}

// broadcast has all slaves do what nobody answers.
func (b *Bus) broadcast(pdu []byte, end time.Time) {
	b.stats.Broadcasts++
	if function(pdu) != modbus.Function(pdu[0]) || pdu[0] <= byte(modbus.ReadInputRegisters) {
		return
	}
	for _, s := range b.slaves {
		if s != nil {
			w := &work{slave: s, at: end}
			w.do(pdu)
		}
	}
}

// speak has a device say what was asked for, or wakes it up.
func (b *Bus) speak(c *conn, p *phrase, end time.Time) {
	d := p.device
	if p.speech == nil {
		d.awake = end.Add(d.Awake)
		return
	}
	if !d.hears(end) {
		b.stats.Unheard++
		return
	}
	if _, silent := b.strikes(Silent, d.Unit); silent {
		return
	}
	start := end.Add(b.pause(d.Turnaround, d.Jitter))
	if text := p.speech(start); len(text) > 0 {
		b.send(&reply{to: c, unit: d.Unit, text: text, start: start, answers: b.said(d, text)})
	}
}

// said returns the ledger's entry of a text.
func (b *Bus) said(d *device, text []byte) []Answer {
	if b.options.Ledger == nil {
		return nil
	}
	return []Answer{{Unit: d.Unit, Text: text}}
}

// pause returns how long after a request its answer begins.
func (b *Bus) pause(turnaround, jitter time.Duration) time.Duration {
	if turnaround == 0 && jitter == 0 {
		turnaround, jitter = b.options.Turnaround, b.options.Jitter
	}
	if jitter > 0 {
		turnaround += time.Duration(b.random.Int64N(int64(jitter) + 1))
	}
	return max(turnaround, b.timing.gap)
}

// echo has the adapter hear the request itself.
func (b *Bus) echo(c *conn, heard Interval) {
	if !c.wire.judged {
		return
	}
	if _, ok := b.strikes(Echo, heard.Unit); ok {
		c.wire.launch(&transmission{
			to: c, start: heard.Start, char: c.wire.char, bytes: append([]byte(nil), heard.Bytes...),
			unit: heard.Unit, faults: 1 << Echo, local: true,
		})
	}
}
