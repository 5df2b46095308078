package mqtt

import "encoding/binary"

// Types of packets, and the flags of a PUBLISH, in a packet's first byte.
const (
	publishQoS1 = 0x32
	retained    = 0x01
	puback      = 0x40
)

// longestPacket bounds what follows a packet's header.
const longestPacket = 1<<28 - 1

// lengthOf returns the length of a PUBLISH packet behind its header.
func lengthOf(topic string, payload []byte) int { return 2 + len(topic) + 2 + len(payload) }

// appendPublish appends a PUBLISH packet of QoS 1, whose length is at most
// longestPacket and that of its topic at most longestText.
func appendPublish(dst []byte, topic string, id uint16, retain bool, payload []byte) []byte {
	header := byte(publishQoS1)
	if retain {
		header |= retained
	}
	dst = append(dst, header)
	dst = binary.AppendUvarint(dst, uint64(lengthOf(topic, payload))) // MQTT writes lengths in the same way
	dst = binary.BigEndian.AppendUint16(dst, uint16(len(topic)))
	dst = append(dst, topic...)
	dst = binary.BigEndian.AppendUint16(dst, id)
	return append(dst, payload...)
}
