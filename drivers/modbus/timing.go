package modbus

import (
	"time"

	"sluice/drivers/serial/port"
	"sluice/protocol/modbus"
)

// framing is how requests are wrapped.
type framing uint8

const (
	framedRTU framing = iota
	framedASCII
	framedTCP
)

// framed returns how requests are wrapped on the bus of c.
func (c *Config) framed() framing {
	switch at, err := parseAddress(c.URL); {
	case c.URL != "" && (err != nil || !at.rtu):
		return framedTCP
	case c.URL == "" && c.Mode == modeASCII:
		return framedASCII
	}
	return framedRTU
}

// bytes returns how long a frame is whose PDU has n bytes.
func (f framing) bytes(n int) int {
	switch f {
	case framedASCII:
		return 1 + 2*(1+n+1) + 2 // colon, digits of unit, PDU and LRC, CR, LF
	case framedTCP:
		return 7 + n
	}
	return 1 + n + 2
}

// Timing says how long things take on a bus.
type Timing struct {
	Char       time.Duration // one character on the wire; 0: no time worth counting
	Gap        time.Duration // silence before a request
	Turnaround time.Duration // until a unit begins to answer
	framing    framing
}

// The defaults of Config.Turnaround.
const (
	turnaroundLine = 5 * time.Millisecond
	turnaroundTCP  = time.Millisecond
)

// Above fastest the specification fixes the gap, since characters are too short
// for devices to count.
const (
	fastest = 19200
	fastGap = 1750 * time.Microsecond
)

// Timing returns the timing of the bus of c, which is valid.
func (c *Config) Timing() Timing {
	t := Timing{Gap: c.Gap, Turnaround: c.Turnaround, framing: c.framed()}
	if t.Turnaround == 0 {
		t.Turnaround = turnaroundLine
		if c.URL != "" {
			t.Turnaround = turnaroundTCP
		}
	}
	line, err := port.ParseLine(c.Line)
	if c.URL != "" || err != nil {
		return t
	}
	t.Char = time.Second * time.Duration(bitsPerChar(line)) / time.Duration(line.Baud)
	switch {
	case t.Gap != 0:
	case line.Baud > fastest:
		t.Gap = max(fastGap, t.Char*7/2)
	default:
		t.Gap = t.Char * 7 / 2
	}
	return t
}

// bitsPerChar counts the start bit, too.
func bitsPerChar(l port.Line) int {
	bits := 1 + l.Data + l.Stop
	if l.Parity != port.None {
		bits++
	}
	return bits
}

// Wire returns how long the frame takes on the wire whose PDU has n bytes.
func (t Timing) Wire(n int) time.Duration { return t.Char * time.Duration(t.framing.bytes(n)) }

// Transaction returns how long the bus is busy with one request: the silence
// before it, the request, what the unit takes to answer, and the answer.
func (t Timing) Transaction(q *modbus.Request) time.Duration {
	return t.Gap + t.Wire(requestLength(q)) + t.Turnaround + t.Wire(q.ResponseLength())
}

// requestLength returns how many bytes the PDU of q has.
func requestLength(q *modbus.Request) int {
	switch q.Function {
	case modbus.WriteMultipleCoils, modbus.WriteMultipleRegisters:
		return 6 + len(q.Data)
	case modbus.MaskWriteRegister:
		return 7
	}
	return 5
}
