// Package nats writes readings to NATS, one JSON message each: into a JetStream
// stream, where each reading is stored once however often it is written, or as
// plain messages, which carry the same id for their readers to tell.
package nats

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"

	"sluice/protocol"
	"sluice/sink"
)

var (
	_ sink.Sink       = (*Sink)(nil)
	_ sink.Connector  = (*Sink)(nil)
	_ sink.Rememberer = (*Sink)(nil)
	_ sink.Meter      = (*Sink)(nil)
	_ sink.Doubter    = (*Sink)(nil)
)

// keptRoom bounds the buffer that a Sink keeps from one Write to the next.
const keptRoom = 1 << 20

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
	own      string // takes all subjects of this gateway and as few others as the template allows

	conn       *conn         // nil before the first Write and after nats.go gave up
	ready      bool          // the stream was there when it was last looked at
	recognises time.Duration // how long the stream does that to an id
	warned     string        // of the stream's configuration
	history    history

	sent       uint64 // readings so far; numbers the acknowledgements
	window     window
	msg        nats.Msg
	header     nats.Header // of msg: the id
	historical nats.Header // the same and the mark of a reading that comes late
	id         []string    // the header's value
	body       []byte
	text       []byte

	meter              meter
	possiblyDuplicated atomic.Uint64
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
	s.historical = nats.Header{nats.MsgIdHdr: s.id, historicalHeader: {"1"}}
	s.own = ownSubjects(pattern, o.Gateway)
	s.history = newHistory(scopeOf(s.own))
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
	s.forget()
	_, err = s.findStream(ctx, alive)
	s.ready = err == nil
	return err
}

// Write publishes the readings and waits until the stream has acknowledged each,
// or, without a stream, until the server has read them all. What the stream
// holds since an earlier attempt is not stored twice, however long ago that was.
// A reading that is too large for the server is rejected. Without a connection
// Write returns at once; nats.go goes on connecting in the background.
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
	s.conn.dial.hold(true)
	defer s.conn.dial.hold(false)
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
	case errors.Is(err, context.Canceled): // by the loss of the connection, in limit
		return fmt.Errorf("publish: %w", errLost)
	}
	return err
}

// PossiblyDuplicated returns how many readings were published again though it
// cannot be known whether the stream stored them before, since it was purged,
// created anew or has discarded too much. It is safe for concurrent use.
func (s *Sink) PossiblyDuplicated() uint64 { return s.possiblyDuplicated.Load() }

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
		return nil, nil, fmt.Errorf("connect to %s: %w", s.cfg.URL, explain(err))
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
	s.conn, err = connect(ctx, s.options, s.cfg, &s.meter, s.log)
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
