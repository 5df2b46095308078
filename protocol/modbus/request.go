package modbus

import (
	"encoding/binary"
	"fmt"
)

// Request is what a client asks of a server. Which fields count depends on the
// function.
type Request struct {
	Function     Function
	Address      uint16 // of the first coil or register; of ReadWriteRegisters, of the first that is read
	Quantity     uint16 // how many coils or registers are read, or are written by the functions 15 and 16
	Value        uint16 // WriteSingleRegister: the register; WriteSingleCoil: CoilOn or CoilOff; MaskWriteRegister: what stays (AND)
	Or           uint16 // MaskWriteRegister: what is set where nothing stays
	WriteAddress uint16 // ReadWriteRegisters: of the first that is written
	Data         []byte // what 15, 16 and 23 write: coils from bit 0 on, registers with the high byte first
}

// Check returns what is wrong with r, wrapped around the Exception that a server
// answers it with.
func (r *Request) Check() error {
	switch r.Function {
	case ReadCoils, ReadDiscreteInputs:
		return r.within(r.Address, r.Quantity, MaxReadBits)
	case ReadHoldingRegisters, ReadInputRegisters:
		return r.within(r.Address, r.Quantity, MaxReadRegisters)
	case WriteSingleCoil:
		if r.Value != CoilOn && r.Value != CoilOff {
			return fmt.Errorf("%v: value is %04x, want ff00 or 0000: %w", r.Function, r.Value, IllegalDataValue)
		}
	case WriteSingleRegister, MaskWriteRegister:
	case WriteMultipleCoils:
		return r.writes(r.Address, r.Quantity, MaxWriteBits, bytesOfBits(r.Quantity))
	case WriteMultipleRegisters:
		return r.writes(r.Address, r.Quantity, MaxWriteRegisters, 2*int(r.Quantity))
	case ReadWriteRegisters:
		if err := r.within(r.Address, r.Quantity, MaxReadRegisters); err != nil {
			return err
		}
		if len(r.Data)%2 != 0 || len(r.Data) > 2*MaxExchange {
			return fmt.Errorf("%v: %d bytes to write: %w", r.Function, len(r.Data), IllegalDataValue)
		}
		return r.within(r.WriteAddress, uint16(len(r.Data)/2), MaxExchange)
	default:
		return fmt.Errorf("%v: %w", r.Function, IllegalFunction)
	}
	return nil
}

func (r *Request) within(address, quantity, most uint16) error {
	switch {
	case quantity == 0 || quantity > most:
		return fmt.Errorf("%v: quantity is %d, want 1 to %d: %w", r.Function, quantity, most, IllegalDataValue)
	case int(address)+int(quantity) > 1<<16:
		return fmt.Errorf("%v: %d from %d on end behind 65535: %w", r.Function, quantity, address, IllegalDataAddress)
	}
	return nil
}

func (r *Request) writes(address, quantity, most uint16, size int) error {
	if err := r.within(address, quantity, most); err != nil {
		return err
	}
	if len(r.Data) != size {
		return fmt.Errorf("%v: %d bytes to write, want %d: %w", r.Function, len(r.Data), size, IllegalDataValue)
	}
	return nil
}

func bytesOfBits(n uint16) int { return (int(n) + 7) / 8 }

// Append appends the request's PDU to dst, or returns dst and what Check finds.
func (r *Request) Append(dst []byte) ([]byte, error) {
	if err := r.Check(); err != nil {
		return dst, err
	}
	dst = append(dst, byte(r.Function))
	dst = binary.BigEndian.AppendUint16(dst, r.Address)
	switch r.Function {
	case WriteSingleCoil, WriteSingleRegister:
		return binary.BigEndian.AppendUint16(dst, r.Value), nil
	case MaskWriteRegister:
		dst = binary.BigEndian.AppendUint16(dst, r.Value)
		return binary.BigEndian.AppendUint16(dst, r.Or), nil
	}
	dst = binary.BigEndian.AppendUint16(dst, r.Quantity)
	switch r.Function {
	case ReadWriteRegisters:
		dst = binary.BigEndian.AppendUint16(dst, r.WriteAddress)
		dst = binary.BigEndian.AppendUint16(dst, uint16(len(r.Data)/2))
		dst = appendCounted(dst, r.Data)
	case WriteMultipleCoils, WriteMultipleRegisters:
		dst = appendCounted(dst, r.Data)
	}
	return dst, nil
}

// appendCounted appends the number of bytes and the bytes.
func appendCounted(dst, data []byte) []byte {
	return append(append(dst, byte(len(data))), data...)
}

// ParseRequest reads the PDU of a request. Data is part of pdu. An error wraps
// the Exception that a server answers the request with.
func ParseRequest(pdu []byte) (Request, error) {
	if len(pdu) == 0 {
		return Request{}, fmt.Errorf("parse request: no bytes: %w", IllegalFunction)
	}
	r := Request{Function: Function(pdu[0])}
	switch n := RequestLength(pdu); {
	case !r.Function.built():
		return Request{}, fmt.Errorf("parse request: %v: %w", r.Function, IllegalFunction)
	case n != len(pdu):
		return Request{}, fmt.Errorf("parse request: %v: %d bytes: %w", r.Function, len(pdu), IllegalDataValue)
	}
	r.Address = binary.BigEndian.Uint16(pdu[1:])
	second := binary.BigEndian.Uint16(pdu[3:])
	switch r.Function {
	case WriteSingleCoil, WriteSingleRegister:
		r.Value = second
	case MaskWriteRegister:
		r.Value, r.Or = second, binary.BigEndian.Uint16(pdu[5:])
	case ReadWriteRegisters:
		r.Quantity, r.WriteAddress, r.Data = second, binary.BigEndian.Uint16(pdu[5:]), pdu[10:]
		if n := binary.BigEndian.Uint16(pdu[7:]); 2*int(n) != len(r.Data) {
			return Request{}, fmt.Errorf("parse request: %d bytes for %d registers: %w", len(r.Data), n, IllegalDataValue)
		}
	case WriteMultipleCoils, WriteMultipleRegisters:
		r.Quantity, r.Data = second, pdu[6:]
	default:
		r.Quantity = second
	}
	if err := r.Check(); err != nil {
		return Request{}, fmt.Errorf("parse request: %w", err)
	}
	return r, nil
}

// built reports whether requests and responses are built for f.
func (f Function) built() bool {
	return f >= ReadCoils && f <= WriteSingleRegister || f == WriteMultipleCoils || f == WriteMultipleRegisters ||
		f == MaskWriteRegister || f == ReadWriteRegisters
}
