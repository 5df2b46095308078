package mqtt

import (
	"context"
	"fmt"
	"net"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/eclipse/paho.mqtt.golang/packets"

	"sluice/drivers"
	"sluice/drivers/drivertest"
	"sluice/protocol"
)

// fakeBroker accepts one connection after the other and does with it, once it
// is subscribed, what talk does.
func fakeBroker(t *testing.T, talk func(conn net.Conn)) (url string) {
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
			if greet(conn) == nil {
				talk(conn)
			}
			conn.Close()
		}
	})
	t.Cleanup(func() {
		l.Close()
		all.Wait()
	})
	return "mqtt://" + l.Addr().String()
}

func greet(conn net.Conn) error {
	if _, err := packets.ReadPacket(conn); err != nil {
		return err
	}
	if err := packets.NewControlPacket(packets.Connack).Write(conn); err != nil {
		return err
	}
	p, err := packets.ReadPacket(conn)
	if err != nil {
		return err
	}
	answer := packets.NewControlPacket(packets.Suback).(*packets.SubackPacket)
	answer.MessageID = p.Details().MessageID
	answer.ReturnCodes = []byte{1}
	return answer.Write(conn)
}

// flood publishes for ever and reads nothing.
func flood(conn net.Conn) {
	p := packets.NewControlPacket(packets.Publish).(*packets.PublishPacket)
	p.TopicName, p.Payload, p.Qos = "plant/a/s1/climate", []byte(`{"value":1}`), 1
	for {
		p.MessageID = p.MessageID%65535 + 1
		if p.Write(conn) != nil {
			return
		}
	}
}

// stuck is a connection whose writes block from the third on, after CONNECT and
// SUBSCRIBE, as they do when the broker's window is full.
type stuck struct {
	net.Conn
	writes atomic.Int32
	limit  atomic.Pointer[time.Time] // of the write
	closed chan struct{}             // closed by Close
	once   sync.Once
}

func (s *stuck) Write(p []byte) (int, error) {
	if s.writes.Add(1) <= 2 {
		return s.Conn.Write(p)
	}
	select {
	case <-time.After(time.Until(*s.limit.Load())):
		return 0, os.ErrDeadlineExceeded
	case <-s.closed:
		return 0, net.ErrClosed
	}
}

func (s *stuck) SetWriteDeadline(t time.Time) error {
	s.limit.Store(&t)
	return nil
}

func (s *stuck) Close() error {
	s.once.Do(func() { close(s.closed) })
	return s.Conn.Close()
}

func getStuck(d *Driver) {
	d.dialTCP = func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := (&net.Dialer{}).DialContext(ctx, network, address)
		return &stuck{Conn: conn, closed: make(chan struct{})}, err
	}
}

// TestBrokerStopsReading has a broker that keeps sending and reads no
// acknowledgement: another driver is not delayed, and Run ends promptly.
func TestBrokerStopsReading(t *testing.T) {
	deaf, deafStatus := newTestDriver(t, fakeBroker(t, flood), nil, climate)
	getStuck(deaf)
	deafEmitter := drivertest.NewEmitter(t)
	stopDeaf := run(t, deaf, deafStatus, deafEmitter)
	deafEmitter.Wait(1000)

	broker := drivertest.StartMosquitto(t)
	pub := newPublisher(t, broker.Addr())
	d, status := newTestDriver(t, broker.URL(), nil, climate)
	e := drivertest.NewEmitter(t)
	stop := run(t, d, status, e)
	began := time.Now()
	publishMany(pub, 1, 50)
	e.Wait(50)
	if took := time.Since(began); took > 2*time.Second {
		t.Errorf("50 messages of the other broker took %v", took)
	}
	e.WaitAcknowledged(50)
	stopped(t, stop)

	deafEmitter.Wait(len(deafEmitter.Readings()) + 100) // it still reads
	began = time.Now()
	stopped(t, stopDeaf)
	if took := time.Since(began); took > drivertest.Prompt {
		t.Errorf("Run took %v to return", took)
	}
}

// TestBrokerStopsReadingIsNoticed lets the write time out.
func TestBrokerStopsReadingIsNoticed(t *testing.T) {
	d, _ := newTestDriver(t, fakeBroker(t, flood), func(c *Config) { c.Timeout = 300 * time.Millisecond }, climate)
	getStuck(d)
	err := d.Run(t.Context(), drivertest.NewEmitter(t))
	if err == nil || !strings.Contains(err.Error(), "keep the connection") {
		t.Errorf("Run returned %v, want the loss of the connection", err)
	}
}

func TestSilentBroker(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0") // accepts in the kernel, says nothing
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for _, scheme := range []string{"mqtt", "ws"} {
		url := scheme + "://" + l.Addr().String()
		d, _ := newTestDriver(t, url, func(c *Config) { c.Timeout = 200 * time.Millisecond }, climate)
		if err := d.Run(t.Context(), drivertest.NewEmitter(t)); err == nil {
			t.Errorf("%s: Run returned nil, want a time-out", scheme)
		}
		d, _ = newTestDriver(t, url, nil, climate) // 10 s
		ctx, cancel := context.WithCancel(t.Context())
		began := time.Now()
		time.AfterFunc(100*time.Millisecond, cancel)
		if err := d.Run(ctx, drivertest.NewEmitter(t)); err != nil || time.Since(began) > drivertest.Prompt {
			t.Errorf("%s: Run returned %v after %v, want nil at once", scheme, err, time.Since(began))
		}
	}
}

func TestNoBroker(t *testing.T) {
	d, _ := newTestDriver(t, "mqtt://"+freeAddress(t), nil, climate)
	err := d.Run(t.Context(), drivertest.NewEmitter(t))
	if err == nil || !strings.Contains(err.Error(), "connect to mqtt://127.0.0.1") || !strings.Contains(err.Error(), "refused") {
		t.Errorf("Run returned %v, want that the connection is refused", err)
	}
}

func TestRefusedSubscription(t *testing.T) {
	broker := drivertest.StartMosquitto(t)
	d, _ := newTestDriver(t, broker.URL(), nil, climate)
	d.subs.want.Filters = []string{"a/" + strings.Repeat("/", 300)} // more levels than mosquitto takes
	err := d.Run(t.Context(), drivertest.NewEmitter(t))
	if err == nil || !strings.Contains(err.Error(), "subscribe at ") {
		t.Errorf("Run returned %v, want that subscribing fails", err)
	}
}

// TestStolenClientID lets the broker close every connection right after the
// subscription, as it does when another client takes the id.
func TestStolenClientID(t *testing.T) {
	d, _ := newTestDriver(t, fakeBroker(t, func(net.Conn) {}), nil, climate)
	var err error
	for range briefLimit {
		err = d.Run(t.Context(), drivertest.NewEmitter(t))
	}
	if err == nil || !strings.Contains(err.Error(), `another client may be using client id "sluice-test-floor"`) {
		t.Errorf("Run returned %v, want the client id in it", err)
	}
}

type panicker struct{ drivers.Emitter }

func (panicker) Emit(*protocol.Batch) bool { panic("boom") }

// TestPanicIsTheDrivers checks that a panic on the library's goroutine comes
// out of Run, where it is recovered.
func TestPanicIsTheDrivers(t *testing.T) {
	d, _ := newTestDriver(t, fakeBroker(t, flood), nil, climate)
	defer func() {
		if p := recover(); p == nil || !strings.Contains(fmt.Sprint(p), "boom") {
			t.Errorf("Run panicked with %v, want boom", p)
		}
	}()
	d.Run(t.Context(), panicker{})
}
