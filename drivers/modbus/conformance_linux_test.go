package modbus

import (
	"context"
	"io"
	"log/slog"
	"net"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"sluice/drivers"
	"sluice/drivers/drivertest"
	"sluice/firmware-sim/wire/pty"
	"sluice/protocol/modbus"
)

// outlet is a place where a slave can be plugged in and pulled out: a port or
// the address of a server.
type outlet struct {
	t     *testing.T
	slave *slave
	link  string // of a port, "" for a server
	host  string // of a server, from the first plug on

	ports  chan io.ReadWriter // plug sends, the slave's goroutine receives, the test's end closes; one is plugged at a time
	served sync.WaitGroup
	open   []io.Closer // what pulling closes
	mu     sync.Mutex  // guards open
}

func (o *outlet) plug() {
	o.t.Helper()
	if o.link != "" {
		device, err := pty.Open(o.link)
		if err != nil {
			o.t.Fatal(err)
		}
		o.keep(device)
		o.ports <- device
		return
	}
	host := o.host
	if host == "" {
		host = "127.0.0.1:0"
	}
	listener, err := net.Listen("tcp", host)
	if err != nil {
		o.t.Fatal(err)
	}
	o.host = listener.Addr().String()
	o.keep(listener)
	o.served.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			o.keep(conn)
			o.served.Go(func() { o.slave.serve(conn) })
		}
	})
}

func (o *outlet) keep(c io.Closer) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.open = append(o.open, c)
}

func (o *outlet) pull() {
	o.mu.Lock()
	for _, c := range o.open {
		_ = c.Close()
	}
	o.open = nil
	o.mu.Unlock()
}

// newOutlet returns an outlet with a slave plugged in that is unit 1.
func newOutlet(t *testing.T, c *Config, isPort bool) *outlet {
	t.Helper()
	o := &outlet{t: t, slave: newSlave(*c, 1), ports: make(chan io.ReadWriter, 1)}
	o.served.Go(func() {
		for port := range o.ports {
			o.slave.serve(port)
		}
	})
	o.slave.timing = Timing{} // the test is in a hurry
	if isPort {
		o.link = filepath.Join(t.TempDir(), "port")
		c.Port = o.link
	}
	o.plug()
	if !isPort {
		scheme := "tcp://"
		if o.slave.framing != framedTCP {
			scheme = "rtu+tcp://"
		}
		c.URL = scheme + o.host
	}
	t.Cleanup(func() {
		o.pull()
		close(o.ports)
		o.served.Wait()
	})
	return o
}

// say makes unit 1 answer each of the values once, and nothing else.
type sayings struct {
	mu     sync.Mutex
	values []int
}

func (s *sayings) say(v int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.values = append(s.values, v)
}

func (s *sayings) behave(u *slaveUnit) func(*modbus.Request) behaviour {
	return func(*modbus.Request) behaviour {
		s.mu.Lock()
		defer s.mu.Unlock()
		if len(s.values) == 0 {
			return behaviour{exception: modbus.ServerDeviceFailure}
		}
		u.registers[0] = uint16(s.values[0])
		s.values = s.values[1:]
		return behaviour{}
	}
}

func TestConformance(t *testing.T) {
	ascii := lineConfig("115200 8N1")
	ascii.Mode = modeASCII
	for name, c := range map[string]Config{
		"RTU": lineConfig("115200 8N1"), "ASCII": ascii, "TCP": tcpConfig("tcp://h"), "RTUbyTCP": tcpConfig("rtu+tcp://h:1"),
	} {
		t.Run(name, func(t *testing.T) {
			isPort := c.URL == ""
			drivertest.Run(t, drivertest.Case{Waits: isPort, New: func(t *testing.T) drivertest.Rig {
				c := c
				c.Timeout = 5 * time.Second // the machine may be busy
				o := newOutlet(t, &c, isPort)
				said := &sayings{}
				u := o.slave.units[1]
				u.behave = said.behave(u)
				status := drivers.NewStatus(slog.New(slog.DiscardHandler))
				d, err := New("bus", c, devices(block(0, 1, 20*time.Millisecond), 1), Options{Status: status})
				if err != nil {
					t.Fatal(err)
				}
				return drivertest.Rig{
					Driver: d, Status: status, Device: "unit01",
					Send: said.say, Lose: o.pull, Restore: o.plug,
				}
			}})
		})
	}
}

// TestReplug pulls the plug again and again, under load.
func TestReplug(t *testing.T) {
	c := lineConfig("115200 8N1")
	o := newOutlet(t, &c, true)
	d, e := newDriver(t, c, devices(block(0, 20, 50*time.Millisecond), 1)), &recorder{}
	others := goleak.IgnoreCurrent()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1) // Run's result, sent once
	go func() { ended <- d.Run(ctx, e) }()
	for range 5 {
		seen := len(e.of("unit01"))
		drivertest.Eventually(t, "readings go on", func() bool { return len(e.of("unit01")) > seen+2 })
		o.pull()
		drivertest.Eventually(t, "the port is known to be away", func() bool { return d.status.Condition().State == drivers.Down })
		o.plug()
	}
	cancel()
	if err := <-ended; err != nil {
		t.Errorf("Run returned %v", err)
	}
	o.pull()
	if leak := goleak.Find(others); leak != nil {
		t.Error(leak)
	}
}

// TestIdleServer has a server that closes connections nobody uses: that is no
// failure.
func TestIdleServer(t *testing.T) {
	c := tcpConfig("tcp://h")
	o := newOutlet(t, &c, false)
	d, e := newDriver(t, c, devices(block(0, 1, 1500*time.Millisecond), 1)), &recorder{}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1) // Run's result, sent once
	go func() { ended <- d.Run(ctx, e) }()
	for n := 1; n < 3; n++ {
		drivertest.Eventually(t, "a reading comes", func() bool { return len(e.of("unit01")) >= n })
		o.pull()
		o.plug()
	}
	drivertest.Eventually(t, "a reading comes", func() bool { return len(e.of("unit01")) >= 3 })
	cancel()
	if err := <-ended; err != nil {
		t.Errorf("Run returned %v", err)
	}
}

func TestEcho(t *testing.T) {
	c := lineConfig("115200 8N1")
	c.Echo = true
	o := newOutlet(t, &c, true)
	o.pull()
	device, err := pty.Open(o.link)
	if err != nil {
		t.Fatal(err)
	}
	o.keep(device)
	o.served.Go(func() { o.slave.serve(echoing{device}) })
	d, e := newDriver(t, c, devices(commanded(), 1)), &recorder{}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1) // Run's result, sent once
	go func() { ended <- d.Run(ctx, e) }()
	drivertest.Eventually(t, "a reading comes", func() bool { return len(e.of("unit01")) > 0 })
	if _, err := d.Command(ctx, "unit01", drivers.Command{Name: "relay", Value: "on"}); err != nil {
		t.Error(err)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Errorf("Run returned %v", err)
	}
	if len(e.rejected) > 0 {
		t.Errorf("rejected %v", e.rejected)
	}
}

// echoing is a line whose master hears itself.
type echoing struct{ io.ReadWriter }

func (e echoing) Read(p []byte) (int, error) {
	n, err := e.ReadWriter.Read(p)
	if err == nil {
		_, err = e.Write(p[:n])
	}
	return n, err
}
