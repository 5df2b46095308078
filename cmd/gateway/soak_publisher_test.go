package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"sync/atomic"
	"time"

	"github.com/eclipse/paho.mqtt.golang/packets"

	"sluice/firmware-sim/ledger"
	"sluice/protocol"
)

// voiceKind is what can tell the readings of a device apart. It is the name of
// their profile too.
type voiceKind string

const (
	timed  voiceKind = "timed"  // a time of the device's own, and rising values
	rising voiceKind = "rising" // rising values alone
	equal  voiceKind = "equal"  // nothing: all payloads are equal, and each counts
)

var voiceKinds = []voiceKind{timed, rising, equal}

// voice is a device under load.
type voice struct {
	name string
	kind voiceKind
	sent int64              // messages so far
	last protocol.Timestamp // its own time, in whole microseconds

	acked   atomic.Int64 // by the broker
	doubted atomic.Int64 // sent, but the connection was lost before they were acknowledged
}

// next returns the device's next message and what a sink should get of it.
func (v *voice) next() (payload []byte, s ledger.Sample) {
	v.sent++
	n := v.sent
	s.At = protocol.At(time.Now())
	switch v.kind {
	case timed:
		v.last = max(v.last+1000, s.At/1000*1000)
		s.Time = v.last
		payload = fmt.Appendf(nil, `{"ts":%d,"n":%d}`, v.last/1000, n)
	case rising:
		payload = fmt.Appendf(nil, `{"n":%d}`, n)
	case equal:
		n = 7
		payload = fmt.Appendf(nil, `{"n":%d}`, n)
	}
	s.Metrics = []protocol.Metric{{Name: "n", Value: protocol.Int(n)}}
	return payload, s
}

// The bounds of one talker.
const (
	talkWindow = 100                    // publishes without an acknowledgement
	talkAnswer = 20 * time.Second       // for the broker to acknowledge
	talkLook   = 10 * time.Millisecond  // how often a broker that is away, or room, is looked for
	talkDebt   = 100 * time.Millisecond // how much of a pause is made up for
)

// talker publishes for its devices over one connection with QoS 1, as fast as the
// broker acknowledges and pace allows. It is run by one goroutine.
//
// What was not acknowledged when the connection was lost is not sent again: the
// broker has it or has not, so the ledger lets it arrive once or never.
type talker struct {
	id      string
	address string
	ledger  *ledger.Ledger
	turns   []*voice     // who speaks after whom; a device may have several turns
	every   atomic.Int64 // nanoseconds between two messages at least
	hold    func() bool  // whether too much is under way already

	turn    int
	due     time.Time // of the next message
	conn    net.Conn
	in      *bufio.Reader
	out     *bufio.Writer
	packet  uint16
	flights []flight // oldest first
}

// flight is a publish that is not acknowledged.
type flight struct {
	voice  *voice
	packet uint16
	ref    ledger.Ref
}

// run talks until ctx ends and everything sent is acknowledged, over every loss
// of the connection.
func (k *talker) run(ctx context.Context) error {
	for ctx.Err() == nil {
		if err := k.connect(); err != nil {
			rest(ctx, talkLook)
			continue
		}
		err := k.talk(ctx)
		k.hangUp()
		if errors.Is(err, errDisorder) {
			return err
		}
	}
	return nil
}

// hangUp closes the connection once it has read what the broker wrote before it
// closed it.
func (k *talker) hangUp() {
	for len(k.flights) > 0 && k.listen() == nil {
	}
	k.conn.Close()
	for _, f := range k.flights {
		f.voice.doubted.Add(1)
	}
	k.flights = nil
}

func (k *talker) connect() (err error) {
	if k.conn, err = net.DialTimeout("tcp", k.address, talkAnswer); err != nil {
		return err
	}
	k.in, k.out, k.packet = bufio.NewReader(k.conn), bufio.NewWriter(k.conn), 0
	hello := packets.NewControlPacket(packets.Connect).(*packets.ConnectPacket)
	hello.ProtocolName, hello.ProtocolVersion, hello.CleanSession = "MQTT", 4, true
	hello.ClientIdentifier = k.id
	if err = errors.Join(hello.Write(k.out), k.out.Flush()); err == nil {
		_, err = k.read()
	}
	if err != nil {
		k.conn.Close()
	}
	return err
}

// talk publishes until ctx ends, and then waits for what is under way.
func (k *talker) talk(ctx context.Context) error {
	for ctx.Err() == nil || len(k.flights) > 0 {
		for ctx.Err() == nil && len(k.flights) < talkWindow && k.mayTalk() {
			if err := k.say(); err != nil {
				return err
			}
		}
		if err := k.out.Flush(); err != nil {
			return err
		}
		if len(k.flights) == 0 {
			rest(ctx, max(time.Until(k.due), talkLook))
			continue
		}
		if err := k.listen(); err != nil {
			return err
		}
	}
	return nil
}

func (k *talker) mayTalk() bool {
	now := time.Now()
	if k.due.Before(now.Add(-talkDebt)) {
		k.due = now.Add(-talkDebt)
	}
	return !k.due.After(now) && !k.hold()
}

func (k *talker) say() error {
	v := k.turns[k.turn%len(k.turns)]
	k.turn++
	k.due = k.due.Add(time.Duration(k.every.Load()))
	payload, sample := v.next()
	k.packet = max(1, k.packet+1)
	m := packets.NewControlPacket(packets.Publish).(*packets.PublishPacket)
	m.TopicName, m.Payload, m.Qos, m.MessageID = "soak/"+string(v.kind)+"/"+v.name, payload, 1, k.packet
	k.flights = append(k.flights, flight{v, k.packet, k.ledger.Sent(v.name, sample)})
	return m.Write(k.out)
}

var errDisorder = errors.New("broker acknowledges out of order")

// listen takes the acknowledgements that are there, at least one.
func (k *talker) listen() error {
	for first := true; first || k.in.Buffered() > 0; first = false {
		p, err := k.read()
		if err != nil {
			return err
		}
		ack, ok := p.(*packets.PubackPacket)
		if !ok || len(k.flights) == 0 || ack.MessageID != k.flights[0].packet {
			return fmt.Errorf("%w: %v", errDisorder, p)
		}
		k.ledger.Confirmed(k.flights[0].ref)
		k.flights[0].voice.acked.Add(1)
		k.flights = k.flights[1:]
	}
	return nil
}

func (k *talker) read() (packets.ControlPacket, error) {
	if err := k.conn.SetReadDeadline(time.Now().Add(talkAnswer)); err != nil {
		return nil, err
	}
	return packets.ReadPacket(k.in)
}

// rest waits for d or the end of ctx.
func rest(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}
