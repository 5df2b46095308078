package standin

import (
	"fmt"
	"log/slog"
	"math"
	"strings"
	"sync/atomic"
	"time"

	mqtt "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/listeners"
	"github.com/mochi-mqtt/server/v2/packets"
)

// Broker is an MQTT broker that lets everybody in and keeps every message of a
// persistent session.
type Broker struct {
	server   *mqtt.Server
	listener *listeners.TCP
}

// NewBroker starts a broker.
func NewBroker() (*Broker, error) {
	capabilities := mqtt.NewDefaultServerCapabilities()
	// A rehearsal counts every message, so the broker must drop none.
	capabilities.MaximumClientWritesPending = 1 << 16
	capabilities.MaximumInflight = math.MaxUint16
	capabilities.ReceiveMaximum = math.MaxUint16
	b := &Broker{
		server:   mqtt.New(&mqtt.Options{Capabilities: capabilities, InlineClient: true, Logger: slog.New(slog.DiscardHandler)}),
		listener: listeners.NewTCP(listeners.Config{ID: "loopback", Address: "127.0.0.1:0"}),
	}
	if err := b.server.AddHook(new(openDoor), nil); err != nil {
		return nil, fmt.Errorf("start broker: %w", err)
	}
	if err := b.server.AddListener(b.listener); err != nil {
		return nil, fmt.Errorf("start broker: %w", err)
	}
	if err := b.server.Serve(); err != nil {
		return nil, fmt.Errorf("start broker: %w", err)
	}
	return b, nil
}

// URL returns the broker's address, tcp://HOST:PORT.
func (b *Broker) URL() string { return "tcp://" + b.listener.Address() }

// Follow calls each with the payload of every message whose topic begins as the
// template does, up to its first level that is not plain text. It is called from
// the goroutines of the publishers, one for each, until Close. Follow itself is
// called once.
func (b *Broker) Follow(template string, each func(payload []byte)) error {
	plain, _, _ := strings.Cut(template, "{")
	filter := plain[:strings.LastIndexByte(plain, '/')+1] + "#"
	if plain == template {
		filter = template
	}
	err := b.server.Subscribe(filter, 1, func(_ *mqtt.Client, _ packets.Subscription, m packets.Packet) { each(m.Payload) })
	if err != nil {
		return fmt.Errorf("follow %s: %w", filter, err)
	}
	return nil
}

// Close stops the broker.
func (b *Broker) Close() error { return Shut(b.server) }

// Shut closes a server of this library. Its own Close can deadlock with a client
// that is just going (Clients.GetByListener holds a read lock while it asks for
// another one), so the clients go first; and it races with one that is just coming,
// of which nothing can be seen yet, so that gets a moment.
func Shut(s *mqtt.Server) error {
	const patience, moment = 5 * time.Second, 50 * time.Millisecond
	<-time.After(moment)
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for limit := time.Now().Add(patience); atomic.LoadInt64(&s.Info.ClientsConnected) > 0 && time.Now().Before(limit); <-tick.C {
		for _, c := range s.Clients.GetAll() {
			if !c.Closed() && !c.Net.Inline {
				_ = s.DisconnectClient(c, packets.ErrServerShuttingDown) // it goes one way or another
			}
		}
	}
	return s.Close()
}

// openDoor lets everybody do everything. The library's own hook for that reads
// files of users too, and brings a YAML parser along.
type openDoor struct{ mqtt.HookBase }

// ID names the hook in the library's logs.
func (*openDoor) ID() string { return "open-door" }

// Provides says which questions the hook answers.
func (*openDoor) Provides(question byte) bool {
	return question == mqtt.OnConnectAuthenticate || question == mqtt.OnACLCheck
}

// OnConnectAuthenticate lets every client in.
func (*openDoor) OnConnectAuthenticate(*mqtt.Client, packets.Packet) bool { return true }

// OnACLCheck lets every client publish and subscribe.
func (*openDoor) OnACLCheck(*mqtt.Client, string, bool) bool { return true }
