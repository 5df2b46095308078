package nats

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"sluice/protocol"
)

// duplicates is how long a created stream recognises an id.
const duplicates = 2 * time.Minute

var (
	errLost  = errors.New("the connection was lost before everything was acknowledged")
	errStale = errors.New("it may have forgotten the ids that an earlier attempt stored: it is read before the next one")
)

// publishToStream publishes what the stream does not hold yet, and returns when
// all is acknowledged or, once something is refused, when all that is under way
// has had its answer.
//
// A reading that was published before and not acknowledged is published again
// only while the stream recognises its id, or after the stream was read and did
// not hold it. See covered for what may still be under way then.
func (s *Sink) publishToStream(ctx, alive context.Context, readings []protocol.Reading) error {
	if err := s.prepare(ctx, alive, readings); err != nil {
		return err
	}
	began := time.Now()
	s.ready = false // until all went well
	s.window.reset(s.sent, len(readings))
	if err := s.publishAll(ctx, alive, readings); err != nil {
		s.takeAll()
		s.duplicated(s.history.fail(readings, &s.window, began, time.Now()), "too many readings are in doubt")
		return err
	}
	s.history.confirm(readings, s.window.high)
	s.ready = true
	return nil
}

// publishAll publishes with at most cfg.Window acknowledgements to come.
//
// The acknowledgements are read here and not by nats.go's own asynchronous
// publishing, which publishes again by itself, after Write may have returned,
// and costs twice the CPU.
func (s *Sink) publishAll(ctx, alive context.Context, readings []protocol.Reading) error {
	w := &s.window
	late := time.NewTimer(s.cfg.Timeout)
	defer late.Stop()
	for next := 0; ; {
		if w.refusal == nil && s.history.mustRead(s.covered()) {
			w.refusal = fmt.Errorf("publish to stream %s: %w", s.cfg.Stream, errStale)
		}
		for ; next < len(readings) && w.open < s.cfg.Window && w.refusal == nil; next++ {
			if err := s.publishOne(next, &readings[next]); err != nil {
				return err
			}
		}
		if w.open == 0 {
			return w.refusal
		}
		late.Reset(s.cfg.Timeout)
		if err := s.await(ctx, alive, late.C); err != nil {
			return err
		}
	}
}

// publishOne publishes reading i unless the stream holds it.
func (s *Sink) publishOne(i int, r *protocol.Reading) error {
	if s.history.stored.has(r.ID) {
		s.window.store(i, 0)
		s.sent++
		return nil
	}
	ok, err := s.publish(r, true)
	s.sent++
	switch {
	case !ok:
		s.window.reject(i, err)
	case err != nil:
		s.window.refuse(i, isUnclear, err) // nats.go may have sent it all the same
		return err
	default:
		s.window.send(i)
	}
	return nil
}

// await takes the acknowledgements that are there, at least one.
func (s *Sink) await(ctx, alive context.Context, late <-chan time.Time) error {
	select {
	case m := <-s.conn.acks:
		s.take(m)
	case <-alive.Done():
		return fmt.Errorf("publish to stream %s: %w", s.cfg.Stream, errLost)
	case err := <-s.conn.faults:
		return fmt.Errorf("publish to stream %s: %w", s.cfg.Stream, explain(err))
	case <-late:
		s.conn.dial.cut() // so that nothing arrives after the stream has forgotten its id
		return fmt.Errorf("publish to stream %s: no acknowledgement within %v", s.cfg.Stream, s.cfg.Timeout)
	case <-ctx.Done():
		return ctx.Err()
	}
	s.takeAll()
	return nil
}

func (s *Sink) takeAll() {
	for {
		select {
		case m := <-s.conn.acks:
			s.take(m)
		default:
			return
		}
	}
}

// covered returns how long after a publish without an answer the reading may be
// published again without a look at the stream.
//
// The stream recognises an id for its duplicate window after it has stored the
// first copy, which is after that was published. The second copy is sent at most
// half a window later; should the line freeze then, the connection is cut after
// one Timeout without an acknowledgement, and what it had not sent is dropped
// with it. So the second copy arrives within the window, or never.
func (s *Sink) covered() time.Duration {
	return s.recognises/2 - s.cfg.Timeout
}

// prepare looks for the stream unless the last Write went well, and reads back
// what it holds if that has to be known.
func (s *Sink) prepare(ctx, alive context.Context, readings []protocol.Reading) error {
	read := s.history.mustRead(s.covered())
	if s.ready && !read {
		return nil
	}
	if read {
		if err := s.awaitStored(ctx, alive); err != nil {
			return err
		}
	}
	info, err := s.findStream(ctx, alive)
	if err != nil || !s.history.mustRead(s.covered()) {
		return err
	}
	return s.readBack(ctx, alive, info, readings)
}

// findStream looks for the stream and creates it if asked to.
func (s *Sink) findStream(ctx, alive context.Context) (*jetstream.StreamInfo, error) {
	ctx, cancel := s.request(ctx, alive)
	defer cancel()
	stream, err := s.conn.js.Stream(ctx, s.cfg.Stream)
	switch {
	case err == nil:
	case !errors.Is(err, jetstream.ErrStreamNotFound):
		return nil, fmt.Errorf("look for stream %s: %w", s.cfg.Stream, s.cause(err))
	case !s.cfg.Create:
		return nil, fmt.Errorf("stream %s does not exist: create it, or set create: true", s.cfg.Stream)
	default:
		if stream, err = s.createStream(ctx); err != nil {
			return nil, err
		}
	}
	info := stream.CachedInfo()
	if info.Config.NoAck {
		return nil, fmt.Errorf("stream %s acknowledges nothing: set its no_ack to false", s.cfg.Stream)
	}
	s.recognises = info.Config.Duplicates
	s.history.recognise(info)
	s.warn(&info.Config)
	return info, nil
}

func (s *Sink) createStream(ctx context.Context) (jetstream.Stream, error) {
	subject := streamSubject(s.pattern)
	stream, err := s.conn.js.CreateStream(ctx, jetstream.StreamConfig{
		Name: s.cfg.Stream, Subjects: []string{subject}, Storage: jetstream.FileStorage, Duplicates: duplicates,
	})
	if err != nil {
		return nil, fmt.Errorf("create stream %s for %s: %w", s.cfg.Stream, subject, s.cause(err))
	}
	s.log.Info("created stream", "stream", s.cfg.Stream, "subjects", subject)
	return stream, nil
}

// request is limit for a request to the server. The end of the context may be
// due to what cause returns.
func (s *Sink) request(ctx, alive context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := s.limit(ctx, alive)
	s.conn.asks(cancel)
	return ctx, func() {
		s.conn.asks(nil)
		cancel()
	}
}

// cause returns what the server said while a request went without its answer, or
// else err, with what to do about it.
func (s *Sink) cause(err error) error {
	select {
	case fault := <-s.conn.faults:
		return explain(fault)
	default:
		return explain(err)
	}
}

// duplicated counts readings that may be stored twice, and says why.
func (s *Sink) duplicated(readings int, why string) {
	if readings == 0 {
		return
	}
	s.possiblyDuplicated.Add(uint64(readings))
	s.log.Warn("readings may be stored twice", "stream", s.cfg.Stream, "readings", readings, "why", why)
}
