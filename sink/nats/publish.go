package nats

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/nats-io/nats.go"

	"sluice/protocol"
)

// historicalHeader marks a reading that comes behind newer ones.
const historicalHeader = "Sluice-Historical"

var errTooLong = errors.New("publish reading: the names in its subject are too long")

// publish sends r. It reports false and why when the server will never take it.
func (s *Sink) publish(r *protocol.Reading, acknowledge bool) (bool, error) {
	s.msg = nats.Msg{Subject: s.subjects.Of(r.Device)}
	if len(s.msg.Subject) > longestSubject {
		return false, errTooLong
	}
	if acknowledge {
		s.text = strconv.AppendUint(append(s.text[:0], s.conn.inbox...), s.sent, 36)
		s.msg.Reply = string(s.text)
	}
	if r.ID != (protocol.ID{}) {
		s.text = r.ID.Append(s.text[:0])
		s.id[0] = string(s.text)
		s.msg.Header = s.header
		if r.Historical {
			s.msg.Header = s.historical
		}
	}
	s.body = protocol.AppendJSON(s.body[:0], r)
	s.msg.Data = s.body
	err := s.conn.PublishMsg(&s.msg)
	s.meter.requests.Add(1)
	if err != nil {
		err = fmt.Errorf("publish to %s: %w", s.msg.Subject, err)
	}
	return !errors.Is(err, nats.ErrMaxPayload) && !errors.Is(err, nats.ErrBadSubject), err
}

// publishPlain publishes without a stream. The server has read all when it
// answers a ping sent after them, on the same connection.
func (s *Sink) publishPlain(ctx, alive context.Context, readings []protocol.Reading) error {
	s.window.reset(s.sent, len(readings))
	before, connections := s.conn.LastError(), s.conn.Stats().Reconnects
	for i := range readings {
		if ok, err := s.publish(&readings[i], false); !ok {
			s.window.reject(i, err)
		} else if err != nil {
			return err
		}
	}
	ctx, cancel := s.limit(ctx, alive)
	defer cancel()
	if err := s.conn.FlushWithContext(ctx); err != nil {
		return fmt.Errorf("publish: await the server's answer: %w", err)
	}
	if s.conn.Stats().Reconnects != connections {
		return fmt.Errorf("publish: %w", errLost) // the answer is to a ping on the new one
	}
	if said := s.conn.LastError(); said != nil && said != before {
		return fmt.Errorf("publish: %w", explain(said))
	}
	return nil
}

// limit returns ctx with an end at the configured timeout and at the loss of the
// connection, of which nats.go does not tell everyone who waits.
func (s *Sink) limit(ctx, alive context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithTimeout(ctx, s.cfg.Timeout)
	stop := context.AfterFunc(alive, cancel)
	return ctx, func() {
		stop()
		cancel()
	}
}
