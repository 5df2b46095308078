// Package modbus builds and reads Modbus messages: the requests and responses of
// the application protocol (V1.1b3), their frames on serial lines (RTU and ASCII,
// V1.02) and on TCP (V1.0b), and the values that registers hold.
//
// It does no I/O, reads no clock and starts no goroutine. What it builds is as
// the specification says; what it reads may be a bit less so. Addresses count
// from 0: the register that manuals call 40001 is the holding register 0.
package modbus

import "fmt"

// Function is a function code.
type Function uint8

// The functions that requests and responses are built for.
const (
	ReadCoils              Function = 1
	ReadDiscreteInputs     Function = 2
	ReadHoldingRegisters   Function = 3
	ReadInputRegisters     Function = 4
	WriteSingleCoil        Function = 5
	WriteSingleRegister    Function = 6
	WriteMultipleCoils     Function = 15
	WriteMultipleRegisters Function = 16
	MaskWriteRegister      Function = 22
	ReadWriteRegisters     Function = 23
)

// Other functions of the specification: their length is known, so that they do
// not disturb a stream.
const (
	readExceptionStatus Function = 7
	diagnostics         Function = 8
	getEventCounter     Function = 11
	getEventLog         Function = 12
	reportServerID      Function = 17
	readFileRecord      Function = 20
	writeFileRecord     Function = 21
	readFIFO            Function = 24
	encapsulated        Function = 43
)

// failed is set in the function code of a response that is an exception.
const failed = 0x80

// The most that one request may read or write.
const (
	MaxReadBits       = 2000
	MaxReadRegisters  = 125
	MaxWriteBits      = 1968
	MaxWriteRegisters = 123
	MaxExchange       = 121 // registers that ReadWriteRegisters writes
)

// maxPDU is the length of the longest request or response in bytes.
const maxPDU = 253

// The values of WriteSingleCoil.
const (
	CoilOn  uint16 = 0xff00
	CoilOff uint16 = 0
)

// String returns the name that the specification uses.
func (f Function) String() string {
	switch f {
	case ReadCoils:
		return "read coils"
	case ReadDiscreteInputs:
		return "read discrete inputs"
	case ReadHoldingRegisters:
		return "read holding registers"
	case ReadInputRegisters:
		return "read input registers"
	case WriteSingleCoil:
		return "write single coil"
	case WriteSingleRegister:
		return "write single register"
	case WriteMultipleCoils:
		return "write multiple coils"
	case WriteMultipleRegisters:
		return "write multiple registers"
	case MaskWriteRegister:
		return "mask write register"
	case ReadWriteRegisters:
		return "read/write multiple registers"
	}
	return fmt.Sprintf("function %d", uint8(f))
}

// Exception is the reason that a server gives instead of a result. It is an
// error; 0 is none.
type Exception uint8

// The exceptions of the specification.
const (
	IllegalFunction         Exception = 1
	IllegalDataAddress      Exception = 2
	IllegalDataValue        Exception = 3
	ServerDeviceFailure     Exception = 4
	Acknowledge             Exception = 5
	ServerDeviceBusy        Exception = 6
	NegativeAcknowledge     Exception = 7
	MemoryParityError       Exception = 8
	GatewayPathUnavailable  Exception = 10
	GatewayTargetNoResponse Exception = 11
)

var exceptionNames = [...]string{
	1: "illegal function", 2: "illegal data address", 3: "illegal data value", 4: "server device failure",
	5: "acknowledge", 6: "server device busy", 7: "negative acknowledge", 8: "memory parity error",
	10: "gateway path unavailable", 11: "gateway target device failed to respond",
}

// Error returns the code and the specification's name for it.
func (e Exception) Error() string {
	if int(e) < len(exceptionNames) && exceptionNames[e] != "" {
		return fmt.Sprintf("exception %d: %s", uint8(e), exceptionNames[e])
	}
	return fmt.Sprintf("exception %d", uint8(e))
}
