package mqtt_test

import (
	"encoding/json"
	"log/slog"
	"sync"
	"testing"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"

	"sluice/drivers/drivertest"
	"sluice/protocol"
	sinkmqtt "sluice/sink/mqtt"
	"sluice/sink/sinktest"
)

const patience = 30 * time.Second

// message is what the listener has heard.
type message struct {
	topic    string
	retained bool
	payload  []byte
}

// listener hears everything that is published to a broker. It goes round the
// lines that tests cut.
type listener struct {
	t       testing.TB
	url     string
	client  paho.Client
	barrier chan struct{} // sent by the library's callback for each barrier

	mu    sync.Mutex
	heard []message
}

func listen(t testing.TB, url string) *listener {
	t.Helper()
	l := &listener{t: t, url: url, barrier: make(chan struct{})}
	l.start()
	t.Cleanup(l.stop)
	return l
}

const barrier = "barrier"

func (l *listener) start() {
	l.t.Helper()
	l.client = paho.NewClient(paho.NewClientOptions().AddBroker(l.url).SetClientID("listener").SetAutoReconnect(false))
	l.complete(l.client.Connect())
	l.complete(l.client.Subscribe("#", 1, func(_ paho.Client, m paho.Message) {
		if m.Topic() == barrier {
			l.barrier <- struct{}{}
			return
		}
		l.mu.Lock()
		defer l.mu.Unlock()
		l.heard = append(l.heard, message{m.Topic(), m.Retained(), m.Payload()})
	}))
}

func (l *listener) complete(token paho.Token) {
	l.t.Helper()
	if !token.WaitTimeout(patience) || token.Error() != nil {
		l.t.Fatalf("listen to %s: %v", l.url, token.Error())
	}
}

// catchUp returns when everything that was acknowledged before has been heard.
func (l *listener) catchUp() {
	l.t.Helper()
	token := l.client.Publish(barrier, 1, false, "")
	<-l.barrier
	l.complete(token)
}

func (l *listener) stop() { l.client.Disconnect(1000) }

// messages returns all that was heard.
func (l *listener) messages() []message {
	l.t.Helper()
	l.catchUp()
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]message(nil), l.heard...)
}

// numbers returns the metric n of everything heard, in order.
func (l *listener) numbers() []int {
	l.t.Helper()
	var all []int
	for _, m := range l.messages() {
		all = append(all, pointOf(l.t, m.payload).N)
	}
	return all
}

func startBroker(t testing.TB, config ...string) *drivertest.Mosquitto {
	return drivertest.StartMosquitto(t, append([]string{"max_queued_messages 0", "max_inflight_messages 0"}, config...)...)
}

// pointOf reads one message of the conformance suite.
func pointOf(t testing.TB, payload []byte) sinktest.Point {
	t.Helper()
	var m struct {
		ID      string
		Device  string
		Time    time.Time
		Metrics struct{ N int }
	}
	if err := json.Unmarshal(payload, &m); err != nil || m.ID == "" {
		t.Fatalf("message %s: %v", payload, err)
	}
	return sinktest.Point{Device: m.Device, Time: protocol.At(m.Time), N: m.Metrics.N}
}

func configFor(url string) sinkmqtt.Config {
	cfg := sinkmqtt.DefaultConfig()
	cfg.URL, cfg.Timeout = url, 20*time.Second
	return cfg
}

func open(t testing.TB, cfg sinkmqtt.Config) *sinkmqtt.Sink {
	t.Helper()
	cfg.Validate(func(field, problem string) { t.Errorf("%s %s", field, problem) })
	s, err := sinkmqtt.New("upstream", cfg, sinkmqtt.Options{Gateway: "plant-7", Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func opened(t testing.TB, cfg sinkmqtt.Config) *sinkmqtt.Sink {
	s := open(t, cfg)
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return s
}

// readings returns n readings of one device, the first with this number.
func readings(device string, first, n int) []protocol.Reading {
	d := &protocol.Device{Name: device, Profile: "climate", Driver: "floor"}
	all := make([]protocol.Reading, n)
	for i := range all {
		number := first + i
		all[i] = protocol.Reading{
			ID: protocol.ID{Epoch: 7, Seq: uint64(number)}, Device: d, ReceivedTime: protocol.Timestamp(number + 1),
			Metrics: []protocol.Metric{{Name: "n", Value: protocol.Int(int64(number))}},
		}
	}
	return all
}
