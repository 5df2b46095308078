package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"sync"

	"sluice/cmd/gateway/config"
	"sluice/drivers"
	"sluice/drivers/modbus"
	"sluice/drivers/mqtt"
	"sluice/drivers/serial"
	"sluice/pipeline"
	"sluice/sink"
	"sluice/sink/file"
	"sluice/sink/influx"
	sinkmqtt "sluice/sink/mqtt"
	"sluice/sink/nats"
)

// gateway is everything that runs, wired together.
type gateway struct {
	name     string
	log      *slog.Logger
	pipeline *pipeline.Pipeline
	reloader *reloader // nil: it cannot be changed while it runs

	ctx     context.Context // of run, set by it: the drivers end with it
	running sync.WaitGroup  // the drivers and what runs beside them

	mu      sync.RWMutex // guards drivers
	drivers []*driver    // replaced as a whole, and those that are in it do not change
}

// driver is a driver and what it says of itself.
type driver struct {
	name   string
	driver drivers.Driver
	status *drivers.Status
	log    *slog.Logger
	rows   []toldRow   // what its devices can be told
	told   *toldCounts // what became of that
	stop   func()      // ends it and waits until it has ended; set when it starts
}

// parts returns the drivers that run.
func (g *gateway) parts() []*driver {
	g.mu.RLock()
	defer g.mu.RUnlock()
	return g.drivers
}

// assemble puts the gateway of a configuration together. Nothing runs yet, but
// the journal is open: run closes it.
func assemble(f *config.File, log *slog.Logger) (*gateway, error) {
	g := &gateway{name: f.Gateway, log: log}
	// The drivers keep their notes in the same folder as the journal.
	if err := os.MkdirAll(f.Pipeline.Dir, 0o750); err != nil {
		return nil, fmt.Errorf("open pipeline: %w", err)
	}
	var names []string
	for _, d := range f.Drivers {
		built, err := newDriver(f, d, log.With("driver", d.Name))
		if err != nil {
			return nil, fmt.Errorf("driver %s: %w", d.Name, err)
		}
		g.drivers = append(g.drivers, built)
		names = append(names, d.Name)
	}
	var sinks []pipeline.Sink
	for _, s := range f.Sinks {
		built, err := newSink(f, s, log)
		if err != nil {
			return nil, fmt.Errorf("sink %s: %w", s.Name, err)
		}
		sinks = append(sinks, pipeline.Sink{Name: s.Name, Sink: built, Config: s.Delivery})
	}
	p, err := pipeline.Open(f.Pipeline, names, sinks, log)
	if err != nil {
		for _, s := range sinks {
			s.Sink.Close()
		}
		return nil, err
	}
	g.pipeline = p
	p.Expect(namedDevices(f))
	return g, nil
}

// newDriver knows every kind of driver.
func newDriver(f *config.File, d config.Driver, log *slog.Logger) (*driver, error) {
	status := drivers.NewStatus(log)
	built := &driver{name: d.Name, status: status, log: log, rows: toldRows(d), told: &toldCounts{}}
	var err error
	switch {
	case d.MQTT != nil:
		built.driver, err = mqtt.New(d.Name, *d.MQTT, d.MQTTDevices, mqtt.Options{
			Gateway: f.Gateway, Dir: f.Pipeline.Dir, Log: log, Status: status,
		})
	case d.Serial != nil:
		built.driver, err = serial.New(d.Name, *d.Serial, d.SerialDevices, serial.Options{Log: log, Status: status})
	case d.Modbus != nil:
		built.driver, err = modbus.New(d.Name, *d.Modbus, d.ModbusDevices, modbus.Options{Log: log, Status: status})
	default:
		err = fmt.Errorf("is of no kind")
	}
	return built, err
}

// newSink knows every kind of sink.
func newSink(f *config.File, s config.Sink, log *slog.Logger) (sink.Sink, error) {
	switch {
	case s.NATS != nil:
		return nats.New(s.Name, *s.NATS, nats.Options{Gateway: f.Gateway, Log: log})
	case s.Influx != nil:
		return influx.New(s.Name, *s.Influx, influx.Options{Gateway: f.Gateway, Log: log})
	case s.MQTT != nil:
		return sinkmqtt.New(s.Name, *s.MQTT, sinkmqtt.Options{Gateway: f.Gateway, Log: log})
	case s.File != nil:
		return file.New(s.Name, *s.File, file.Options{Gateway: f.Gateway, Log: log})
	}
	return nil, fmt.Errorf("is of no kind")
}
