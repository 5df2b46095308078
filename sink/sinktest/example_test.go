package sinktest_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"sluice/protocol"
	"sluice/sink"
	"sluice/sink/sinktest"
)

// What follows is the example of docs/adding-a-sink.md: a sink for a server that
// takes a batch as one line of JSON per reading and an empty line, and answers with
// one line:
//
//	ok                 everything is stored
//	busy SECONDS       nothing is, ask later
//	bad INDEX REASON   everything but the reading INDEX is, and that never will be

var (
	_ sink.Sink      = (*Sink)(nil)
	_ sink.Connector = (*Sink)(nil)
)

// Config is one server.
type Config struct {
	Address string `yaml:"address"` // HOST:PORT
}

// DefaultConfig returns the values that hold where the file is silent.
func DefaultConfig() Config { return Config{} }

// Validate reports what is wrong with c: the field's path in the file and the
// problem.
func (c *Config) Validate(report func(field, problem string)) {
	if c.Address == "" {
		report("address", "is required: HOST:PORT")
	} else if _, _, err := net.SplitHostPort(c.Address); err != nil {
		report("address", fmt.Sprintf("is %q, want HOST:PORT", c.Address))
	}
}

// Options is what the gateway gives to every sink.
type Options struct {
	Gateway string       // the gateway's name
	Log     *slog.Logger // changes of state
}

// Sink writes to one server. It promises at least once, each reading with its id.
type Sink struct {
	cfg  Config
	log  *slog.Logger
	conn net.Conn // nil: there is none
	in   *bufio.Reader
	out  []byte // the batch, reused
}

// New returns the sink called name. It connects with the first Write.
func New(name string, cfg Config, o Options) (*Sink, error) {
	return &Sink{cfg: cfg, log: o.Log.With("sink", name)}, nil
}

// Connect connects unless there is a connection.
func (s *Sink) Connect(ctx context.Context) error {
	if s.conn != nil {
		return nil
	}
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", s.cfg.Address)
	if err != nil {
		return fmt.Errorf("connect to %s: %w", s.cfg.Address, err)
	}
	s.conn, s.in = conn, bufio.NewReader(conn)
	s.log.Info("connected", "server", s.cfg.Address)
	return nil
}

// Write stores the readings.
func (s *Sink) Write(ctx context.Context, readings []protocol.Reading) error {
	if len(readings) == 0 {
		return nil
	}
	if err := s.Connect(ctx); err != nil {
		return err
	}
	s.out = s.out[:0]
	for i := range readings {
		s.out = append(protocol.AppendJSON(s.out, &readings[i]), '\n')
	}
	s.out = append(s.out, '\n')
	answer, err := s.exchange(ctx)
	if err != nil {
		s.hangUp() // an answer that comes later must not be taken for the next batch's
		return fmt.Errorf("write to %s: %w", s.cfg.Address, err)
	}
	return classify(answer, len(readings))
}

// exchange sends the batch and returns the answer. It ends with ctx.
func (s *Sink) exchange(ctx context.Context) (answer string, err error) {
	conn := s.conn
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	if _, err = conn.Write(s.out); err == nil {
		answer, err = s.in.ReadString('\n')
	}
	if err != nil && ctx.Err() != nil {
		err = context.Cause(ctx) // and not that a deadline has passed
	}
	return strings.TrimSpace(answer), err
}

// classify says what the answer to n readings means. Whatever is not understood
// is tried again: nothing is lost by a misunderstanding.
func classify(answer string, n int) error {
	word, rest, _ := strings.Cut(answer, " ")
	err := fmt.Errorf("the server answers %q", answer)
	switch word {
	case "ok":
		return nil
	case "busy":
		if seconds, e := strconv.ParseUint(rest, 10, 16); e == nil {
			return sink.RetryAfter(err, time.Duration(seconds)*time.Second)
		}
	case "bad":
		number, reason, _ := strings.Cut(rest, " ")
		if i, e := strconv.Atoi(number); e == nil && i >= 0 && i < n {
			return &sink.PartialError{Rejected: []sink.Rejection{{Index: i, Err: sink.Permanent(errors.New(reason))}}}
		}
	}
	return err
}

func (s *Sink) hangUp() {
	s.conn.Close()
	s.conn = nil
}

// Close closes the connection.
func (s *Sink) Close() error {
	if s.conn != nil {
		s.hangUp()
	}
	return nil
}

// open returns a sink for the server at addr.
func open(t testing.TB, addr string) *Sink {
	cfg := DefaultConfig()
	cfg.Address = addr
	cfg.Validate(func(field, problem string) { t.Errorf("%s %s", field, problem) })
	s, err := New("tower", cfg, Options{Gateway: "plant", Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestConformance(t *testing.T) {
	server := startTower(t)
	far := sinktest.Far{
		Addr:   server.address,
		New:    func(t testing.TB, addr string) sink.Sink { return open(t, addr) },
		Stop:   func(testing.TB) { server.stop() },
		Start:  server.start,
		Stored: server.points,
		Window: 1000, // a batch
	}
	sinktest.Run(t, far)
	sinktest.RunFaults(t, far)
}

func TestAnswers(t *testing.T) {
	if err := classify("ok", 3); err != nil {
		t.Error(err)
	}
	if err := classify("busy 7", 3); sink.RetryWait(err) != 7*time.Second {
		t.Errorf("busy 7 = %v", err)
	}
	sinktest.WantRejected(t, classify("bad 2 too hot", 3), 2)
	for _, answer := range []string{"", "bad", "bad 3 too hot", "bad x", "busy", "HTTP/1.1 400 Bad Request"} {
		var partial *sink.PartialError
		if err := classify(answer, 3); err == nil || sink.IsPermanent(err) || errors.As(err, &partial) {
			t.Errorf("%q = %v, want an error that invites a retry", answer, err)
		}
	}
}

// The page shows parts of this file. They are to be the same.
func TestPageShowsThisCode(t *testing.T) {
	page, err := os.ReadFile("../../docs/adding-a-sink.md")
	if err != nil {
		t.Fatal(err)
	}
	code, err := os.ReadFile("example_test.go")
	if err != nil {
		t.Fatal(err)
	}
	blocks := strings.Split(string(page), "```go\n")[1:]
	for _, block := range blocks {
		block, _, _ = strings.Cut(block, "```")
		if !strings.Contains(string(code), block) {
			t.Errorf("docs/adding-a-sink.md shows what is not here:\n%s", block)
		}
	}
	if len(blocks) == 0 {
		t.Error("docs/adding-a-sink.md shows no code")
	}
}
