package modbus

import (
	"errors"
	"strconv"

	"sluice/protocol/modbus"
)

// failure is why a request got no answer that can be used, while the line is
// all right. It is a counter's label.
type failure string

// The failures of a request.
const (
	failedTimeout   failure = "timeout"    // nothing came
	failedChecksum  failure = "checksum"   // an answer came, damaged
	failedTruncated failure = "truncated"  // an answer began and did not end
	failedUnit      failure = "wrong_unit" // somebody else answered
	failedEcho      failure = "echo"       // what came back is not what was sent: somebody else spoke too
)

// Error says what happened, for people.
func (f failure) Error() string {
	switch f {
	case failedTimeout:
		return "no answer came"
	case failedChecksum:
		return "the answer is damaged"
	case failedTruncated:
		return "the answer broke off"
	case failedEcho:
		return "the echo differs from what was sent"
	}
	return "another unit answered"
}

// errLost marks the errors after which the line has to be opened again.
var errLost = errors.New("the connection is lost")

// exceptionReasons are the labels of exceptions, by code.
var exceptionReasons = func() (labels [256]string) {
	for code := range labels {
		labels[code] = "exception_" + strconv.Itoa(code)
	}
	return labels
}()

// outcomeOf says what an exception means for the turns of its unit.
func outcomeOf(e modbus.Exception) outcome {
	switch e {
	case modbus.Acknowledge, modbus.ServerDeviceBusy:
		return busy
	case modbus.GatewayPathUnavailable, modbus.GatewayTargetNoResponse:
		return garbled // it is a gateway that speaks, and the unit is silent
	}
	return answered
}
