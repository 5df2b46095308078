package nats_test

import (
	"sync"
	"testing"

	"github.com/nats-io/nats.go"

	"sluice/sink"
	"sluice/sink/sinktest"
)

func TestConformanceJetStream(t *testing.T) {
	server := startServer(t, nil)
	sinktest.Run(t, sinktest.Far{
		Addr:        server.addr(),
		New:         func(t testing.TB, addr string) sink.Sink { return open(t, configFor(addr)) },
		Stop:        server.stop,
		Start:       server.start,
		ExactlyOnce: true,
		Stored: func(t testing.TB) []sinktest.Point {
			var points []sinktest.Point
			for _, m := range server.messages(t, "READINGS") {
				points = append(points, pointOf(t, m.Data()))
			}
			return points
		},
	})
}

// Without a stream the far end is whoever listens.
func TestConformanceCore(t *testing.T) {
	server := startServer(t, nil)
	var mu sync.Mutex
	var points []sinktest.Point
	var listener *nats.Conn
	handled := make(chan struct{}) // sent by the listener's callback after all that was published before
	listen := func(t testing.TB) {
		var err error
		if listener, err = nats.Connect("nats://" + server.addr()); err != nil {
			t.Fatal(err)
		}
		_, err = listener.Subscribe("readings.>", func(m *nats.Msg) {
			if m.Subject == "readings.barrier" {
				handled <- struct{}{}
				return
			}
			mu.Lock()
			defer mu.Unlock()
			if m.Header.Get("Nats-Msg-Id") == "" {
				t.Error("a message has no id")
			}
			points = append(points, pointOf(t, m.Data))
		})
		if err != nil || listener.Flush() != nil {
			t.Fatal(err)
		}
	}
	listen(t)
	t.Cleanup(func() { listener.Close() })
	catchUp := func(t testing.TB) {
		if err := listener.Publish("readings.barrier", nil); err != nil {
			t.Fatal(err)
		}
		<-handled
	}
	sinktest.Run(t, sinktest.Far{
		Addr: server.addr(),
		New: func(t testing.TB, addr string) sink.Sink {
			cfg := configFor(addr)
			cfg.Stream, cfg.Create = "", false
			return open(t, cfg)
		},
		Stop: func(t testing.TB) {
			catchUp(t)
			listener.Close()
			server.stop(t)
		},
		Start: func(t testing.TB) {
			server.start(t)
			listen(t)
		},
		Stored: func(t testing.TB) []sinktest.Point {
			catchUp(t)
			mu.Lock()
			defer mu.Unlock()
			return append([]sinktest.Point(nil), points...)
		},
	})
}
