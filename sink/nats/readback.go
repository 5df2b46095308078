package nats

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"sluice/protocol"
)

const (
	// pageSize is how many messages are asked for at once.
	pageSize = 2000

	// settling is how long after the end of a connection the server may still
	// be storing what it received on it.
	settling = 200 * time.Millisecond

	// consumerLife is how long the server keeps the consumer of a reading
	// that has ended or broken off.
	consumerLife = 30 * time.Second

	// clockError is how far the gateway's clock may be ahead of the server's
	// where nothing but the time tells what was published.
	clockError = 10 * time.Minute
)

// The stream can be read back no further.
var (
	errTooMany   = errors.New("it holds too many messages of this gateway to compare with")
	errWorkQueue = errors.New("it is a work queue, which forgets what was worked on")
)

// readBack notes the ids that the stream holds beyond what is known of it. It
// reads the headers of this gateway's messages alone. When it breaks off, the
// next one goes on where it was.
func (s *Sink) readBack(ctx, alive context.Context, info *jetstream.StreamInfo, readings []protocol.Reading) error {
	h := &s.history
	h.readFrom(&info.State)
	known := h.stored.n
	if info.State.LastSeq > h.seen && info.State.Msgs > 0 {
		err := s.readAll(ctx, alive, info, readings)
		if errors.Is(err, errTooMany) || errors.Is(err, errWorkQueue) {
			h.gap, h.lost = always, err.Error()
		} else if err != nil {
			return fmt.Errorf("read back what stream %s holds: %w", s.cfg.Stream, err)
		}
	}
	if found := h.stored.n - known; found > 0 {
		s.log.Info("stream holds readings that were not known to be delivered", "stream", s.cfg.Stream, "readings", found)
	}
	lost := h.lost
	s.duplicated(h.readTo(info.State.LastSeq, readings), lost)
	return nil
}

// awaitStored waits until the server has stored what it received on a connection
// that has ended. With a usual duplicate window that was long ago.
func (s *Sink) awaitStored(ctx, alive context.Context) error {
	if s.history.unsure.n == 0 {
		return nil
	}
	select {
	case <-time.After(settling - time.Since(s.history.until)):
		return nil
	case <-alive.Done():
		return errLost
	case <-ctx.Done():
		return ctx.Err()
	}
}

// readAll reads the messages that the stream held when info was asked for.
func (s *Sink) readAll(ctx, alive context.Context, info *jetstream.StreamInfo, readings []protocol.Reading) error {
	if info.Config.Retention == jetstream.WorkQueuePolicy {
		return errWorkQueue
	}
	p, err := s.openPages(ctx, alive, info, readings)
	if err != nil {
		return err
	}
	defer p.sub.Unsubscribe()
	defer p.late.Stop()
	for p.pending > 0 && s.history.seen < info.State.LastSeq {
		if err := s.readPage(ctx, alive, p); err != nil {
			return err
		}
	}
	// The server drops the consumer by itself, too, so it does not matter what it answers.
	if s.conn.PublishRequest(p.drop, p.sub.Subject, nil) == nil {
		_, _ = s.nextOf(ctx, alive, p)
	}
	return nil
}

// pages is a reading of the stream under way.
type pages struct {
	consumer jetstream.Consumer
	sub      *nats.Subscription
	messages chan *nats.Msg // sent by nats.go, never closed; room for a page and the statuses that end it
	next     string         // where a page is asked for
	drop     string         // where the end of the consumer is asked for
	read     uint64
	pending  uint64 // messages to come, as far as known
	late     *time.Timer
}

func (s *Sink) openPages(ctx, alive context.Context, info *jetstream.StreamInfo, readings []protocol.Reading) (*pages, error) {
	ctx, cancel := s.request(ctx, alive)
	defer cancel()
	consumer, err := s.conn.js.CreateConsumer(ctx, s.cfg.Stream, s.consumerFor(info, readings))
	if err != nil {
		return nil, s.cause(err)
	}
	messages := make(chan *nats.Msg, pageSize+100)
	sub, err := s.conn.ChanSubscribe(s.conn.NewInbox(), messages)
	if err != nil {
		return nil, err
	}
	created := consumer.CachedInfo()
	name := s.cfg.Stream + "." + created.Name
	return &pages{
		consumer: consumer, sub: sub, messages: messages, pending: created.NumPending,
		next: "$JS.API.CONSUMER.MSG.NEXT." + name, drop: "$JS.API.CONSUMER.DELETE." + name,
		late: time.NewTimer(s.cfg.Timeout),
	}, nil
}

// consumerFor describes a consumer of what has to be read.
func (s *Sink) consumerFor(info *jetstream.StreamInfo, readings []protocol.Reading) jetstream.ConsumerConfig {
	h := &s.history
	c := jetstream.ConsumerConfig{
		AckPolicy: jetstream.AckNonePolicy, HeadersOnly: true, InactiveThreshold: consumerLife,
		DeliverPolicy: jetstream.DeliverByStartSequencePolicy, OptStartSeq: h.seen + 1,
	}
	if since := receivedSince(readings); h.byTime && since > 0 {
		start := since.Time().Add(-clockError)
		c.DeliverPolicy, c.OptStartSeq, c.OptStartTime = jetstream.DeliverByStartTimePolicy, 0, &start
	}
	if info.Config.Retention == jetstream.LimitsPolicy { // the others want as many replicas as the stream has
		c.Replicas, c.MemoryStorage = 1, true
	}
	if own := s.own; h.place.scope == s.history.scope && info.Config.SubjectTransform == nil && takes(info.Config.Subjects, own) {
		c.FilterSubject = own
	}
	return c
}

// receivedSince returns when the oldest of the readings was received, 0 if that
// is not known.
func receivedSince(readings []protocol.Reading) protocol.Timestamp {
	oldest := always
	for i := range readings {
		if readings[i].ClockUnset {
			return 0
		}
		oldest = min(oldest, readings[i].ReceivedTime)
	}
	return max(oldest, 0)
}

// readPage asks for the next messages and notes their ids.
func (s *Sink) readPage(ctx, alive context.Context, p *pages) error {
	want := min(p.pending, pageSize)
	if err := s.conn.PublishRequest(p.next, p.sub.Subject, fmt.Appendf(nil, `{"batch":%d,"no_wait":true}`, want)); err != nil {
		return err
	}
	for ; want > 0; want-- {
		m, err := s.nextOf(ctx, alive, p)
		if err != nil {
			return err
		}
		if m.Reply == "" { // a status
			return s.endPage(ctx, alive, p, m)
		}
		if err := s.note(p, m); err != nil {
			return err
		}
	}
	return nil
}

func (s *Sink) nextOf(ctx, alive context.Context, p *pages) (*nats.Msg, error) {
	p.late.Reset(s.cfg.Timeout)
	select {
	case m := <-p.messages:
		return m, nil
	case <-alive.Done():
		return nil, errLost
	case err := <-s.conn.faults:
		return nil, explain(err)
	case <-p.late.C:
		return nil, fmt.Errorf("no answer within %v", s.cfg.Timeout)
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// note notes the id of a message.
func (s *Sink) note(p *pages, m *nats.Msg) error {
	meta, err := m.Metadata()
	if err != nil {
		return err
	}
	p.read++
	if meta.Sequence.Consumer != p.read {
		return fmt.Errorf("message %d came as number %d", meta.Sequence.Consumer, p.read)
	}
	p.pending = meta.NumPending
	id, err := protocol.ParseID(m.Header.Get(nats.MsgIdHdr))
	if err != nil {
		s.history.reach(meta.Sequence.Stream)
		return nil // nobody of ours wrote it
	}
	if !s.history.found(id, meta.Sequence.Stream) {
		return errTooMany
	}
	return nil
}

// endPage reads the status that ends a page too soon: messages have gone from
// the stream since they were counted, so they are counted again.
func (s *Sink) endPage(ctx, alive context.Context, p *pages, m *nats.Msg) error {
	switch status := m.Header.Get("Status"); status {
	case "404", "408":
	case noResponders:
		return explain(nats.ErrNoResponders)
	default:
		return fmt.Errorf("the server answers %s %s", status, m.Header.Get("Description"))
	}
	ctx, cancel := s.request(ctx, alive)
	defer cancel()
	info, err := p.consumer.Info(ctx)
	if err != nil {
		return s.cause(err)
	}
	p.pending = info.NumPending
	return nil
}
