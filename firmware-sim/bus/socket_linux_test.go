package bus

import (
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"sluice/protocol/modbus"
)

// plugged returns a running bus at a link.
func plugged(t testing.TB, o Options) *Bus {
	t.Helper()
	o.Link = filepath.Join(t.TempDir(), "usb-Simulated_Adapter-if00-port0")
	b, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	if o.Mode != Text {
		if err := errors.Join(b.Add(meter(1)), b.Add(meter(2))); err != nil {
			t.Fatal(err)
		}
	}
	run(t, b)
	return b
}

func open(t testing.TB, b *Bus) *os.File {
	t.Helper()
	f, err := os.OpenFile(b.Path(), os.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	return f
}

func TestPty(t *testing.T) {
	for _, o := range []Options{fast, slow, {Mode: ASCII, Line: "19200 7E1", Turnaround: 5 * time.Millisecond}} {
		b := plugged(t, o)
		m := newMaster(t, open(t, b), o)
		m.timeout = patience
		for range 10 {
			start := time.Now()
			r, err := m.ask(1, read2)
			if err != nil || words(r.Data)[1] != 2 {
				t.Fatalf("%v, %v", r, err)
			}
			floor := o.Turnaround + m.timing.span(len(m.frame(1, make([]byte, 5)))+len(m.frame(1, make([]byte, 6))))
			if took := time.Since(start); took < floor {
				t.Errorf("%+v: an answer after %v, sooner than %v", o, took, floor)
			}
		}
		demand(t, b)
	}
}

// TestTimesKeepTheirRatio compares the best times of two lengths, so that a
// loaded machine does not matter.
func TestTimesKeepTheirRatio(t *testing.T) {
	o := Options{Line: "9600 8E1", Turnaround: 10 * time.Millisecond}
	b := plugged(t, o)
	if err := b.Add(Slave{Unit: 9, Holding: []Block{{0, make([]uint16, 125)}}}); err != nil {
		t.Fatal(err)
	}
	m := newMaster(t, open(t, b), o)
	m.timeout = patience
	best := map[uint16]time.Duration{}
	for range 4 {
		for _, n := range []uint16{10, 110} {
			q := modbus.Request{Function: modbus.ReadHoldingRegisters, Quantity: n}
			start := time.Now()
			if _, err := m.ask(9, q); err != nil {
				t.Fatal(err)
			}
			if took := time.Since(start); best[n] == 0 || took < best[n] {
				best[n] = took
			}
		}
	}
	want := m.timing.span(200)
	if got := best[110] - best[10]; got < want*8/10 || got > want*15/10 {
		t.Errorf("100 registers more took %v, want %v", got, want)
	}
}

func TestUnplugAndPlug(t *testing.T) {
	b := plugged(t, fast)
	for range 20 {
		port := open(t, b)
		was := b.Terminal()
		m := newMaster(t, port, fast)
		m.timeout = patience
		if _, err := m.ask(1, read2); err != nil {
			t.Fatal(err)
		}
		m.post(1, read2) // its answer never comes
		if err := b.Unplug(); err != nil {
			t.Fatal(err)
		}
		if got, err := m.read(time.Now().Add(patience)); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("after the plug was pulled: % x, %v", got, err)
		}
		if _, err := os.Lstat(b.Path()); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("the link is there: %v", err)
		}
		_ = port.Close()
		if err := b.Plug(); err != nil {
			t.Fatal(err)
		}
		if to, err := os.Readlink(b.Path()); err != nil || to == was || to != b.Terminal() {
			t.Errorf("the link leads to %s, it was %s, %v", to, was, err)
		}
		if b.Plug() == nil {
			t.Error("it was plugged in twice")
		}
	}
	demand(t, b)
}

// TestReopen closes the port without unplugging it: what was said meanwhile is
// lost.
func TestReopen(t *testing.T) {
	b := plugged(t, Options{Mode: Text, Line: "115200"})
	said := make(chan struct{}, 1000) // a token for each time that the device talks; Run sends, never waiting
	err := b.AddDevice(Device{Every: 2 * time.Millisecond, Talk: func(time.Time) []byte {
		select {
		case said <- struct{}{}:
		default:
		}
		return []byte("words\n")
	}})
	if err != nil {
		t.Fatal(err)
	}
	for range 20 {
		<-said // nobody listens
	}
	port := open(t, b)
	if err := port.SetReadDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 4096)
	n, err := io.ReadAtLeast(port, buf, 6)
	if err != nil || n > 60 || b.Stats().Lost < 6*10 {
		t.Errorf("%q, %v, %+v", buf[:n], err, b.Stats())
	}
}

func TestTCP(t *testing.T) {
	for _, o := range []Options{{Mode: TCP}, {Mode: RTU, Line: "115200"}} {
		o.Listen = "127.0.0.1:0"
		b, err := New(o)
		if err != nil {
			t.Fatal(err)
		}
		if err := b.Add(meter(1)); err != nil {
			t.Fatal(err)
		}
		run(t, b)
		address := b.Path()
		for range 3 {
			c, err := net.Dial("tcp", address)
			if err != nil {
				t.Fatal(err)
			}
			m := newMaster(t, c, o)
			m.timeout = patience
			for range 5 {
				if _, err := m.ask(1, read2); err != nil {
					t.Fatal(err)
				}
			}
			if err := b.Unplug(); err != nil {
				t.Fatal(err)
			}
			if _, err := m.read(time.Now().Add(patience)); err == nil || timedOut(err) {
				t.Errorf("unplugged, the connection says %v", err)
			}
			if late, err := net.Dial("tcp", address); err == nil {
				_ = late.Close()
				t.Error("unplugged, it can be reached")
			}
			_ = c.Close()
			if err := b.Plug(); err != nil {
				t.Fatal(err)
			}
		}
		demand(t, b)
	}
}

// TestManyMastersOnTCP has each connection of Modbus TCP ask for itself, several
// requests at a time.
func TestManyMastersOnTCP(t *testing.T) {
	b, err := New(Options{Mode: TCP, Listen: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Add(meter(1)); err != nil {
		t.Fatal(err)
	}
	run(t, b)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			c, err := net.Dial("tcp", b.Path())
			if err != nil {
				t.Error(err)
				return
			}
			defer c.Close()
			var requests []byte
			for n := range uint16(50) {
				requests = modbus.AppendTCP(requests, n, 1, []byte{3, 0, 100, 0, 1})
			}
			_, _ = c.Write(requests)
			_ = c.SetReadDeadline(time.Now().Add(patience))
			answers := make([]byte, 50*11)
			if _, err := io.ReadFull(c, answers); err != nil {
				t.Error(err)
			}
			for n := range uint16(50) {
				if f, err := modbus.ParseTCP(answers[11*n : 11*n+11]); err != nil || f.Transaction != n {
					t.Errorf("%v, %v, want transaction %d", f, err, n)
				}
			}
		})
	}
	all.Wait()
	if s := b.Stats(); s.Requests != 400 || s.Violations != 0 {
		t.Errorf("%+v", s)
	}
}

func TestCloseEndsRun(t *testing.T) {
	for range 2 {
		b, err := New(Options{Line: "9600", Link: filepath.Join(t.TempDir(), "port")})
		if err != nil {
			t.Fatal(err)
		}
		done := make(chan error, 1) // Run's error, sent once
		go func() { done <- b.Run(t.Context()) }()
		if err := errors.Join(b.Close(), <-done); err != nil {
			t.Error(err)
		}
		if b.Plug() == nil {
			t.Error("a closed bus was plugged in")
		}
	}
}
