package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"
	"github.com/rogpeppe/go-internal/testscript"

	"sluice/cmd/gateway/config"
	"sluice/cmd/gateway/standin"
	"sluice/drivers/drivertest"
	"sluice/firmware-sim/bus"
	"sluice/protocol/modbus"
)

// plant is devices that can be told something. By Modbus these are meters: 1 does
// what it is told, 2 refuses everything, 3 takes another value, 4 is silent. By
// MQTT these are thermostats, which report what they are told; stuck reports 18.
type plant struct {
	meters *bus.Bus
	broker *standin.Broker
	client paho.Client
	stop   func()
}

func newPlant() (*plant, error) {
	p := &plant{}
	var err error
	if p.meters, err = bus.New(bus.Options{Mode: bus.TCP, Listen: "127.0.0.1:0", Seed: 7}); err != nil {
		return nil, err
	}
	for unit := range uint8(4) {
		s := bus.Slave{Unit: unit + 1, Holding: []bus.Block{{Start: 40, Values: []uint16{100}}}, Coils: []bus.Block{{Start: 3, Values: []uint16{0}}}}
		if s.Unit == 3 {
			s.Value = func(bus.Table, uint16, time.Time) (uint16, bool) { return 100, true }
		}
		if err := p.meters.Add(s); err != nil {
			return nil, err
		}
	}
	p.meters.Inject(bus.Trouble{Fault: bus.Refused, Units: []uint8{2}, Code: modbus.IllegalDataAddress})
	p.meters.Inject(bus.Trouble{Fault: bus.Silent, Units: []uint8{4}})
	if p.broker, err = standin.NewBroker(); err != nil {
		return nil, err
	}
	p.client = paho.NewClient(paho.NewClientOptions().AddBroker(p.broker.URL()).SetClientID("thermostats").SetAutoReconnect(false))
	token := p.client.Connect()
	if token.WaitTimeout(drivertest.Patience) && token.Error() == nil {
		token = p.client.Subscribe("zigbee/+/set", 1, p.thermostat)
	}
	if !token.WaitTimeout(drivertest.Patience) || token.Error() != nil {
		return nil, fmt.Errorf("start thermostats: %w", token.Error())
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1) // sent to once, when the bus has ended
	go func() { ended <- p.meters.Run(ctx) }()
	p.stop = func() {
		cancel()
		<-ended
		_ = p.meters.Close()
		p.client.Disconnect(100)
		_ = p.broker.Close()
	}
	return p, nil
}

// thermostat is called by the library for every command. It waits for nothing.
func (p *plant) thermostat(_ paho.Client, m paho.Message) {
	device := strings.Split(m.Topic(), "/")[1]
	var state map[string]float64
	_ = json.Unmarshal(m.Payload(), &state) // what is no object is reported as null
	for name := range state {
		if device == "stuck" {
			state[name] = 18
		}
	}
	text, _ := json.Marshal(state) // numbers alone: cannot fail
	p.client.Publish("zigbee/"+device, 0, false, text)
}

// plantScript is the command "plant": devices that can be told something, meters
// at $METERS and a broker at $BROKER.
func plantScript(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) > 0 {
		ts.Fatalf("usage: plant")
	}
	p, err := newPlant()
	ts.Check(err)
	ts.Defer(p.stop)
	ts.Setenv("METERS", p.meters.Path())
	ts.Setenv("BROKER", p.broker.URL())
}

// plantConfig is a gateway for the plant.
const plantConfig = `
gateway: plant-7
http: {listen: 127.0.0.1:0}
drivers:
  meters: {modbus: {url: "tcp://%s", timeout: 1s, retries: 0}}
  floor: {mqtt: {url: "%s"}}
profiles:
  meter:
    poll: 10s
    metrics: {limit: {holding: 40, type: int16}}
    commands: {limit: {holding: 40, type: int16}}
  thermostat:
    decode: json
    commands:
      setpoint: {topic: "zigbee/{device}/set", payload: '{"setpoint": {value}}', type: float, reads: setpoint}
devices:
  - {via: meters, profile: meter, unit: 1-4, device: "meter-{unit}"}
  - {via: floor, profile: thermostat, topic: "zigbee/{device}"}
pipeline: {dir: journal}
sinks:
  out: {file: {path: out.ndjson}}
`

// plantGateway runs a gateway for the plant until the test ends or stop is called.
func plantGateway(t *testing.T) (c controlled) {
	t.Helper()
	p, err := newPlant()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.stop)
	dir := t.TempDir()
	f, err := config.Parse(filepath.Join(dir, "config.yaml"), fmt.Appendf(nil, plantConfig, p.meters.Path(), p.broker.URL()), config.Options{})
	if err != nil {
		t.Fatal(err)
	}
	g, err := assemble(f, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	socket, err := openControl(f.Pipeline.Dir, g)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1) // holds how the gateway has ended
	go func() { ended <- g.run(ctx, socket.run) }()
	c = controlled{socket, f.Pipeline.Dir, func() {
		cancel()
		err := <-ended
		if err != nil {
			t.Error(err)
		}
		ended <- err
	}}
	t.Cleanup(c.stop)
	drivertest.Eventually(t, "the plant answers", func() bool {
		return tell(t, c, "meter-1", "limit", "1", time.Second) == nil && tell(t, c, "living", "setpoint", "20", time.Second) == nil
	})
	return c
}

// tell sends a command over the socket.
func tell(t *testing.T, c controlled, device, command, value string, timeout time.Duration) error {
	t.Helper()
	conn, err := dialControl(c.dir)
	if err != nil {
		return err
	}
	o := &tellOrder{Device: device, Command: command, Value: value, Timeout: timeout}
	return post(t.Context(), conn, "/devices/tell", o, &answer{out: io.Discard})
}

// TestSlowCommandsHoldUpNobody has as many commands under way as there may be.
func TestSlowCommandsHoldUpNobody(t *testing.T) {
	c := plantGateway(t)
	results := make(chan error, maxTelling+1) // one for each caller
	for range maxTelling + 1 {
		go func() { results <- tell(t, c, "stuck", "setpoint", "20", time.Minute) }()
	}
	if err := <-results; err == nil || !strings.Contains(err.Error(), "carries out 64 commands already") {
		t.Errorf("one too many ends with %v", err)
	}
	if status, text := c.post(t, "POST", "/journal/ls", `{}`); status != http.StatusOK {
		t.Errorf("an order for the journal: %d %s", status, text)
	}
	drivertest.Eventually(t, "all are under way", func() bool { return len(c.telling) == maxTelling })
	c.stop()
	for range maxTelling {
		err := <-results
		if err == nil || !strings.Contains(err.Error(), "the command is published") && !strings.Contains(err.Error(), "; the device may have done it") {
			t.Errorf("a command ends with %v when the gateway stops", err)
		}
	}
}

// TestCommandsAtOnce tells several devices at once.
func TestCommandsAtOnce(t *testing.T) {
	c := plantGateway(t)
	results := make(chan error, 20) // one for each caller
	for i := range 10 {
		go func() { results <- tell(t, c, fmt.Sprint("room-", i), "setpoint", fmt.Sprint(i), drivertest.Patience) }()
		go func() {
			err := tell(t, c, "meter-1", "limit", fmt.Sprint(i), drivertest.Patience)
			if err != nil && strings.Contains(err.Error(), "too many commands are waiting") {
				err = nil // the bus takes them one by one
			}
			results <- err
		}()
	}
	for range 20 {
		if err := <-results; err != nil {
			t.Error(err)
		}
	}
}
