package mqtt

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"

	paho "github.com/eclipse/paho.mqtt.golang"
	"github.com/eclipse/paho.mqtt.golang/packets"

	"sluice/drivers"
	"sluice/drivers/drivertest"
	"sluice/protocol"
	"sluice/protocol/payload"
)

func number(n float64) *float64 { return &n }

func qosOf(n int) *int { return &n }

// commanded returns a profile of devices that can be told something.
func commanded() *payload.Profile {
	p := plainJSON
	p.Commands = map[string]payload.Command{
		"setpoint": {
			Metric: payload.Metric{Type: "float", Scale: number(0.1), Range: []float64{5, 30}},
			Topic:  "zigbee/{device}/set", Payload: `{"setpoint": {value}, "by": "{device}"}`, Reads: "setpoint",
		},
		"relay": {Metric: payload.Metric{Map: map[string]string{"ON": "on", "OFF": "off"}}, Topic: "cmnd/{area}/{device}", Payload: "{value}", QoS: qosOf(0), Retain: true},
		"reset": {Topic: "zigbee/{device}/reset"},
	}
	return &p
}

// thermostats are rows as operators have them: many devices by topic, and one by name.
func thermostats() []Device {
	return []Device{
		{Topic: "plant/{area}/{device}/climate", Profile: "thermostat", Decode: commanded()},
		{Topic: "roof/climate", Name: "roof", Profile: "thermostat", Decode: commanded(), Tags: []protocol.Tag{{Key: "area", Value: "top"}}},
	}
}

// device is the other end: it hears what is published under a filter.
type device struct {
	t      *testing.T
	client paho.Client
	heard  chan paho.Message // the library sends, the test receives; more than a test publishes
}

func newDevice(t *testing.T, url string, filters ...string) *device {
	d := &device{t: t, heard: make(chan paho.Message, 100)}
	o := paho.NewClientOptions().AddBroker(strings.Replace(url, "mqtt:", "tcp:", 1)).SetClientID("device").SetAutoReconnect(false)
	d.client = paho.NewClient(o)
	d.await(d.client.Connect())
	for _, f := range filters {
		d.await(d.client.Subscribe(f, 1, func(_ paho.Client, m paho.Message) { d.heard <- m }))
	}
	t.Cleanup(func() { d.client.Disconnect(100) })
	return d
}

func (d *device) await(token paho.Token) {
	d.t.Helper()
	if !token.WaitTimeout(drivertest.Patience) || token.Error() != nil {
		d.t.Fatalf("device: %v", token.Error())
	}
}

// hears waits for a message and compares it.
func (d *device) hears(want string) {
	d.t.Helper()
	m := <-d.heard
	if got := fmt.Sprintf("%s %s %d", m.Topic(), m.Payload(), m.Qos()); got != want {
		d.t.Errorf("the device hears %s, want %s", got, want)
	}
}

func TestCommand(t *testing.T) {
	broker := drivertest.StartMosquitto(t)
	dev := newDevice(t, broker.URL(), "zigbee/#", "cmnd/#")
	d, status := newTestDriver(t, broker.URL(), nil, thermostats()...)
	e := drivertest.NewEmitter(t)
	stop := run(t, d, status, e)
	defer stopped(t, stop)

	pub := newPublisher(t, broker.Addr())
	pub.send("plant/a/s1/climate", `{"setpoint":18}`, 1, false)
	e.Wait(1)
	if heard := d.Heard(); len(heard) != 1 || heard[0].Name != "s1" {
		t.Errorf("heard %v, want s1", heard)
	}

	type result struct {
		answer drivers.Answer
		err    error
	}
	told := make(chan result, 1)
	go func() {
		a, err := d.Command(t.Context(), "s1", drivers.Command{Name: "setpoint", Value: "21.5"})
		told <- result{a, err}
	}()
	dev.hears(`zigbee/s1/set {"setpoint": 215, "by": "s1"} 1`)
	for _, text := range []string{`{"setpoint":18}`, `{"other":21.5}`} {
		pub.send("plant/a/s1/climate", text, 1, false)
	}
	pub.send("plant/a/s2/climate", `{"setpoint":21.5}`, 1, false)
	e.Wait(4)
	select {
	case r := <-told:
		t.Fatalf("told %+v, %v before the device said so", r.answer, r.err)
	default:
	}
	pub.send("plant/a/s1/climate", `{"setpoint":21.499999}`, 1, false) // as float32 has it
	if r := <-told; r.err != nil || r.answer.Value != protocol.Float(21.499999) {
		t.Errorf("told %+v, %v", r.answer, r.err)
	}

	for _, test := range []struct{ device, command, value, heard, note string }{
		{"s1", "relay", "on", "cmnd/a/s1 ON 0", ""},
		{"roof", "relay", "off", "cmnd/top/roof OFF 0", "no message of roof has come since the gateway started"},
		{"never", "reset", "", "zigbee/never/reset  1", "no message of never has come since the gateway started"},
	} {
		a, err := d.Command(t.Context(), test.device, drivers.Command{Name: test.command, Value: test.value})
		if err != nil || !a.Value.IsNull() || a.Note != test.note {
			t.Errorf("%s %s: %+v, %v", test.device, test.command, a, err)
		}
		dev.hears(test.heard)
	}
}

func TestCommandIsNotSent(t *testing.T) {
	d, _ := newTestDriver(t, "mqtt://127.0.0.1:1", nil, thermostats()...)
	for _, test := range []struct {
		device, command, value string
		is                     error
		says                   string
	}{
		{"roof", "relais", "", drivers.ErrUnknown, "device roof has no relais"},
		{"s/1", "reset", "", drivers.ErrUnknown, "device s/1"},
		{"", "reset", "", drivers.ErrUnknown, "a device has a name"},
		{"roof", "setpoint", "31", drivers.ErrValue, "is 31, want 5 to 30"},
		{"roof", "setpoint", "", drivers.ErrValue, "setpoint wants a value: 5 to 30"},
		{"roof", "reset", "1", drivers.ErrValue, "reset takes no value"},
		{"s1", "relay", "on", drivers.ErrUnsent, "{area} in the command relay of s1 is not known before a message of it has come"},
		{"roof", "relay", "on", drivers.ErrOffline, "not connected"},
	} {
		_, err := d.Command(t.Context(), test.device, drivers.Command{Name: test.command, Value: test.value})
		if !errors.Is(err, test.is) || !errors.Is(err, drivers.ErrUnsent) || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%s %s %s: %v, want %s", test.device, test.command, test.value, err, test.says)
		}
	}
	for range maxCommands {
		d.telling <- struct{}{}
	}
	if _, err := d.Command(t.Context(), "roof", drivers.Command{Name: "reset"}); !errors.Is(err, drivers.ErrFull) {
		t.Errorf("%v, want full", err)
	}
}

// TestCommandTimesOut has a device that is silent, and one that does not do what it
// is told.
func TestCommandTimesOut(t *testing.T) {
	broker := drivertest.StartMosquitto(t)
	dev := newDevice(t, broker.URL(), "zigbee/#")
	d, status := newTestDriver(t, broker.URL(), nil, thermostats()...)
	e := drivertest.NewEmitter(t)
	stop := run(t, d, status, e)
	pub := newPublisher(t, broker.Addr())
	late := errors.New("no answer within 5s")
	tell := func(meanwhile func()) error {
		ctx, cancel := context.WithCancelCause(t.Context())
		defer cancel(nil)
		ended := make(chan error, 1) // sent to once, by the goroutine below
		go func() {
			_, err := d.Command(ctx, "s1", drivers.Command{Name: "setpoint", Value: "20"})
			ended <- err
		}()
		dev.hears(`zigbee/s1/set {"setpoint": 200, "by": "s1"} 1`)
		// The broker confirms one after the other.
		if _, err := d.Command(t.Context(), "s1", drivers.Command{Name: "reset"}); err != nil {
			t.Error(err)
		}
		dev.hears("zigbee/s1/reset  1")
		meanwhile()
		cancel(late)
		return <-ended
	}
	err := tell(func() {})
	if !errors.Is(err, late) || errors.Is(err, drivers.ErrUnsent) || !strings.Contains(err.Error(), "published, but no reading of s1 with setpoint has come") {
		t.Errorf("a silent device: %v", err)
	}
	err = tell(func() {
		pub.send("plant/a/s1/climate", `{"setpoint":18}`, 1, false)
		e.Wait(1)
	})
	if !errors.Is(err, late) || !strings.Contains(err.Error(), "published, but setpoint of s1 still is 18") {
		t.Errorf("a stubborn device: %v", err)
	}
	stopped(t, stop)
	if n := d.watches.waiting.Load(); n != 0 {
		t.Errorf("%d still wait", n)
	}
	if _, err := d.Command(t.Context(), "s1", drivers.Command{Name: "reset"}); !errors.Is(err, drivers.ErrOffline) {
		t.Errorf("%v, want offline", err)
	}
}

// TestCommandIsNotConfirmed has a broker that takes the message and says nothing,
// and one that hangs up.
func TestCommandIsNotConfirmed(t *testing.T) {
	late := errors.New("no answer within 5s")
	for name, test := range map[string]struct {
		hangsUp bool
		says    string
	}{
		"silent":   {false, late.Error()},
		"hangs up": {true, "connection"},
	} {
		t.Run(name, func(t *testing.T) {
			got := make(chan string, 1) // the broker sends the first topic
			url := fakeBroker(t, func(conn net.Conn) {
				for {
					p, err := packets.ReadPacket(conn)
					if err != nil {
						return
					}
					if m, ok := p.(*packets.PublishPacket); ok {
						got <- m.TopicName
						if test.hangsUp {
							return
						}
					}
				}
			})
			d, status := newTestDriver(t, url, nil, thermostats()...)
			ctx, cancel := context.WithCancel(t.Context())
			ended := make(chan error, 1)
			go func() { ended <- d.Run(ctx, drivertest.NewEmitter(t)) }()
			drivertest.Eventually(t, "driver is up", func() bool { return status.Condition().State == drivers.Up })
			within, giveUp := context.WithCancelCause(t.Context())
			defer giveUp(nil)
			told := make(chan error, 1)
			go func() {
				_, err := d.Command(within, "roof", drivers.Command{Name: "reset"})
				told <- err
			}()
			if topic := <-got; topic != "zigbee/roof/reset" {
				t.Errorf("published to %s", topic)
			}
			if !test.hangsUp {
				giveUp(late)
			}
			err := <-told
			if err == nil || errors.Is(err, drivers.ErrUnsent) || !strings.Contains(err.Error(), test.says) {
				t.Errorf("%v, want %s", err, test.says)
			}
			cancel()
			<-ended
		})
	}
}
