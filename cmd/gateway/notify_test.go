package main

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/sys/unix"

	"sluice/cmd/gateway/config"
	"sluice/drivers"
	"sluice/drivers/drivertest"
	"sluice/pipeline"
	"sluice/protocol"
)

// fakeSystemd is the other end of a notify socket.
type fakeSystemd struct {
	t    *testing.T
	conn *net.UnixConn
}

func newFakeSystemd(t *testing.T) fakeSystemd {
	t.Helper()
	dir, err := os.MkdirTemp("", "notify") // t.TempDir may be too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "s")
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		conn.Close()
		os.RemoveAll(dir)
	})
	t.Setenv("NOTIFY_SOCKET", path)
	t.Setenv("WATCHDOG_USEC", "60000000")
	t.Setenv("WATCHDOG_PID", "")
	return fakeSystemd{t, conn}
}

// heard returns the messages that are there, without waiting for any: what was told
// is there at once.
func (s fakeSystemd) heard() []string {
	s.t.Helper()
	raw, err := s.conn.SyscallConn()
	if err != nil {
		s.t.Fatal(err)
	}
	var list []string
	err = raw.Read(func(fd uintptr) bool {
		for {
			buf := make([]byte, 4096)
			n, _, err := unix.Recvfrom(int(fd), buf, unix.MSG_DONTWAIT)
			if err != nil {
				return true
			}
			list = append(list, string(buf[:n]))
		}
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return list
}

// await waits for a message that begins so.
func (s fakeSystemd) await(begin string) {
	s.t.Helper()
	if err := s.conn.SetReadDeadline(time.Now().Add(drivertest.Patience)); err != nil {
		s.t.Fatal(err)
	}
	buf := make([]byte, 4096)
	for {
		n, err := s.conn.Read(buf)
		if err != nil {
			s.t.Fatalf("systemd hears no %s: %v", begin, err)
		}
		if strings.HasPrefix(string(buf[:n]), begin) {
			return
		}
	}
}

// fed returns how often the watchdog was fed, and the last status.
func (s fakeSystemd) fed() (times int, status string) {
	for _, m := range s.heard() {
		if m == "WATCHDOG=1" {
			times++
		}
		if text, ok := strings.CutPrefix(m, "STATUS="); ok {
			status = text
		}
	}
	return times, status
}

// oddSink does what write does, whatever the context says.
type oddSink struct{ write func() error }

func (s oddSink) Write(context.Context, []protocol.Reading) error { return s.write() }
func (s oddSink) Close() error                                    { return nil }

// watched is a gateway with one driver's intake and one sink, which tells systemd
// how it is.
func watched(t *testing.T, s oddSink) *gateway {
	t.Helper()
	c := pipeline.DefaultConfig()
	c.Dir = t.TempDir()
	log := slog.New(slog.DiscardHandler)
	p, err := pipeline.Open(c, []string{"floor"}, []pipeline.Sink{{Name: "hub", Sink: s, Config: pipeline.DefaultDelivery()}}, log)
	if err != nil {
		t.Fatal(err)
	}
	g := &gateway{name: "test", log: log, pipeline: p}
	g.drivers = []*driver{{name: "floor", driver: source{}, status: drivers.NewStatus(log), log: log}}
	n, err := openNotifier(log)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- g.run(ctx, func(ctx context.Context) { n.run(ctx, g, c.Drain) }) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		n.close()
	})
	return g
}

// source is a driver that has one reading to say.
type source struct{}

func (source) Run(ctx context.Context, e drivers.Emitter) error {
	b := &protocol.Batch{Done: func(error) {}}
	r := b.Add()
	r.Device, r.ReceivedTime = &protocol.Device{Name: "s1", Driver: "floor"}, protocol.At(time.Now())
	r.Metrics = append(r.Metrics, protocol.Metric{Name: "t", Value: protocol.Float(1)})
	e.Emit(b)
	<-ctx.Done()
	return nil
}

// A sink that never returns from a write ends the feeding of the watchdog, and so
// the process. When it returns after all, the feeding goes on.
func TestWatchdogStarvesWhenADeliveryHangs(t *testing.T) {
	systemd := newFakeSystemd(t)
	synctest.Test(t, func(t *testing.T) {
		hang := make(chan struct{})
		watched(t, oddSink{func() error { <-hang; return nil }})
		time.Sleep(20 * time.Second)
		if told := systemd.heard(); len(told) < 5 || told[0] != "READY=1" {
			t.Errorf("at first systemd heard %q", told)
		}
		for range 7 { // the time-out of a write, 30 s, and a minute of patience are over then
			time.Sleep(10 * time.Second)
			systemd.heard()
		}
		time.Sleep(10 * time.Second)
		if _, status := systemd.fed(); status != "hangs: sink hub" {
			t.Errorf("status is %q", status)
		}
		time.Sleep(30 * time.Second)
		if n, _ := systemd.fed(); n != 0 {
			t.Errorf("the watchdog was fed %d times while the sink hangs", n)
		}
		close(hang)
		time.Sleep(11 * time.Second)
		if n, _ := systemd.fed(); n == 0 {
			t.Error("the watchdog is not fed although the sink goes on")
		}
	})
}

// What is only away is waited for, for however long: the process must not end.
func TestWatchdogIsFedWhileASinkIsAway(t *testing.T) {
	systemd := newFakeSystemd(t)
	synctest.Test(t, func(t *testing.T) {
		watched(t, oddSink{func() error { return errors.New("connection refused") }})
		for i := range 720 { // two hours
			time.Sleep(10 * time.Second)
			if n, _ := systemd.fed(); n == 0 {
				t.Fatalf("the watchdog is not fed after %ds", 10*(i+1))
			}
		}
	})
}

func TestWatchdogStarvesWhenADriverHangs(t *testing.T) {
	systemd := newFakeSystemd(t)
	synctest.Test(t, func(t *testing.T) {
		g := watched(t, oddSink{func() error { return nil }})
		g.drivers[0].status.Within(0)
		time.Sleep(40 * time.Second)
		if n, _ := systemd.fed(); n == 0 {
			t.Error("the watchdog is not fed within the driver's time")
		}
		time.Sleep(26 * time.Second)
		if _, status := systemd.fed(); status != "hangs: driver floor" {
			t.Errorf("status is %q", status)
		}
	})
}

func TestNotifierTellsOfReloadAndEnd(t *testing.T) {
	systemd := newFakeSystemd(t)
	synctest.Test(t, func(t *testing.T) {
		g := quietGateway(t)
		n, err := openNotifier(slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		defer n.close()
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		n.run(ctx, g, 10*time.Second)
		n.reloading()()
		told := strings.Join(systemd.heard(), "|")
		for _, want := range []string{
			"READY=1|STATUS=all is well, drivers: 0, sinks: 0|WATCHDOG=1|STOPPING=1\n",
			"\nEXTEND_TIMEOUT_USEC=40000000|RELOADING=1\nMONOTONIC_USEC=", "|READY=1",
		} {
			if !strings.Contains(told, want) {
				t.Errorf("systemd heard %q, without %q", told, want)
			}
		}
	})
}

// Without systemd there is nobody to tell, and one that wants the watchdog of
// another process fed gets nothing of it.
func TestNotifierWithoutSystemd(t *testing.T) {
	t.Setenv("NOTIFY_SOCKET", "")
	n, err := openNotifier(slog.New(slog.DiscardHandler))
	if n != nil || err != nil {
		t.Fatalf("got %v, %v", n, err)
	}
	n.run(t.Context(), quietGateway(t), 0)
	n.reloading()()
	n.close()

	newFakeSystemd(t)
	t.Setenv("WATCHDOG_PID", "1")
	n, err = openNotifier(slog.New(slog.DiscardHandler))
	if err != nil || n.dog {
		t.Fatalf("the watchdog of process 1 is fed: %v", err)
	}
	n.close()
}

// TestRunTellsSystemd has the whole program tell.
func TestRunTellsSystemd(t *testing.T) {
	systemd := newFakeSystemd(t)
	path := filepath.Join(t.TempDir(), "config.yaml")
	text := `gateway: told
drivers: {floor: {mqtt: {url: "mqtt://127.0.0.1:1"}}}
profiles: {any: {decode: json}}
devices: [{via: floor, profile: any, topic: "a/{device}"}]
pipeline: {dir: data}
sinks: {kept: {file: {path: readings.ndjson}}}
`
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := load(path, config.Options{})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- runGateway(ctx, &reloader{file: f, log: slog.New(slog.DiscardHandler)}) }()
	systemd.await("READY=1")
	cancel()
	systemd.await("STOPPING=1")
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
