// Package mqtt publishes readings to an MQTT 3.1.1 broker, one JSON message each,
// with QoS 1: a reading is delivered when the broker has acknowledged it. It may
// arrive twice after a fault, each time with the same id.
//
// MQTT 3.1.1 has no way to say no to a message. A broker that may not or cannot
// keep it either acknowledges it all the same and drops it, as mosquitto does
// with a topic that its access list forbids and beyond message_size_limit, or
// closes the connection. The former cannot be noticed here; the latter is found
// and said.
package mqtt

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"sluice/protocol"
	"sluice/sink"
)

var (
	_ sink.Sink      = (*Sink)(nil)
	_ sink.Connector = (*Sink)(nil)
	_ sink.Meter     = (*Sink)(nil)
)

const (
	fullPacket = 64 << 10 // messages are written together up to this many bytes
	keptRoom   = 1 << 20  // bounds the buffers that a Sink keeps from one Write to the next
)

// Options is what the gateway gives to every sink.
type Options struct {
	Gateway string       // the gateway's name, for topics and the client id
	Log     *slog.Logger // changes of state
}

// Sink publishes to one broker.
type Sink struct {
	cfg    Config
	broker broker
	log    *slog.Logger
	topics *sink.PerDevice[string]
	meter  meter

	conn    *connection // nil before the first Write and after one that failed
	memory  memory
	late    *time.Timer // for acknowledgements; stopped between Writes
	body    []byte      // one payload
	out     []byte      // packets to be written
	lengths []int       // of the payloads, by index of the reading
}

// New returns the sink called name. It reads the TLS files, so that a mistake
// there shows at once, and connects with the first Write.
func New(name string, cfg Config, o Options) (*Sink, error) {
	broker, err := parseURL(cfg.URL)
	if err != nil {
		return nil, fmt.Errorf("url %w", err)
	}
	pattern, err := parseTopic(cfg.Topic)
	if err != nil {
		return nil, err
	}
	if _, err := cfg.TLS.Load(); err != nil {
		return nil, err
	}
	if cfg.ClientID == "" {
		cfg.ClientID = "sluice-" + o.Gateway + "-" + name
	}
	s := &Sink{cfg: cfg, broker: broker, log: o.Log.With("sink", name), memory: newMemory(), late: time.NewTimer(0)}
	s.late.Stop()
	s.topics = sink.NewPerDevice(func(d *protocol.Device) string {
		return string(pattern.Append(nil, o.Gateway, d, escape))
	})
	return s, nil
}

// Connect connects unless there is a connection.
func (s *Sink) Connect(ctx context.Context) error {
	if s.conn != nil && !s.conn.wire.isLost() {
		return nil
	}
	s.drop()
	conn, err := s.connect(ctx)
	if err != nil {
		return err
	}
	s.log.Debug("connected", "broker", s.broker.String(), "client_id", s.cfg.ClientID)
	s.conn = conn
	return nil
}

// Write publishes the readings and waits until the broker has acknowledged each.
// It returns at once when the connection is lost; the next Write connects anew
// and leaves out what had been acknowledged. A reading on which the broker closes
// the connection, again and again, while it takes others, is rejected.
func (s *Sink) Write(ctx context.Context, readings []protocol.Reading) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("publish: %w", err)
	}
	if len(readings) == 0 {
		return nil
	}
	if err := s.Connect(ctx); err != nil {
		return err
	}
	w := &write{Sink: s, ctx: ctx, conn: s.conn, readings: readings}
	release := context.AfterFunc(ctx, s.conn.cut)
	err := w.run()
	if !release() || err != nil {
		s.drop()
	}
	if cap(s.body) > keptRoom {
		s.body = nil
	}
	if cap(s.out) > keptRoom {
		s.out = nil
	}
	return w.finish(err)
}

// Close disconnects and ends all goroutines.
func (s *Sink) Close() error {
	if s.conn != nil {
		s.conn.close()
		s.conn = nil
	}
	return nil
}

// Traffic returns the messages and bytes so far, with those of TLS.
func (s *Sink) Traffic() sink.Traffic {
	return sink.Traffic{Requests: s.meter.messages.Load(), Sent: s.meter.sent.Load(), Received: s.meter.received.Load()}
}

// drop gives up the connection, and with it everything that is in flight.
func (s *Sink) drop() {
	if s.conn != nil {
		s.conn.cut()
		s.conn.close()
		s.conn = nil
	}
}
