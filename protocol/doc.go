// Package protocol says what a reading is: the values, devices, readings and
// batches that travel through the gateway.
//
// It does no I/O, reads no clock and starts no goroutine. Everything else
// depends on it and it depends on the standard library alone. Package frame
// finds messages in a byte stream, package payload turns a message into
// readings.
package protocol
