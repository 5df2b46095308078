package nats

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"sluice/protocol"
)

const (
	// duplicates is how long a created stream recognises an id.
	duplicates = 2 * time.Minute

	noResponders = "503"

	// The server's code for a message beyond the stream's max_msg_size.
	codeTooLarge = 10054
)

var errLost = errors.New("the connection was lost before everything was acknowledged")

// publishToStream publishes with at most cfg.Window acknowledgements to come, and
// returns when all have come, or at the first that is none.
//
// The acknowledgements are read here and not by nats.go's own asynchronous
// publishing, which publishes again by itself, after Write may have returned,
// and costs twice the CPU.
func (s *Sink) publishToStream(ctx, alive context.Context, readings []protocol.Reading) error {
	if err := s.findStream(ctx, alive); err != nil {
		return err
	}
	s.ready = false // until all went well
	s.window.reset(s.sent, len(readings))
	late := time.NewTimer(s.cfg.Timeout)
	defer late.Stop()
	for next := 0; next < len(readings) || s.window.open > 0; {
		for ; next < len(readings) && s.window.open < s.cfg.Window; next++ {
			ok, err := s.publish(&readings[next], true)
			s.sent++
			if !ok {
				s.window.reject(next, err)
			} else if err != nil {
				return err
			} else {
				s.window.open++
			}
		}
		if s.window.open == 0 {
			break
		}
		late.Reset(s.cfg.Timeout)
		if err := s.await(ctx, alive, late.C); err != nil {
			return err
		}
	}
	s.ready = true
	return nil
}

// await takes the acknowledgements that are there, at least one.
func (s *Sink) await(ctx, alive context.Context, late <-chan time.Time) error {
	select {
	case m := <-s.conn.acks:
		if err := s.take(m); err != nil {
			return err
		}
	case <-alive.Done():
		return fmt.Errorf("publish to stream %s: %w", s.cfg.Stream, errLost)
	case err := <-s.conn.faults:
		return fmt.Errorf("publish to stream %s: %w", s.cfg.Stream, err)
	case <-late:
		return fmt.Errorf("publish to stream %s: no acknowledgement within %v", s.cfg.Stream, s.cfg.Timeout)
	case <-ctx.Done():
		return ctx.Err()
	}
	for {
		select {
		case m := <-s.conn.acks:
			if err := s.take(m); err != nil {
				return err
			}
		default:
			return nil
		}
	}
}

// take settles one publish.
func (s *Sink) take(m *nats.Msg) error {
	number, err := strconv.ParseUint(m.Subject[len(s.conn.inbox):], 36, 64)
	if err != nil {
		return nil // nobody of ours asked for it
	}
	i, ok := s.window.settle(number)
	if !ok {
		return nil
	}
	err = s.readAck(m)
	var api *jetstream.APIError
	if errors.As(err, &api) && api.ErrorCode == codeTooLarge {
		s.window.reject(i, err)
		return nil
	}
	return err
}

// readAck returns nil when m says that the configured stream holds the reading,
// now or since an earlier Write.
func (s *Sink) readAck(m *nats.Msg) error {
	if s.isPlainAck(m.Data) {
		return nil
	}
	if len(m.Data) == 0 && m.Header.Get("Status") == noResponders {
		return fmt.Errorf("publish to stream %s: no stream takes the subjects of %s: add them to its subjects", s.cfg.Stream, s.pattern)
	}
	var ack struct {
		Error  *jetstream.APIError `json:"error"`
		Stream string              `json:"stream"`
		Seq    uint64              `json:"seq"`
	}
	switch err := json.Unmarshal(m.Data, &ack); {
	case err != nil:
		return fmt.Errorf("publish to stream %s: read acknowledgement: %w", s.cfg.Stream, err)
	case ack.Error != nil:
		return fmt.Errorf("publish to stream %s: %w", s.cfg.Stream, ack.Error)
	case ack.Stream == "":
		return fmt.Errorf("publish to stream %s: something that is no stream answers on the subjects of %s", s.cfg.Stream, s.pattern)
	case ack.Stream != s.cfg.Stream:
		return fmt.Errorf("publish to stream %s: the subjects of %s are bound to stream %s", s.cfg.Stream, s.pattern, ack.Stream)
	}
	return nil
}

// isPlainAck recognises the usual {"stream":"READINGS","seq":17} without
// decoding it.
func (s *Sink) isPlainAck(data []byte) bool {
	rest, ok := bytes.CutPrefix(data, []byte(`{"stream":"`))
	if !ok || len(rest) <= len(s.cfg.Stream) || string(rest[:len(s.cfg.Stream)]) != s.cfg.Stream {
		return false
	}
	return bytes.HasPrefix(rest[len(s.cfg.Stream):], []byte(`","seq":`)) && !bytes.Contains(rest, []byte(`"error"`))
}

// findStream looks for the stream, unless the last Write went well, and creates
// it if asked to.
func (s *Sink) findStream(ctx, alive context.Context) error {
	if s.ready {
		return nil
	}
	ctx, cancel := s.limit(ctx, alive)
	defer cancel()
	js, err := jetstream.New(s.conn.Conn)
	if err != nil {
		return fmt.Errorf("look for stream %s: %w", s.cfg.Stream, err)
	}
	_, err = js.Stream(ctx, s.cfg.Stream)
	switch {
	case err == nil:
		return nil
	case !errors.Is(err, jetstream.ErrStreamNotFound):
		return fmt.Errorf("look for stream %s: %w", s.cfg.Stream, err)
	case !s.cfg.Create:
		return fmt.Errorf("stream %s does not exist: create it, or set create: true", s.cfg.Stream)
	}
	subject := streamSubject(s.pattern)
	_, err = js.CreateStream(ctx, jetstream.StreamConfig{
		Name: s.cfg.Stream, Subjects: []string{subject}, Storage: jetstream.FileStorage, Duplicates: duplicates,
	})
	if err != nil {
		return fmt.Errorf("create stream %s for %s: %w", s.cfg.Stream, subject, err)
	}
	s.log.Info("created stream", "stream", s.cfg.Stream, "subjects", subject)
	return nil
}
