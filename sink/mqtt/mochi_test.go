package mqtt_test

import (
	"log/slog"
	"net"
	"testing"

	mochi "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/hooks/auth"
	"github.com/mochi-mqtt/server/v2/listeners"

	"sluice/cmd/gateway/standin"
	"sluice/drivers/drivertest"
)

// TestWebsocket writes over a websocket to another kind of broker.
func TestWebsocket(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	l.Close()
	s := mochi.New(&mochi.Options{Logger: slog.New(slog.DiscardHandler)})
	if err := s.AddHook(new(auth.AllowHook), nil); err != nil {
		t.Fatal(err)
	}
	if err := s.AddListener(listeners.NewWebsocket(listeners.Config{ID: "ws", Address: address})); err != nil {
		t.Fatal(err)
	}
	if err := s.Serve(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { standin.Shut(s) })
	drivertest.Eventually(t, "mochi listens", func() bool {
		conn, err := net.Dial("tcp", address)
		if err == nil {
			conn.Close()
		}
		return err == nil
	})
	out := opened(t, configFor("ws://"+address+"/mqtt"))
	for n := range 3 {
		if err := out.Write(t.Context(), readings("s1", n*1000, 1000)); err != nil {
			t.Fatal(err)
		}
	}
}
