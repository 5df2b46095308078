package modbus

import (
	"bytes"
	"encoding/binary"
	"fmt"
)

// Response is what a server answers. Which fields count depends on the function.
type Response struct {
	Function  Function
	Exception Exception // not 0: there is nothing else
	Address   uint16    // repeats the request's, where something was written
	Quantity  uint16    // of 15 and 16, likewise
	Value     uint16    // of 5, 6 and 22, likewise
	Or        uint16    // of 22, likewise
	Data      []byte    // what was read: coils from bit 0 on, registers with the high byte first
}

// Append appends the response's PDU to dst, or returns dst and an error when it
// is none that the specification knows.
func (r *Response) Append(dst []byte) ([]byte, error) {
	if !r.Function.built() && r.Exception == 0 {
		return dst, fmt.Errorf("append response: %v: %w", r.Function, IllegalFunction)
	}
	if r.Exception != 0 {
		return append(dst, byte(r.Function)|failed, byte(r.Exception)), nil
	}
	if err := r.check(); err != nil {
		return dst, fmt.Errorf("append response: %w", err)
	}
	dst = append(dst, byte(r.Function))
	if r.Function.reads() {
		return appendCounted(dst, r.Data), nil
	}
	dst = binary.BigEndian.AppendUint16(dst, r.Address)
	switch r.Function {
	case WriteMultipleCoils, WriteMultipleRegisters:
		return binary.BigEndian.AppendUint16(dst, r.Quantity), nil
	case MaskWriteRegister:
		dst = binary.BigEndian.AppendUint16(dst, r.Value)
		return binary.BigEndian.AppendUint16(dst, r.Or), nil
	}
	return binary.BigEndian.AppendUint16(dst, r.Value), nil
}

// reads reports whether f brings data back.
func (f Function) reads() bool { return f <= ReadInputRegisters || f == ReadWriteRegisters }

// registers reports whether that data is registers.
func (f Function) registers() bool { return f.reads() && f > ReadDiscreteInputs }

func (r *Response) check() error {
	n := len(r.Data)
	switch {
	case !r.Function.reads():
	case n == 0 || n > 2*MaxReadRegisters || r.Function.registers() && n%2 != 0:
		return fmt.Errorf("%v: %d bytes of data: %w", r.Function, n, IllegalDataValue)
	}
	return nil
}

// ParseResponse reads the PDU of a response. Data is part of pdu. Whether it
// belongs to a request is for Answers to say.
func ParseResponse(pdu []byte) (Response, error) {
	if len(pdu) < 2 {
		return Response{}, fmt.Errorf("parse response: only %d bytes", len(pdu))
	}
	r := Response{Function: Function(pdu[0] &^ failed)}
	switch n := ResponseLength(pdu); {
	case n != len(pdu):
		return Response{}, fmt.Errorf("parse response: %v: %d bytes%s", r.Function, len(pdu), wanted(n))
	case pdu[0]&failed != 0:
		r.Exception = Exception(pdu[1])
		return r, nil
	case !r.Function.built():
		return Response{}, fmt.Errorf("parse response: %v is none of ours", r.Function)
	case r.Function.reads():
		r.Data = pdu[2:]
		return r, nil
	}
	r.Address = binary.BigEndian.Uint16(pdu[1:])
	second := binary.BigEndian.Uint16(pdu[3:])
	switch r.Function {
	case WriteMultipleCoils, WriteMultipleRegisters:
		r.Quantity = second
	case MaskWriteRegister:
		r.Value, r.Or = second, binary.BigEndian.Uint16(pdu[5:])
	default:
		r.Value = second
	}
	return r, nil
}

func wanted(n int) string {
	if n <= 0 {
		return ""
	}
	return fmt.Sprintf(", want %d", n)
}

// Answers returns nil when r is the result of q, an error that wraps the
// Exception when the server refused it, and another one when r belongs to a
// different request: on a serial line an answer that came too late looks so.
func (r *Response) Answers(q *Request) error {
	switch {
	case r.Function != q.Function:
		return fmt.Errorf("%v was asked, the answer is to %v", q.Function, r.Function)
	case r.Exception != 0:
		return fmt.Errorf("%v: %w", r.Function, r.Exception)
	case r.Function.reads():
		if want := q.ResponseLength() - 2; len(r.Data) != want {
			return fmt.Errorf("%v: %d bytes of data, want %d", r.Function, len(r.Data), want)
		}
	default:
		if want := q.Result(nil); !r.equal(&want) {
			return fmt.Errorf("%v: the answer is to another request than %d", r.Function, q.Address)
		}
	}
	return nil
}

// Result returns the response to q that brings data, or that repeats what the
// request wrote.
func (q *Request) Result(data []byte) Response {
	r := Response{Function: q.Function, Address: q.Address}
	switch q.Function {
	case WriteSingleCoil, WriteSingleRegister:
		r.Value = q.Value
	case MaskWriteRegister:
		r.Value, r.Or = q.Value, q.Or
	case WriteMultipleCoils, WriteMultipleRegisters:
		r.Quantity = q.Quantity
	default:
		r.Address, r.Data = 0, data
	}
	return r
}

// Refuse returns the response that refuses q.
func (q *Request) Refuse(e Exception) Response { return Response{Function: q.Function, Exception: e} }

// equal reports whether two responses are the same.
func (r *Response) equal(other *Response) bool {
	return r.Function == other.Function && r.Exception == other.Exception && r.Address == other.Address &&
		r.Quantity == other.Quantity && r.Value == other.Value && r.Or == other.Or && bytes.Equal(r.Data, other.Data)
}
