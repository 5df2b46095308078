package nats_test

import (
	"crypto/tls"
	"sync"
	"testing"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"sluice/sink"
	"sluice/sink/sinktest"
)

func TestConformanceJetStream(t *testing.T) {
	server := startServer(t, nil)
	var points []sinktest.Point // of what was stored when Stored was last called
	far := sinktest.Far{
		Addr:        server.addr(),
		New:         func(t testing.TB, addr string) sink.Sink { return open(t, configFor(addr)) },
		Stop:        server.stop,
		Start:       server.start,
		ExactlyOnce: true,
		Stored: func(t testing.TB) []sinktest.Point {
			for _, m := range server.messagesAfter(t, "READINGS", len(points)) {
				points = append(points, pointOf(t, m.Data()))
			}
			return points
		},
		Secure:    startSecure,
		NewSecure: openSecure,
	}
	sinktest.Run(t, far)
	sinktest.RunFaults(t, far)
}

// startSecure starts a server that shows this certificate. NATS begins without
// TLS, so that no other server can do it in its place.
func startSecure(t testing.TB, cert, key string) string {
	pair, err := tls.LoadX509KeyPair(cert, key)
	if err != nil {
		t.Fatal(err)
	}
	return startServer(t, func(o *server.Options) {
		o.TLS, o.TLSConfig = true, &tls.Config{Certificates: []tls.Certificate{pair}}
	}).addr()
}

func openSecure(t testing.TB, addr string, tls sink.TLS) sink.Sink {
	cfg := configFor(addr)
	cfg.URL, cfg.TLS = "tls://"+addr, tls
	return open(t, cfg)
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
	far := sinktest.Far{
		Addr:   server.addr(),
		Window: 2000, // all that a Write had sent, and no batch of the suite is longer
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
	}
	sinktest.Run(t, far)
	sinktest.RunFaults(t, far)
}
