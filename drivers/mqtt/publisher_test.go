package mqtt

import (
	"fmt"
	"net"
	"testing"

	"github.com/eclipse/paho.mqtt.golang/packets"
)

// freeAddress returns an address of this machine that nobody listens at.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// publisher is a device's side: a synchronous client without goroutines, so
// that a test knows when the broker has a message.
type publisher struct {
	t       *testing.T
	address string
	conn    net.Conn
	id      uint16
}

func newPublisher(t *testing.T, address string) *publisher {
	p := &publisher{t: t, address: address}
	t.Cleanup(p.close)
	return p
}

func (p *publisher) close() {
	if p.conn != nil {
		p.conn.Close()
		p.conn = nil
	}
}

// send publishes and waits for the broker's acknowledgement. It connects when
// it must.
func (p *publisher) send(topic, payload string, qos byte, retain bool) {
	p.t.Helper()
	err := p.try(topic, payload, qos, retain)
	if err != nil { // the broker may have been restarted
		p.close()
		err = p.try(topic, payload, qos, retain)
	}
	if err != nil {
		p.t.Fatalf("publish %q: %v", topic, err)
	}
}

func (p *publisher) try(topic, payload string, qos byte, retain bool) error {
	if p.conn == nil {
		if err := p.connect(); err != nil {
			return err
		}
	}
	m := packets.NewControlPacket(packets.Publish).(*packets.PublishPacket)
	p.id = max(1, p.id+1)
	m.TopicName, m.Payload, m.Qos, m.Retain, m.MessageID = topic, []byte(payload), qos, retain, p.id
	if err := m.Write(p.conn); err != nil {
		return err
	}
	if qos == 0 {
		return nil
	}
	_, err := packets.ReadPacket(p.conn) // PUBACK or PUBREC
	if err != nil || qos == 1 {
		return err
	}
	rel := packets.NewControlPacket(packets.Pubrel).(*packets.PubrelPacket)
	rel.MessageID = p.id
	if err := rel.Write(p.conn); err != nil {
		return err
	}
	_, err = packets.ReadPacket(p.conn) // PUBCOMP
	return err
}

func (p *publisher) connect() (err error) {
	if p.conn, err = net.Dial("tcp", p.address); err != nil {
		return err
	}
	hello := packets.NewControlPacket(packets.Connect).(*packets.ConnectPacket)
	hello.ProtocolName, hello.ProtocolVersion, hello.CleanSession = "MQTT", 4, true
	hello.ClientIdentifier = fmt.Sprintf("publisher-%p", p)
	if err := hello.Write(p.conn); err != nil {
		return err
	}
	_, err = packets.ReadPacket(p.conn)
	return err
}
