package mqtt_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/eclipse/paho.mqtt.golang/packets"

	"sluice/protocol"
	"sluice/sink"
	sinkmqtt "sluice/sink/mqtt"
	"sluice/sink/sinktest"
)

func sequence(first, n int) []int {
	all := make([]int, n)
	for i := range all {
		all[i] = first + i
	}
	return all
}

// What the broker had acknowledged when the connection was lost is not sent
// again: a batch of thousands doubles no more than the window.
func TestOnlyTheWindowIsDoubled(t *testing.T) {
	broker := startBroker(t)
	heard := listen(t, broker.URL())
	line := sinktest.StartLine(t, broker.Addr())
	cfg := configFor("mqtt://" + line.Addr())
	cfg.Window = 50
	out := opened(t, cfg)
	batch := readings("s1", 0, 3000)
	const faults = 4
	for range faults {
		line.Mend(t)
		line.CloseAfter(t, 100_000)
		if err := out.Write(t.Context(), batch); err == nil || sink.IsPermanent(err) || !strings.Contains(err.Error(), "connection was lost") {
			t.Fatalf("Write over a line that is cut = %v", err)
		}
	}
	line.Mend(t)
	if err := out.Write(t.Context(), batch); err != nil {
		t.Fatal(err)
	}
	got := heard.numbers()
	if doubled := len(got) - len(batch); doubled > faults*cfg.Window {
		t.Errorf("%d readings came twice over %d faults, want at most %d each", doubled, faults, cfg.Window)
	}
	slices.Sort(got)
	if !slices.Equal(slices.Compact(got), sequence(0, len(batch))) {
		t.Errorf("%d different readings came, want 0 to %d", len(slices.Compact(got)), len(batch)-1)
	}
}

// A batch that never gets through in one Write gets through in several.
func TestEveryWriteGetsFurther(t *testing.T) {
	broker := startBroker(t)
	line := sinktest.StartLine(t, broker.Addr())
	out := opened(t, configFor("mqtt://"+line.Addr()))
	batch := readings("s1", 0, 1000)
	for n := 0; ; n++ {
		line.Mend(t)
		line.CloseAfter(t, 60_000)
		if out.Write(t.Context(), batch) == nil {
			return
		}
		if n > 20 {
			t.Fatal("the batch is not stored after 20 Writes")
		}
	}
}

func TestBrokerRestarts(t *testing.T) {
	broker := startBroker(t)
	out := opened(t, configFor(broker.URL()))
	for n := range 3 {
		if err := out.Write(t.Context(), readings("s1", n, 1)); err != nil {
			t.Fatal(err)
		}
		broker.Stop()
		err := errors.New("no Write yet")
		for range 2 { // the first may be the one that notices
			if err = out.Write(t.Context(), readings("s1", n, 1)); err == nil || sink.IsPermanent(err) {
				t.Errorf("Write without a broker = %v", err)
			}
		}
		if err == nil || !strings.Contains(err.Error(), "connection refused") {
			t.Errorf("Write without a broker = %v, want the cause", err)
		}
		broker.Start()
	}
}

func TestNoAcknowledgement(t *testing.T) {
	cfg := configFor(fakeBroker(t, func(packets.ControlPacket, net.Conn) error { return nil }))
	cfg.Timeout = 200 * time.Millisecond
	out := opened(t, cfg)
	err := out.Write(t.Context(), readings("s1", 0, 3))
	if err == nil || !strings.Contains(err.Error(), "no acknowledgement within 200ms") {
		t.Errorf("Write = %v", err)
	}
}

func TestContextEndsWhileWaiting(t *testing.T) {
	out := opened(t, configFor(fakeBroker(t, func(packets.ControlPacket, net.Conn) error { return nil })))
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if err := out.Write(ctx, readings("s1", 0, 3)); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Write = %v, want the end of its context", err)
	}
}

// fakeBroker accepts every client and does with each message what answer does.
// An error closes the connection.
func fakeBroker(t *testing.T, answer func(p packets.ControlPacket, conn net.Conn) error) (url string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	all.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			all.Go(func() {
				defer conn.Close()
				for {
					p, err := packets.ReadPacket(conn)
					if err != nil {
						return
					}
					switch p.(type) {
					case *packets.ConnectPacket:
						err = packets.NewControlPacket(packets.Connack).Write(conn)
					case *packets.PublishPacket:
						err = answer(p, conn)
					}
					if err != nil {
						return
					}
				}
			})
		}
	})
	t.Cleanup(func() {
		l.Close()
		all.Wait()
	})
	return "mqtt://" + l.Addr().String()
}

func acknowledge(p packets.ControlPacket, conn net.Conn) error {
	ack := packets.NewControlPacket(packets.Puback).(*packets.PubackPacket)
	ack.MessageID = p.Details().MessageID
	return ack.Write(conn)
}

// Acknowledgements may come in any order, twice, and for nothing.
func TestUnusualAcknowledgements(t *testing.T) {
	var held []packets.ControlPacket
	out := opened(t, configFor(fakeBroker(t, func(p packets.ControlPacket, conn net.Conn) error {
		if held = append(held, p); len(held) < 5 {
			return nil
		}
		for _, p := range slices.Backward(held) {
			if err := errors.Join(acknowledge(p, conn), acknowledge(p, conn)); err != nil {
				return err
			}
		}
		stray := packets.NewControlPacket(packets.Puback).(*packets.PubackPacket)
		stray.MessageID = 40_000
		held = nil
		return stray.Write(conn)
	})))
	for n := range 10 {
		if err := out.Write(t.Context(), readings("s1", n*500, 500)); err != nil {
			t.Fatal(err)
		}
	}
}

func TestWhatIsNoBroker(t *testing.T) {
	web := httptest.NewServer(http.NotFoundHandler())
	defer web.Close()
	garbage := fakeBroker(t, func(_ packets.ControlPacket, conn net.Conn) error {
		_, err := conn.Write([]byte("\x33\xff\xff\xff\xff\xff\xff"))
		return err
	})
	for name, url := range map[string]string{
		"web server":           strings.Replace(web.URL, "http", "mqtt", 1),
		"web page":             strings.Replace(web.URL, "http", "ws", 1),
		"garbage in an answer": garbage,
	} {
		cfg := configFor(url)
		cfg.Timeout = 2 * time.Second
		err := opened(t, cfg).Write(t.Context(), readings("s1", 0, 3))
		if err == nil || sink.IsPermanent(err) {
			t.Errorf("%s: Write = %v, want an error that the operator can mend", name, err)
		}
	}
}

func TestLogin(t *testing.T) {
	passwords := filepath.Join(t.TempDir(), "passwords")
	if err := os.WriteFile(passwords, []byte("gw:hunter2\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("mosquitto_passwd", "-U", passwords).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	broker := startBroker(t, "allow_anonymous false", "password_file "+passwords)
	for _, tt := range []struct{ user, password, want string }{
		{"gw", "hunter2", ""}, {"gw", "wrong-horse", "not authorized"}, {"", "", "not authorized"},
	} {
		cfg := configFor(broker.URL())
		cfg.Username, cfg.Password = tt.user, protocol.Secret(tt.password)
		err := opened(t, cfg).Write(t.Context(), readings("s1", 0, 1))
		if tt.want == "" {
			if err != nil {
				t.Errorf("Write with the right password = %v", err)
			}
			continue
		}
		if err == nil || !strings.Contains(strings.ToLower(err.Error()), tt.want) || strings.Contains(err.Error(), "horse") || sink.IsPermanent(err) {
			t.Errorf("Write with password %q = %v, want %q in it", tt.password, err, tt.want)
		}
	}
}

func TestTLSWithClientCertificate(t *testing.T) {
	ca := sinktest.NewAuthority(t)
	cert, key := ca.Server(t)
	broker := startBroker(t, "cafile "+ca.CA, "certfile "+cert, "keyfile "+key, "require_certificate true", "use_identity_as_username true")
	cfg := configFor("mqtts://" + broker.Addr())
	cfg.TLS.CA = ca.CA
	if err := opened(t, cfg).Write(t.Context(), readings("s1", 0, 3)); err == nil {
		t.Error("Write without a client certificate = nil")
	}
	cfg.TLS.Cert, cfg.TLS.Key = ca.Client(t)
	if err := opened(t, cfg).Write(t.Context(), readings("s1", 0, 3)); err != nil {
		t.Error(err)
	}
}

func TestTraffic(t *testing.T) {
	broker := startBroker(t)
	out := opened(t, configFor(broker.URL()))
	var meter sink.Meter = out
	if got := meter.Traffic(); got != (sink.Traffic{}) {
		t.Errorf("Traffic before the first Write = %+v", got)
	}
	batch := readings("s1", 0, 500)
	payload := 0
	for i := range batch {
		payload += len(protocol.AppendJSON(nil, &batch[i]))
	}
	if err := out.Write(t.Context(), batch); err != nil {
		t.Fatal(err)
	}
	got := meter.Traffic()
	if got.Requests != 500 || got.Sent < uint64(payload) || got.Sent > uint64(payload+500*40) || got.Received < 4*500 || got.Received > 4*500+10 {
		t.Errorf("Traffic after 500 readings of %d bytes = %+v", payload, got)
	}
}

func TestHostileNamesStayTopics(t *testing.T) {
	broker := startBroker(t)
	heard := listen(t, broker.URL())
	out := opened(t, configFor(broker.URL()))
	names := []string{
		"", "+", "#", "a/b", "/", "//", "../x", "$SYS", "$share/x", "\x00", "a\x00b", "\xff\xfe", "%", "%25", "\n", "\u0085", "\ufffe", "\ufffd",
		strings.Repeat("a", 1000), strings.Repeat("a", 1001), strings.Repeat("/", 70_000), "a b", "ünï.温度", "\u202eabc",
	}
	var batch []protocol.Reading
	for i, name := range names {
		batch = append(batch, readings(name, i, 1)...)
	}
	if err := out.Write(t.Context(), batch); err != nil {
		t.Fatal(err)
	}
	topics := map[string]bool{}
	for _, m := range heard.messages() {
		topics[m.topic] = true
		if strings.Count(m.topic, "/") != 2 || !strings.HasPrefix(m.topic, "readings/plant-7/") || strings.HasSuffix(m.topic, "/") {
			t.Errorf("a message on topic %q", m.topic)
		}
	}
	if len(topics) != len(names) {
		t.Errorf("%d names gave %d topics", len(names), len(topics))
	}
}

func TestRetain(t *testing.T) {
	broker := startBroker(t)
	for i, retain := range []bool{true, false} {
		cfg := configFor(broker.URL())
		cfg.Retain, cfg.Topic = retain, []string{"kept/{device}", "passing/{device}"}[i]
		if err := opened(t, cfg).Write(t.Context(), readings("s1", 0, 5)); err != nil {
			t.Fatal(err)
		}
	}
	got := listen(t, broker.URL()).messages()
	if len(got) != 1 || got[0].topic != "kept/s1" || !got[0].retained || pointOf(t, got[0].payload).N != 4 {
		t.Errorf("the broker keeps %v, want reading 4 on kept/s1", got)
	}
}

func TestNewRefuses(t *testing.T) {
	for _, edit := range []func(*sinkmqtt.Config){
		func(c *sinkmqtt.Config) { c.URL = "" },
		func(c *sinkmqtt.Config) { c.Topic = "a/#" },
		func(c *sinkmqtt.Config) { c.TLS.CA = "/absent/ca.pem" },
	} {
		cfg := configFor("mqtts://h")
		edit(&cfg)
		if _, err := sinkmqtt.New("upstream", cfg, sinkmqtt.Options{}); err == nil {
			t.Errorf("New(%+v) = nil, want an error", cfg)
		}
	}
}
