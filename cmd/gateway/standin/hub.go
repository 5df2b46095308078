package standin

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// Hub is a NATS server with JetStream.
type Hub struct {
	server *server.Server
	conn   *nats.Conn // of the followers

	stop      context.CancelFunc
	ctx       context.Context // of the followers; ends with Close
	followers sync.WaitGroup
}

// NewHub starts a server that keeps its streams in dir.
func NewHub(dir string) (*Hub, error) {
	s, err := server.NewServer(&server.Options{
		Host: "127.0.0.1", Port: server.RANDOM_PORT,
		JetStream: true, StoreDir: dir,
		NoLog: true, NoSigs: true,
	})
	if err != nil {
		return nil, fmt.Errorf("start hub: %w", err)
	}
	s.Start()
	if !s.ReadyForConnections(10 * time.Second) {
		s.Shutdown()
		return nil, errors.New("start hub: it does not come up")
	}
	h := &Hub{server: s}
	h.ctx, h.stop = context.WithCancel(context.Background())
	if h.conn, err = nats.Connect(s.ClientURL()); err != nil {
		h.Close()
		return nil, fmt.Errorf("start hub: %w", err)
	}
	return h, nil
}

// URL returns the server's address, nats://HOST:PORT.
func (h *Hub) URL() string { return h.server.ClientURL() }

// Follow calls each with the payload of every message that the stream stores,
// once it exists, or, without a stream, of every message that is published. It
// is called from one goroutine at a time until Close.
func (h *Hub) Follow(stream string, each func(payload []byte)) error {
	if stream == "" {
		_, err := h.conn.Subscribe(">", func(m *nats.Msg) {
			if !internal(m.Subject) {
				each(m.Data)
			}
		})
		return err
	}
	js, err := jetstream.New(h.conn)
	if err != nil {
		return err
	}
	h.followers.Go(func() { h.follow(js, stream, each) })
	return nil
}

// internal reports whether a subject is NATS's own.
func internal(subject string) bool {
	return strings.HasPrefix(subject, "$") || strings.HasPrefix(subject, "_INBOX.")
}

// follow reads the stream from its beginning, over every trouble of a consumer.
func (h *Hub) follow(js jetstream.JetStream, stream string, each func([]byte)) {
	var last uint64
	for h.ctx.Err() == nil {
		consumer, err := js.OrderedConsumer(h.ctx, stream, jetstream.OrderedConsumerConfig{
			DeliverPolicy: jetstream.DeliverByStartSequencePolicy, OptStartSeq: last + 1,
		})
		if err != nil { // the stream is made by whoever publishes first
			select {
			case <-h.ctx.Done():
			case <-time.After(20 * time.Millisecond):
			}
			continue
		}
		h.consume(consumer, &last, each)
	}
}

func (h *Hub) consume(c jetstream.Consumer, last *uint64, each func([]byte)) {
	messages, err := c.Messages()
	if err != nil {
		return
	}
	defer context.AfterFunc(h.ctx, messages.Stop)()
	defer messages.Stop()
	for {
		m, err := messages.Next()
		if err != nil {
			return
		}
		if about, err := m.Metadata(); err == nil && about.Sequence.Stream > *last {
			*last = about.Sequence.Stream
			each(m.Data())
		}
	}
}

// Close stops the followers and the server.
func (h *Hub) Close() error {
	h.stop()
	h.followers.Wait()
	if h.conn != nil {
		h.conn.Close()
	}
	h.server.Shutdown()
	h.server.WaitForShutdown()
	return nil
}
