package modbus

import "encoding/binary"

// unknown is the length of what cannot be a message.
const unknown = -1

// ResponseLength returns how many bytes the response has that begins with pdu: 0
// when more of it is needed to tell, -1 when it cannot be one. A serial line is
// read up to this length; waiting for silence instead would break on adapters
// that deliver in lumps.
func ResponseLength(pdu []byte) int {
	if len(pdu) == 0 {
		return 0
	}
	if pdu[0]&failed != 0 {
		return exceptionLength(pdu)
	}
	switch f := Function(pdu[0]); f {
	case ReadCoils, ReadDiscreteInputs, ReadHoldingRegisters, ReadInputRegisters, ReadWriteRegisters:
		return dataLength(pdu, f.registers())
	case WriteSingleCoil, WriteSingleRegister, WriteMultipleCoils, WriteMultipleRegisters, diagnostics, getEventCounter:
		return 5
	case MaskWriteRegister:
		return 7
	case readExceptionStatus:
		return 2
	case getEventLog, reportServerID, readFileRecord, writeFileRecord:
		return counted(pdu, 1)
	case readFIFO:
		return fifoLength(pdu)
	case encapsulated:
		return identificationLength(pdu)
	}
	return unknown
}

func exceptionLength(pdu []byte) int {
	if pdu[0] == failed || len(pdu) > 1 && pdu[1] == 0 {
		return unknown
	}
	return 2
}

// dataLength is the length of a response that holds what was read.
func dataLength(pdu []byte, registers bool) int {
	if len(pdu) < 2 {
		return 0
	}
	n := int(pdu[1])
	if n == 0 || n > 2*MaxReadRegisters || registers && n%2 != 0 {
		return unknown
	}
	return 2 + n
}

// counted is the length of a message that says at a place how many bytes follow.
func counted(pdu []byte, at int) int {
	if len(pdu) <= at {
		return 0
	}
	return limited(at + 1 + int(pdu[at]))
}

func limited(n int) int {
	if n > maxPDU {
		return unknown
	}
	return n
}

func fifoLength(pdu []byte) int {
	if len(pdu) < 3 {
		return 0
	}
	return limited(3 + int(binary.BigEndian.Uint16(pdu[1:])))
}

// identificationLength is the length of a device identification: a head and
// objects, each with its number and length.
func identificationLength(pdu []byte) int {
	const head, identification = 7, 14
	if len(pdu) > 1 && pdu[1] != identification {
		return unknown
	}
	if len(pdu) < head {
		return 0
	}
	n := head
	for range pdu[head-1] {
		if n+2 > maxPDU {
			return unknown
		}
		if len(pdu) < n+2 {
			return 0
		}
		n += 2 + int(pdu[n+1])
	}
	return limited(n)
}

// RequestLength returns how many bytes the request has that begins with pdu: 0
// when more of it is needed to tell, -1 when it cannot be one.
func RequestLength(pdu []byte) int {
	if len(pdu) == 0 {
		return 0
	}
	switch Function(pdu[0]) {
	case ReadCoils, ReadDiscreteInputs, ReadHoldingRegisters, ReadInputRegisters, WriteSingleCoil, WriteSingleRegister, diagnostics:
		return 5
	case WriteMultipleCoils, WriteMultipleRegisters:
		return counted(pdu, 5)
	case MaskWriteRegister:
		return 7
	case ReadWriteRegisters:
		return counted(pdu, 9)
	case readExceptionStatus, getEventCounter, getEventLog, reportServerID:
		return 1
	case readFileRecord, writeFileRecord:
		return counted(pdu, 1)
	case readFIFO:
		return 3
	case encapsulated:
		return 4
	}
	return unknown
}

// ResponseLength returns how many bytes the PDU of the result of q has.
func (q *Request) ResponseLength() int {
	switch q.Function {
	case ReadCoils, ReadDiscreteInputs:
		return 2 + bytesOfBits(q.Quantity)
	case ReadHoldingRegisters, ReadInputRegisters, ReadWriteRegisters:
		return 2 + 2*int(q.Quantity)
	case MaskWriteRegister:
		return 7
	}
	return 5
}
