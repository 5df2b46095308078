package bus

import (
	"context"
	"errors"
	"net"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"sluice/protocol/modbus"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience ends a test that would fail anyway.
const patience = 30 * time.Second

// master is a plain Modbus master, one goroutine.
type master struct {
	t       testing.TB
	line    Line
	mode    Mode
	timing  timing
	stream  *modbus.Stream
	quiet   time.Time // when the line was last heard
	number  uint16
	timeout time.Duration
	got     []byte // all that was received since the last request
}

func newMaster(t testing.TB, line Line, o Options) *master {
	m := &master{t: t, line: line, mode: o.Mode, stream: modbus.NewRTU(modbus.Responses), timeout: time.Second}
	switch o.Mode {
	case ASCII:
		m.stream = modbus.NewASCII()
	case TCP:
		m.stream = modbus.NewTCP(modbus.Responses)
	}
	if o.Line != "" {
		m.timing, _ = parseLine(o.Line)
	}
	return m
}

func (m *master) frame(unit uint8, pdu []byte) []byte {
	switch m.mode {
	case ASCII:
		return modbus.AppendASCII(nil, unit, pdu)
	case TCP:
		m.number++
		return modbus.AppendTCP(nil, m.number, unit, pdu)
	}
	return modbus.AppendRTU(nil, unit, pdu)
}

// write sends bytes at once.
func (m *master) write(p []byte) {
	m.t.Helper()
	if err := m.line.SetWriteDeadline(time.Now().Add(patience)); err != nil {
		m.t.Fatal(err)
	}
	if _, err := m.line.Write(p); err != nil {
		m.t.Fatal(err)
	}
}

// post sends a request after the silence that belongs before it.
func (m *master) post(unit uint8, q modbus.Request) {
	m.t.Helper()
	pdu, err := q.Append(nil)
	if err != nil {
		m.t.Fatal(err)
	}
	time.Sleep(time.Until(m.quiet.Add(m.timing.gap)))
	m.got = m.got[:0]
	p := m.frame(unit, pdu)
	m.write(p)
	m.quiet = time.Now().Add(m.timing.span(len(p)))
}

// read returns what comes until a deadline; at least one byte.
func (m *master) read(until time.Time) ([]byte, error) {
	if err := m.line.SetReadDeadline(until); err != nil {
		return nil, err
	}
	buf := make([]byte, 1024)
	n, err := m.line.Read(buf)
	if n > 0 {
		m.quiet = time.Now()
		m.got = append(m.got, buf[:n]...)
	}
	return buf[:n], err
}

// listen reads for a time.
func (m *master) listen(d time.Duration) []byte {
	for until := time.Now().Add(d); ; {
		if _, err := m.read(until); err != nil {
			return slices.Clone(m.got)
		}
	}
}

var errOther = errors.New("another unit or transaction answered")

// ask sends a request and waits for the answer to it.
func (m *master) ask(unit uint8, q modbus.Request) (modbus.Response, error) {
	m.t.Helper()
	m.post(unit, q)
	until := time.Now().Add(m.timeout)
	for {
		p, err := m.read(until)
		if err != nil {
			m.stream.Reset()
			return modbus.Response{}, err
		}
		m.stream.Feed(p)
		f, ok := m.stream.Next()
		if !ok {
			continue
		}
		if f.Unit != unit || f.Transaction != m.number {
			return modbus.Response{}, errOther
		}
		r, err := modbus.ParseResponse(slices.Clone(f.PDU))
		if err != nil {
			return r, err
		}
		return r, r.Answers(&q)
	}
}

// read2 is a request for two holding registers.
var read2 = modbus.Request{Function: modbus.ReadHoldingRegisters, Address: 100, Quantity: 2}

// rig is a bus that is played on one end of a pipe.
type rig struct {
	*Bus
	*master
	answers *[]Answer
}

// play makes a rig. In a bubble of synctest its times are exact.
func play(t *testing.T, o Options, slaves ...Slave) rig {
	t.Helper()
	answers, mu := new([]Answer), new(sync.Mutex)
	if o.Ledger == nil {
		o.Ledger = func(a Answer) {
			mu.Lock()
			defer mu.Unlock()
			*answers = append(*answers, a)
		}
	}
	b, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range slaves {
		if err := b.Add(s); err != nil {
			t.Fatal(err)
		}
	}
	near, far := net.Pipe()
	serve(t, b, far)
	t.Cleanup(func() { _ = near.Close() })
	return rig{b, newMaster(t, near, o), answers}
}

// serve serves a line until the test ends.
func serve(t testing.TB, b *Bus, line Line) {
	ctx, cancel := context.WithCancel(context.Background())
	var all sync.WaitGroup
	all.Go(func() {
		if err := b.Serve(ctx, line); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(func() { cancel(); all.Wait() })
}

// run runs a bus until the test ends.
func run(t testing.TB, b *Bus) {
	ctx, cancel := context.WithCancel(context.Background())
	var all sync.WaitGroup
	all.Go(func() {
		if err := b.Run(ctx); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(func() {
		cancel()
		all.Wait()
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
}

// meter is a slave with something in every table.
func meter(unit uint8) Slave {
	return Slave{
		Unit:     unit,
		Holding:  []Block{{100, []uint16{1, 2, 3}}, {103, []uint16{4}}, {200, []uint16{9}}},
		Input:    []Block{{0, []uint16{7, 8}}},
		Coils:    []Block{{10, []uint16{1, 0, 1, 1, 0, 0, 0, 0, 1}}},
		Discrete: []Block{{0, []uint16{0, 1}}},
	}
}

// demand fails the test when a master did something wrong.
func demand(t *testing.T, b *Bus) {
	t.Helper()
	for _, v := range b.Violations() {
		t.Errorf("violation: %v", v)
	}
}

func timedOut(err error) bool { return errors.Is(err, os.ErrDeadlineExceeded) }
