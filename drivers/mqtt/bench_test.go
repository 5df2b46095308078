package mqtt

import (
	"fmt"
	"testing"

	"sluice/protocol"
)

// message is one of the library's, without a connection.
type message struct {
	topic   string
	payload []byte
	id      uint16
}

func (m *message) Duplicate() bool   { return false }
func (m *message) Qos() byte         { return 1 }
func (m *message) Retained() bool    { return false }
func (m *message) Topic() string     { return m.topic }
func (m *message) MessageID() uint16 { return m.id }
func (m *message) Payload() []byte   { return m.payload }
func (m *message) Ack()              {}

// keeper accepts everything and has it durable at once.
type keeper struct{}

func (keeper) Emit(b *protocol.Batch) bool {
	b.Done(nil)
	return true
}

func newReceiver(tb testing.TB) (*connection, []*message) {
	cfg := DefaultConfig()
	cfg.URL = "mqtt://h"
	d, err := New("floor", cfg, []Device{climate}, Options{Gateway: "g"})
	if err != nil {
		tb.Fatal(err)
	}
	var ms []*message
	for i := range 256 {
		ms = append(ms, &message{
			topic:   fmt.Sprintf("plant/a/s%d/climate", i),
			payload: []byte(`{"temperature":21.25,"humidity":45.5,"pressure":1013.25,"battery":3.61}`),
			id:      uint16(i + 1),
		})
	}
	return newConnection(d, newOutlet(keeper{})), ms
}

// BenchmarkReceive is the way of one message of four metrics from the library's
// goroutine to the pipeline and its acknowledgement back to the wire.
func BenchmarkReceive(b *testing.B) {
	c, ms := newReceiver(b)
	var packets []byte
	var origins []protocol.Origin
	b.ReportAllocs()
	for n := 0; b.Loop(); n++ {
		c.receive(nil, ms[n%len(ms)])
		if n%64 == 63 {
			packets, origins = c.owed.take(packets[:0], origins[:0])
		}
	}
}
