// Package nats writes readings to NATS, one JSON message each: into a JetStream
// stream, where each reading is stored once however often it is written, or as
// plain messages, which carry the same id for their readers to tell.
package nats

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"

	"github.com/nats-io/nats.go"

	"sluice/protocol"
	"sluice/sink"
)

var (
	_ sink.Sink      = (*Sink)(nil)
	_ sink.Connector = (*Sink)(nil)
)

// keptRoom bounds the buffer that a Sink keeps from one Write to the next.
const keptRoom = 1 << 20

var errTooLong = errors.New("publish reading: the names in its subject are too long")

// Options is what the gateway gives to every sink.
type Options struct {
	Gateway string       // the gateway's name, for subjects and the connection's name
	Log     *slog.Logger // changes of state
}

// Sink publishes to one server or cluster.
type Sink struct {
	cfg      Config
	log      *slog.Logger
	options  []nats.Option
	pattern  *sink.Template
	subjects *sink.PerDevice[string]

	conn  *conn // nil before the first Write and after nats.go gave up
	ready bool  // the stream was there when it was last looked at

	sent   uint64 // publishes so far; numbers the acknowledgements
	window window
	msg    nats.Msg
	header nats.Header // of msg: the id
	id     []string    // the header's value
	body   []byte
	text   []byte
}

// New returns the sink called name. It reads the TLS files and connects with the
// first Write.
func New(name string, cfg Config, o Options) (*Sink, error) {
	pattern, err := parseSubject(cfg.Subject)
	if err != nil {
		return nil, err
	}
	s := &Sink{cfg: cfg, log: o.Log.With("sink", name), pattern: pattern, id: make([]string, 1)}
	s.header = nats.Header{nats.MsgIdHdr: s.id}
	s.subjects = sink.NewPerDevice(func(d *protocol.Device) string {
		return string(pattern.Append(nil, o.Gateway, d, escape))
	})
	s.options = []nats.Option{
		nats.Name("sluice-" + o.Gateway + "-" + name),
		nats.RetryOnFailedConnect(true),
		nats.MaxReconnects(-1),
		nats.ReconnectBufSize(-1),
		nats.CustomReconnectDelay(backoff),
		nats.Timeout(dialTimeout),
		nats.FlusherTimeout(cfg.Timeout), // a publish waits for a server that does not read
		nats.SkipHostLookup(),            // the dialer does it, within its context
		nats.IgnoreAuthErrorAbort(),
	}
	if err := s.secure(); err != nil {
		return nil, err
	}
	return s, nil
}

// secure adds the options for TLS and the login.
func (s *Sink) secure() error {
	cfg := &s.cfg
	if cfg.TLS != (sink.TLS{}) {
		secure, err := cfg.TLS.Load()
		if err != nil {
			return err
		}
		s.options = append(s.options, nats.Secure(secure))
	}
	switch {
	case cfg.Username != "":
		s.options = append(s.options, nats.UserInfo(cfg.Username, cfg.Password.Reveal()))
	case cfg.Token != "":
		s.options = append(s.options, nats.Token(cfg.Token.Reveal()))
	case cfg.Creds != "":
		s.options = append(s.options, nats.UserCredentials(cfg.Creds))
	}
	return nil
}

// Connect connects and looks for the stream.
func (s *Sink) Connect(ctx context.Context) error {
	alive, release, err := s.use(ctx)
	if err != nil {
		return err
	}
	defer release()
	if s.cfg.Stream == "" {
		return nil
	}
	err = s.findStream(ctx, alive)
	s.ready = err == nil
	return err
}

// Write publishes the readings and waits until the stream has acknowledged each,
// or, without a stream, until the server has read them all. A reading that is
// too large for the server is rejected. Without a connection Write returns at
// once; nats.go goes on connecting in the background.
func (s *Sink) Write(ctx context.Context, readings []protocol.Reading) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("publish: %w", err)
	}
	if len(readings) == 0 {
		return nil
	}
	alive, release, err := s.use(ctx)
	if err != nil {
		return err
	}
	defer release()
	s.forget()
	if s.cfg.Stream == "" {
		err = s.publishPlain(ctx, alive, readings)
	} else {
		err = s.publishToStream(ctx, alive, readings)
	}
	if err == nil && len(s.window.rejected) > 0 {
		err = &sink.PartialError{Rejected: s.window.rejected}
	}
	switch {
	case err != nil && ctx.Err() != nil:
		return fmt.Errorf("publish: %w", context.Cause(ctx))
	case errors.Is(err, context.Canceled): // by limit
		return fmt.Errorf("publish: %w", errLost)
	}
	return err
}

// Close ends the connection and all its goroutines.
func (s *Sink) Close() error {
	if s.conn != nil {
		s.conn.close()
		s.conn = nil
	}
	return nil
}

// use returns a context that lasts as long as the present connection, or why
// there is none. Until release is called the end of ctx breaks the connection.
func (s *Sink) use(ctx context.Context) (alive context.Context, release func() bool, err error) {
	if err := s.open(ctx); err != nil {
		return nil, nil, err
	}
	release = context.AfterFunc(ctx, s.conn.dial.cut)
	if alive, err = s.conn.state(); err != nil {
		release()
		return nil, nil, fmt.Errorf("connect to %s: %w", s.cfg.URL, err)
	}
	return alive, release, nil
}

// open makes the first connection, and a new one when nats.go gave up, as it
// does on errors that it does not know.
func (s *Sink) open(ctx context.Context) error {
	if s.conn != nil && !s.conn.isOver() {
		return nil
	}
	if s.conn != nil {
		s.conn.close()
		s.conn = nil
	}
	var err error
	s.conn, err = connect(ctx, s.options, s.cfg, s.log)
	return err
}

// forget makes ready for a new Write: what still arrives for an earlier one has
// no meaning.
func (s *Sink) forget() {
	for {
		select {
		case <-s.conn.acks:
		case <-s.conn.faults:
		default:
			if cap(s.body) > keptRoom {
				s.body = nil
			}
			return
		}
	}
}

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
	}
	s.body = protocol.AppendJSON(s.body[:0], r)
	s.msg.Data = s.body
	err := s.conn.PublishMsg(&s.msg)
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
		return fmt.Errorf("publish: %w", said)
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
