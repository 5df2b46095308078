package fleet_test

import (
	"bufio"
	"context"
	"errors"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"
	mqtt "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/listeners"
	"github.com/mochi-mqtt/server/v2/packets"
	"go.uber.org/goleak"

	"sluice/cmd/gateway/standin"
	"sluice/firmware-sim/fleet"
	"sluice/firmware-sim/ledger"
	"sluice/protocol"
	"sluice/protocol/frame"
	"sluice/protocol/payload"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const patience = 30 * time.Second

// everybody may connect, publish and subscribe.
type everybody struct{ mqtt.HookBase }

func (*everybody) Provides(b byte) bool {
	return b == mqtt.OnConnectAuthenticate || b == mqtt.OnACLCheck
}

func (*everybody) OnConnectAuthenticate(*mqtt.Client, packets.Packet) bool { return true }

func (*everybody) OnACLCheck(*mqtt.Client, string, bool) bool { return true }

// startBroker serves on address until the returned func is called.
func startBroker(t *testing.T, address string) (string, func()) {
	t.Helper()
	socket, err := net.Listen("tcp", address)
	for deadline := time.Now().Add(patience); err != nil && time.Now().Before(deadline); {
		time.Sleep(10 * time.Millisecond) // old connections may hold the address for a moment
		socket, err = net.Listen("tcp", address)
	}
	if err != nil {
		t.Fatal(err)
	}
	options := &mqtt.Options{Logger: slog.New(slog.DiscardHandler)}
	options.Capabilities = mqtt.NewDefaultServerCapabilities()
	options.Capabilities.MaximumClientWritesPending = 1 << 20
	s := mqtt.New(options)
	if err := s.AddHook(new(everybody), nil); err != nil {
		t.Fatal(err)
	}
	if err := s.AddListener(listeners.NewNet("test", socket)); err != nil {
		t.Fatal(err)
	}
	if err := s.Serve(); err != nil {
		t.Fatal(err)
	}
	var once sync.Once
	stop := func() { once.Do(func() { _ = standin.Shut(s) }) }
	t.Cleanup(stop)
	return socket.Addr().String(), stop
}

// gateway is a stand-in for the gateway: it decodes what arrives and tells the
// ledger.
type gateway struct {
	t        *testing.T
	accounts *ledger.Ledger
	mu       sync.Mutex // guards decoders
	decoders map[string]payload.Decoder
}

func newGateway(t *testing.T, accounts *ledger.Ledger) *gateway {
	g := &gateway{t: t, accounts: accounts, decoders: map[string]payload.Decoder{}}
	for name, p := range map[string]*payload.Profile{
		"climate": climate, "power": power, "door": door, "each": power, "weighbridge": weighbridge,
	} {
		d, err := payload.New(*p)
		if err != nil {
			t.Fatal(err)
		}
		g.decoders[name] = d
	}
	return g
}

func (g *gateway) got(profile, device, metric string, text []byte) {
	g.mu.Lock()
	defer g.mu.Unlock()
	var b protocol.Batch
	m := payload.Message{Payload: text, Device: &protocol.Device{Name: device}, Received: protocol.At(time.Now()), Metric: metric}
	if err := g.decoders[profile].Decode(&b, m); err != nil {
		g.t.Errorf("decode %s of %s: %v", text, device, err)
		return
	}
	g.accounts.Delivered("hub", device, b.Readings[0].Time(), b.Readings[0].Metrics)
}

// subscribe takes everything that is published.
func (g *gateway) subscribe(address string) {
	g.t.Helper()
	o := paho.NewClientOptions().AddBroker("tcp://" + address).SetClientID("gateway").SetAutoReconnect(false)
	o.SetDefaultPublishHandler(func(_ paho.Client, m paho.Message) {
		parts := strings.Split(m.Topic(), "/")
		switch parts[0] {
		case "plant":
			g.got(parts[3], parts[2], "", m.Payload())
		case "doors":
			g.got("door", parts[1], "", m.Payload())
		default:
			g.got("each", parts[1], parts[2], m.Payload())
		}
	})
	c := paho.NewClient(o)
	wait(g.t, c.Connect())
	wait(g.t, c.Subscribe("#", 1, nil))
	g.t.Cleanup(func() { c.Disconnect(100) })
}

// listen reads lines from a serial port until the returned func is called.
func (g *gateway) listen(path string) func() {
	g.t.Helper()
	port, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		g.t.Fatal(err)
	}
	var reading sync.WaitGroup
	reading.Go(func() {
		lines := bufio.NewScanner(port)
		for lines.Scan() {
			g.got("weighbridge", "weighbridge-1", "", lines.Bytes())
		}
	})
	return func() {
		_ = port.Close()
		reading.Wait()
	}
}

func wait(t *testing.T, token paho.Token) {
	t.Helper()
	if !token.WaitTimeout(patience) || token.Error() != nil {
		t.Fatal("no answer from the broker", token.Error())
	}
}

// open readies a fleet of every kind of device.
func open(t *testing.T, address string, p fleet.Play) *fleet.Fleet {
	t.Helper()
	p.Brokers = map[string]fleet.Broker{"floor": {URL: "tcp://" + address}}
	p.Ports = t.TempDir()
	f, err := fleet.Open(build(t, 1, 30), p)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	})
	return f
}

// until waits for what happens elsewhere.
func until(t *testing.T, what string, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !done(); {
		if time.Now().After(deadline) {
			t.Fatal("waited too long for", what)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func clean(t *testing.T, accounts *ledger.Ledger) ledger.Account {
	t.Helper()
	until(t, "the last readings", func() bool { return accounts.Outstanding("hub") == 0 })
	a := accounts.Verdict("hub")
	if !a.Clean() {
		t.Errorf("lost %d, duplicates %d, wrong %d, unexpected %d, reordered %d: %v",
			a.Lost, a.Duplicates, a.Wrong, a.Unexpected, a.Reordered, a.Findings)
	}
	return a
}

func TestAFleetIsHeardInFull(t *testing.T) {
	address, _ := startBroker(t, "127.0.0.1:0")
	accounts := ledger.New("hub")
	g := newGateway(t, accounts)
	g.subscribe(address)
	f := open(t, address, fleet.Play{Rate: 4000, LineRate: 100, Limit: 5000, Ledger: accounts})
	stop := g.listen(f.Ports()[0].Path)
	defer stop()
	if err := f.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	a := clean(t, accounts)
	p := f.Progress()
	if a.Delivered != 5000 || p.Sent != 5000 || p.Confirmed != 5000 || p.Devices != 121 || p.Connections != 0 {
		t.Errorf("delivered %d, progress %+v", a.Delivered, p)
	}
	if sent, open := accounts.Totals(); sent != 5000 || open != 0 {
		t.Errorf("sent %d, unconfirmed %d", sent, open)
	}
	if len(a.ByCount) != 60 {
		t.Errorf("%d devices by count", len(a.ByCount))
	}
}

func TestAFleetOutlivesItsBroker(t *testing.T) {
	address, stop := startBroker(t, "127.0.0.1:0")
	accounts := ledger.New("hub")
	newGateway(t, accounts).subscribe(address)
	f := open(t, address, fleet.Play{Rate: 2000, Ledger: accounts})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1) // Run's result
	go func() { ended <- f.Run(ctx) }()
	until(t, "messages", func() bool { return f.Progress().Confirmed > 500 })
	stop()
	until(t, "the connections to go", func() bool { return f.Progress().Connections == 0 })
	until(t, "what arrived to be seen", quiet(accounts))
	before := f.Progress().Confirmed
	startBroker(t, address)
	newGateway(t, accounts).subscribe(address)
	until(t, "messages again", func() bool { return f.Progress().Confirmed > before+1000 })
	cancel()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	if _, open := accounts.Totals(); open != 0 {
		t.Errorf("%d messages are not confirmed", open)
	}
	// A broker that dies takes along what it acknowledged and did not pass
	// on, so only what cannot be its fault is asked for here.
	if a := accounts.Verdict("hub"); a.Duplicates+a.Wrong+a.Unexpected+a.Reordered > 0 {
		t.Errorf("%+v", a)
	}
}

// quiet returns a condition that holds when no more readings arrive.
func quiet(accounts *ledger.Ledger) func() bool {
	last, since := int64(-1), time.Now()
	return func() bool {
		if n := accounts.Deliveries("hub"); n != last {
			last, since = n, time.Now()
		}
		return time.Since(since) > 100*time.Millisecond
	}
}

func TestABrokerThatIsNotThereIsAnError(t *testing.T) {
	address, stop := startBroker(t, "127.0.0.1:0")
	stop()
	f := open(t, address, fleet.Play{})
	if err := f.Run(t.Context()); err == nil || !strings.Contains(err.Error(), `connect devices of driver floor to "tcp://`+address) {
		t.Errorf("got %v", err)
	}
	if _, err := fleet.Open(build(t, 1, 1), fleet.Play{Ports: t.TempDir()}); err == nil {
		t.Error("a driver without a broker is no error")
	}
}

// only returns a fleet of one serial device and the path of its port.
func only(t *testing.T, p fleet.Play, eol string) (*fleet.Fleet, string) {
	t.Helper()
	m := fleet.New(fleet.Options{Seed: 3})
	if err := m.AddPort("scale", "115200 8N1", frame.Config{Lines: &frame.Lines{EOL: eol}}, fleet.Row{Name: "weighbridge-1", Profile: "weighbridge", Decode: weighbridge}); err != nil {
		t.Fatal(err)
	}
	p.Ports = t.TempDir()
	f, err := fleet.Open(m, p)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	want := filepath.Join(p.Ports, "scale")
	if ports := f.Ports(); len(ports) != 1 || ports[0] != (fleet.Port{Driver: "scale", Path: want}) {
		t.Fatalf("ports %v", ports)
	}
	return f, want
}

func TestALineDeviceSpeaksOnlyToAListener(t *testing.T) {
	accounts := ledger.New("hub")
	f, path := only(t, fleet.Play{LineRate: 200, Ledger: accounts}, "lf")
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1) // Run's result
	go func() { ended <- f.Run(ctx) }()
	for range 3 {
		if f.Progress().Opened != 0 {
			t.Error("a port is open")
		}
		before := f.Progress().Sent
		stop := newGateway(t, accounts).listen(path)
		until(t, "lines", func() bool { return f.Progress().Confirmed > before+100 })
		stop()
		until(t, "the device to notice", func() bool { return f.Progress().Opened == 0 })
	}
	cancel()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	if a := clean(t, accounts); a.Delivered < 300 {
		t.Errorf("delivered %d", a.Delivered)
	}
}

func TestLineEnds(t *testing.T) {
	for eol, want := range map[string]string{"auto": "\r\n", "crlf": "\r\n", "lf": "\n", "cr": "\r"} {
		f, path := only(t, fleet.Play{LineRate: 500, Limit: 2}, eol)
		port, err := os.OpenFile(path, os.O_RDWR, 0)
		if err != nil {
			t.Fatal(err)
		}
		if err := f.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		text := make([]byte, 0, 256)
		for strings.Count(string(text), want) < 2 {
			n, err := port.Read(text[len(text):cap(text)])
			if err != nil {
				t.Fatal(err)
			}
			text = text[:len(text)+n]
		}
		_ = port.Close()
		if first, rest, _ := strings.Cut(string(text), want); !strings.HasSuffix(first, "kg") || !strings.HasSuffix(rest, "kg"+want) {
			t.Errorf("%s: read %q", eol, text)
		}
	}
}

func TestALineDeviceThatIsNotReadDoesNotHoldUpTheEnd(t *testing.T) {
	f, path := only(t, fleet.Play{LineRate: 1000}, "lf")
	port, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer port.Close()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1) // Run's result
	go func() { ended <- f.Run(ctx) }()
	last, since := int64(-1), time.Now()
	until(t, "a full buffer", func() bool {
		if n := f.Progress().Confirmed; n != last {
			last, since = n, time.Now()
		}
		return last > 100 && time.Since(since) > 300*time.Millisecond
	})
	cancel()
	select {
	case err := <-ended:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(patience):
		t.Fatal("Run does not return")
	}
}

func TestRunEndsWithItsContext(t *testing.T) {
	address, _ := startBroker(t, "127.0.0.1:0")
	f := open(t, address, fleet.Play{Rate: 100})
	ctx, cancel := context.WithTimeoutCause(t.Context(), 50*time.Millisecond, errors.New("enough"))
	defer cancel()
	if err := f.Run(ctx); err != nil {
		t.Error(err)
	}
}
