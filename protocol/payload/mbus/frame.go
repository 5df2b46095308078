package mbus

import (
	"bytes"

	"sluice/protocol"
)

// The bytes that begin and end a frame.
const (
	longStart  = 0x68
	shortStart = 0x10
	stop       = 0x16
)

// ack is the whole of an acknowledgement.
const ack = 0xe5

// unframe returns what follows the address in a long frame: CI and user data.
func unframe(message []byte) ([]byte, *protocol.Refusal) {
	if len(message) == 0 {
		return nil, protocol.Refuse("empty", "the message is empty")
	}
	switch message[0] {
	case longStart:
	case ack:
		return nil, protocol.Refuse("kind", "an acknowledgement")
	case shortStart:
		return nil, protocol.Refuse("kind", "a short frame, which is a request")
	default:
		return nil, protocol.Refuse("syntax", "want 68 at the beginning, found %02x", message[0])
	}
	if len(message) < 6 || message[1] != message[2] || message[3] != longStart {
		return nil, protocol.Refuse("syntax", "want a long frame, 68 L L 68")
	}
	length := int(message[1])
	if length < 3 || len(message) < length+6 {
		return nil, protocol.Refuse("syntax", "the frame has %d bytes, its length says %d", len(message), length+6)
	}
	end := 4 + length
	if message[end+1] != stop || len(bytes.TrimRight(message[end+2:], "\r\n")) > 0 {
		return nil, protocol.Refuse("syntax", "the frame does not end with 16")
	}
	if sum := sumOf(message[4:end]); sum != message[end] {
		return nil, protocol.Refuse("checksum", "the frame says %02x, its bytes give %02x", message[end], sum)
	}
	return message[6:end], nil
}

func sumOf(p []byte) byte {
	var sum byte
	for _, c := range p {
		sum += c
	}
	return sum
}

// applicationErrors are what a meter answers in place of values.
var applicationErrors = [...]string{
	"unspecified error", "unimplemented CI field", "buffer too long, truncated",
	"too many records", "premature end of record", "more than 10 DIFEs",
	"more than 10 VIFEs", "reserved", "application too busy", "too many readouts",
}

func applicationError(data []byte) *protocol.Refusal {
	switch {
	case len(data) == 0:
		return protocol.Refuse("kind", "an application error: %s", applicationErrors[0])
	case int(data[0]) < len(applicationErrors):
		return protocol.Refuse("kind", "an application error: %s", applicationErrors[data[0]])
	}
	return protocol.Refuse("kind", "an application error: %d", data[0])
}
