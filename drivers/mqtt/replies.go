package mqtt

import (
	"bytes"
	"io"
	"log/slog"
	"sync/atomic"

	"github.com/eclipse/paho.mqtt.golang/packets"

	"sluice/protocol/payload"
)

// maxReplies is how many replies may wait for the wire. A device that gets none
// is asked again when it next gives cause to.
const maxReplies = 64

// reply is a message that a decoder wants published.
type reply struct {
	topic   string
	payload []byte
}

// replies publishes what decoders reply on one connection, with QoS 0 and not
// retained: what is not delivered is of no use later.
type replies struct {
	queue   chan reply // take sends, run receives, nobody closes it; maxReplies, so that receive never waits
	log     *slog.Logger
	told    bool           // that one was dropped was logged; used by take
	dropped *atomic.Uint64 // counts those that were
}

func newReplies(log *slog.Logger, dropped *atomic.Uint64) *replies {
	return &replies{queue: make(chan reply, maxReplies), log: log, dropped: dropped}
}

// take queues what from, which may be nil, has to reply. It never blocks.
func (r *replies) take(from payload.Replier) {
	if from == nil {
		return
	}
	topic, text, ok := from.Reply()
	if !ok {
		return
	}
	select {
	case r.queue <- reply{topic, text}:
	default:
		r.dropped.Add(1)
		if !r.told {
			r.told = true
			r.log.Warn("replies to devices are dropped: the broker does not take them", "topic", topic)
		}
	}
}

// run writes replies until stop is closed (then it returns nil) or writing
// fails. They go straight to the wire, whose writes are limited in time; the
// library's Publish could outlast the end of the connection.
func (r *replies) run(to io.Writer, stop <-chan struct{}) error {
	var packet bytes.Buffer
	for {
		select {
		case next := <-r.queue:
			packet.Reset()
			m := packets.NewControlPacket(packets.Publish).(*packets.PublishPacket)
			m.TopicName, m.Payload = next.topic, next.payload
			if err := m.Write(&packet); err != nil {
				return err
			}
			if _, err := to.Write(packet.Bytes()); err != nil {
				return err
			}
			r.log.Debug("replied to a device", "topic", next.topic)
		case <-stop:
			return nil
		}
	}
}

// DroppedReplies counts the replies that were dropped because the broker did not
// take them. It implements drivers.Replier.
func (d *Driver) DroppedReplies() uint64 { return d.dropped.Load() }
