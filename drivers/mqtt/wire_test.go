package mqtt

import (
	"bytes"
	"slices"
	"testing"

	"github.com/eclipse/paho.mqtt.golang/packets"
)

func TestScannerFindsPackets(t *testing.T) {
	var stream bytes.Buffer
	var want []byte
	for i, size := range []int{0, 1, 127, 128, 20000, 2_200_000, 3} {
		p := packets.NewControlPacket(packets.Publish).(*packets.PublishPacket)
		p.TopicName, p.Payload, p.Qos = "t", make([]byte, size), byte(i%3)
		if err := p.Write(&stream); err != nil {
			t.Fatal(err)
		}
		want = append(want, 0x30|p.Qos<<1)
		packets.NewControlPacket(packets.Pingresp).Write(&stream)
		want = append(want, pingresp)
	}
	for _, step := range []int{1, 2, 3, 7, 4096, stream.Len()} {
		var s scanner
		var got []byte
		for chunk := range slices.Chunk(stream.Bytes(), step) {
			s.feed(chunk, func(header byte) { got = append(got, header) })
		}
		if !bytes.Equal(got, want) {
			t.Errorf("in steps of %d: found %x, want %x", step, got, want)
		}
	}
}
