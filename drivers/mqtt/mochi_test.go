package mqtt

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

// startMochi starts a lenient broker, within the test, that listens for
// websockets on address.
func startMochi(t *testing.T, address string) *mochi.Server {
	t.Helper()
	s := mochi.New(&mochi.Options{InlineClient: true, Logger: slog.New(slog.DiscardHandler)})
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
	return s
}

// TestWebsocket also sends what mosquitto would not pass on: control characters.
func TestWebsocket(t *testing.T) {
	address := freeAddress(t)
	broker := startMochi(t, address)
	d, status := newTestDriver(t, "ws://"+address+"/mqtt", nil, climate)
	e := drivertest.NewEmitter(t)
	stop := run(t, d, status, e)
	for i, device := range []string{"s1", "tab\there", "\x01\x7f", "*.>", "$SYS", "日本", "a b"} {
		if err := broker.Publish("plant//"+device+"/climate", []byte(`{"value":1}`), false, 1); err != nil {
			t.Fatal(err)
		}
		got := e.Wait(i + 1)
		if last := got[i].Device; last.Name != device || len(last.Tags) != 1 || last.Tags[0].Value != "" {
			t.Errorf("device %q became %+v", device, last)
		}
	}
	e.WaitAcknowledged(7)
	stopped(t, stop)
}
