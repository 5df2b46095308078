// Package serial reads devices on serial lines: those that talk by themselves
// and those that are asked, one on a port or several.
//
// A line has one owner, the goroutine of Run (session.go). It listens all the
// time, and between what comes it sends: commands first (orders.go), then the
// requests of polls in the order of their places in time (schedule.go). Whose a
// frame is, and whether it is the one that is waited for, the reader decides
// (reader.go).
//
// A port that is missing, at start or later, is a state and no failure: Run
// waits for it to come back under its configured name. What a device says by
// itself meanwhile, and the frame that was cut when the plug was pulled, is gone,
// since such a device sends nothing twice. The first frame after an open may have
// been cut too; it is decoded as it comes, and counted as rejected when it gives
// no reading.
package serial

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"sluice/drivers"
	"sluice/drivers/serial/port"
	"sluice/protocol"
	"sluice/protocol/frame"
)

// Driver talks to the devices on one port.
type Driver struct {
	path   string
	line   port.Line
	gap    time.Duration
	port   *port.Keeper // used by the one Run there is
	status *drivers.Status
	log    *slog.Logger

	byName   map[string]*station
	orders   *orders
	counts   drivers.AskCounts
	schedule *schedule // used by the one Run there is
	reader   reader    // used by the one Run there is
}

var (
	_ drivers.Driver    = (*Driver)(nil)
	_ drivers.Commander = (*Driver)(nil)
	_ drivers.Asker     = (*Driver)(nil)
)

// Options is what a driver needs beside its configuration.
type Options struct {
	Log    *slog.Logger    // carries the driver's name; nil: no log
	Status *drivers.Status // nil: the driver keeps one for itself
}

// New returns a driver called name for the devices on the port of cfg, which is
// complete and valid (see DefaultConfig and Config.Validate). It opens nothing.
func New(name string, cfg Config, devices []Device, opts Options) (*Driver, error) {
	line, err := port.ParseLine(cfg.Line)
	if err != nil {
		return nil, fmt.Errorf("line %w", err)
	}
	frames, err := frame.New(cfg.Frame)
	if err != nil {
		return nil, err
	}
	tells, err := newTeller(cfg.Unit)
	if err != nil {
		return nil, err
	}
	log, status := opts.Log, opts.Status
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	if status == nil {
		status = drivers.NewStatus(log)
	}
	d := &Driver{
		path: cfg.Port, line: line, gap: cfg.gap(line), status: status, log: log,
		port:   port.NewKeeper(cfg.Port, line, cfg.Options, log),
		byName: map[string]*station{}, orders: newOrders(),
	}
	d.reader = reader{frames: frames, gap: cfg.Frame.Gap(), teller: tells, units: map[string]*station{}, batches: newPool(), status: status, log: log}
	stations, err := d.stations(name, devices, &cfg)
	if err != nil {
		return nil, err
	}
	d.schedule = newSchedule(stations, cfg.Demote, tells != nil)
	return d, nil
}

// stations compiles the devices and tells the reader of them.
func (d *Driver) stations(driver string, devices []Device, c *Config) ([]*station, error) {
	var stations []*station
	for i := range devices {
		dev := &devices[i]
		if err := dev.check(devices[:i], c); err != nil {
			return nil, fmt.Errorf("device %s: %w", dev.Name, err)
		}
		s, err := newStation(driver, dev)
		if err != nil {
			return nil, err
		}
		stations = append(stations, s)
		d.byName[dev.Name] = s
		d.reader.units[c.normal(dev.Unit)] = s
		if !s.asks() {
			d.reader.talker = s
		}
	}
	if len(devices) == 1 {
		d.reader.name = devices[0].Name
	}
	if d.reader.talker != nil && d.reader.teller == nil {
		for _, s := range stations {
			s.answersAlike()
		}
	}
	return stations, nil
}

// check returns the first thing that is wrong with the device beside those before
// it.
func (d *Device) check(before []Device, c *Config) (err error) {
	report := func(field, problem string) {
		if err == nil {
			err = fmt.Errorf("%s %s", field, problem)
		}
	}
	d.Validate(c, report)
	for i := range before {
		d.Beside(&before[i], c, report)
	}
	return err
}

// Stats implements drivers.Asker.
func (d *Driver) Stats() drivers.AskStats { return d.counts.Stats() }

// Run talks to the devices until ctx ends. While the port is missing, or this
// user may not open it, it reports the driver as down and waits; it returns an
// error when the port cannot be used otherwise, such as one that somebody else
// has open.
func (d *Driver) Run(ctx context.Context, e drivers.Emitter) error {
	return d.port.Run(ctx, d.status.Down, func(_ context.Context, c port.Conn) (heard bool, err error) {
		d.status.Up(d.path)
		s := &session{Driver: d, conn: c, emitter: e}
		err = s.serve()
		return d.reader.heard, err
	})
}

// newPool returns a pool of batches that find their way back when they are
// done.
func newPool() *sync.Pool {
	pool := &sync.Pool{}
	pool.New = func() any {
		b := &protocol.Batch{}
		b.Done = func(error) {
			b.Reset()
			pool.Put(b)
		}
		return b
	}
	return pool
}
