package nats_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"net"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"sluice/protocol"
	sinknats "sluice/sink/nats"
	"sluice/sink/sinktest"
)

// farServer is an embedded NATS server with JetStream that can be restarted on
// its port and its data.
type farServer struct {
	options server.Options
	server  *server.Server
}

func startServer(t testing.TB, edit func(*server.Options)) *farServer {
	t.Helper()
	s := &farServer{options: server.Options{
		Host: "127.0.0.1", Port: server.RANDOM_PORT, JetStream: true, StoreDir: t.TempDir(), NoSigs: true, NoLog: true,
	}}
	if edit != nil {
		edit(&s.options)
	}
	s.start(t)
	s.options.Port = s.server.Addr().(*net.TCPAddr).Port
	t.Cleanup(func() { s.stop(t) })
	return s
}

func (s *farServer) start(t testing.TB) {
	t.Helper()
	options := s.options
	started, err := server.NewServer(&options)
	if err != nil {
		t.Fatal(err)
	}
	started.Start()
	if !started.ReadyForConnections(30 * time.Second) {
		t.Fatal("the NATS server does not start")
	}
	s.server = started
}

func (s *farServer) stop(testing.TB) {
	s.server.Shutdown()
	s.server.WaitForShutdown()
}

func (s *farServer) addr() string { return s.server.Addr().String() }

// client returns a connection of the test's own.
func (s *farServer) client(t testing.TB, options ...nats.Option) *nats.Conn {
	t.Helper()
	nc, err := nats.Connect("nats://"+s.addr(), append(options, nats.ReconnectWait(5*time.Millisecond), nats.MaxReconnects(-1))...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	return nc
}

func (s *farServer) jetStream(t testing.TB) (jetstream.JetStream, context.Context) {
	t.Helper()
	js, err := jetstream.New(s.client(t))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	t.Cleanup(cancel)
	return js, ctx
}

// messages returns all that the stream holds, in its order.
func (s *farServer) messages(t testing.TB, name string) []jetstream.Msg {
	t.Helper()
	return s.messagesAfter(t, name, 0)
}

// messagesAfter returns what the stream holds behind its first n messages, none
// of which was ever deleted.
func (s *farServer) messagesAfter(t testing.TB, name string, n int) []jetstream.Msg {
	t.Helper()
	js, ctx := s.jetStream(t)
	stream, err := js.Stream(ctx, name)
	if err != nil {
		return nil
	}
	want := int(stream.CachedInfo().State.Msgs) - n
	if want <= 0 {
		return nil
	}
	consumer, err := stream.CreateConsumer(ctx, jetstream.ConsumerConfig{
		AckPolicy: jetstream.AckNonePolicy, DeliverPolicy: jetstream.DeliverByStartSequencePolicy, OptStartSeq: uint64(n) + 1,
	})
	if err != nil {
		t.Fatal(err)
	}
	batch, err := consumer.Fetch(want, jetstream.FetchMaxWait(30*time.Second))
	if err != nil {
		t.Fatal(err)
	}
	var all []jetstream.Msg
	for len(all) < want {
		m, ok := <-batch.Messages()
		if !ok {
			t.Fatalf("read message %d of %d: %v", len(all)+1, want, batch.Error())
		}
		all = append(all, m)
	}
	return all
}

// pointOf reads one message of the conformance suite.
func pointOf(t testing.TB, data []byte) sinktest.Point {
	t.Helper()
	var m struct {
		Device  string
		Time    time.Time
		Metrics struct{ N int }
	}
	if err := json.Unmarshal(data, &m); err != nil {
		t.Fatal(err)
	}
	return sinktest.Point{Device: m.Device, Time: protocol.At(m.Time), N: m.Metrics.N}
}

func configFor(addr string) sinknats.Config {
	cfg := sinknats.DefaultConfig()
	cfg.URL, cfg.Stream, cfg.Create, cfg.Timeout = "nats://"+addr, "READINGS", true, 20*time.Second
	return cfg
}

func open(t testing.TB, cfg sinknats.Config) *sinknats.Sink {
	t.Helper()
	cfg.Validate(func(field, problem string) { t.Errorf("%s %s", field, problem) })
	s, err := sinknats.New("hub", cfg, sinknats.Options{Gateway: "plant-7", Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func opened(t testing.TB, cfg sinknats.Config) *sinknats.Sink {
	s := open(t, cfg)
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return s
}

// readings returns n readings of one device, the first with this number.
func readings(device string, first, n int) []protocol.Reading {
	d := &protocol.Device{Name: device, Profile: "climate", Driver: "floor"}
	all := make([]protocol.Reading, n)
	for i := range all {
		number := first + i
		all[i] = protocol.Reading{
			ID: protocol.ID{Epoch: 7, Seq: uint64(number)}, Device: d, ReceivedTime: protocol.Timestamp(number + 1),
			Metrics: []protocol.Metric{{Name: "n", Value: protocol.Int(int64(number))}},
		}
	}
	return all
}
