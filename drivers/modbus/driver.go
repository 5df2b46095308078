// Package modbus reads and writes Modbus devices: units on a serial line (RTU
// and ASCII), servers by TCP, and serial lines behind a converter.
//
// A bus has one owner, the goroutine of Run, which sends one request after the
// other: commands first, then polls in the order of their places in time
// (schedule.go). What is read is planned before (plan.go, coalesce.go); how long
// it takes is arithmetic that gateway check uses too (timing.go, load.go). None
// of these has a clock. A unit that is silent is soon asked only once in a
// while, so that it holds up nobody.
package modbus

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"time"

	"sluice/drivers"
	"sluice/drivers/serial/port"
	"sluice/protocol"
	"sluice/protocol/binary"
	"sluice/protocol/payload"
)

// Driver talks to the units of one bus.
type Driver struct {
	config Config
	path   string       // of the port, or the URL
	at     address      // of a server; zero: it is a port
	port   *port.Keeper // used by the one Run there is; nil: it is a server
	status *drivers.Status
	log    *slog.Logger

	byName   map[string]*unit // by device
	orders   *orders
	counts   drivers.AskCounts
	schedule *schedule // used by the one Run there is, as what follows
	texts    *binary.Texts
	batches  *sync.Pool // of *protocol.Batch; Done puts them back
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

// New returns a driver called name for the devices on the bus of cfg, which is
// complete and valid (see DefaultConfig and Config.Validate). It opens nothing.
func New(name string, cfg Config, devices []Device, opts Options) (*Driver, error) {
	log, status := opts.Log, opts.Status
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	if status == nil {
		status = drivers.NewStatus(log)
	}
	d := &Driver{
		config: cfg, path: cfg.Port, status: status, log: log,
		byName: map[string]*unit{}, orders: newOrders(), texts: binary.NewTexts(), batches: newPool(),
	}
	var err error
	if cfg.URL != "" {
		d.path = cfg.URL
		if d.at, err = parseAddress(cfg.URL); err != nil {
			return nil, fmt.Errorf("url %w", err)
		}
	} else {
		line, err := port.ParseLine(cfg.Line)
		if err != nil {
			return nil, fmt.Errorf("line %w", err)
		}
		d.port = port.NewKeeper(cfg.Port, line, cfg.Options, log)
	}
	units, err := d.units(name, devices)
	if err != nil {
		return nil, err
	}
	d.schedule = newSchedule(units, &cfg, cfg.lateness())
	return d, nil
}

// lateness returns how long an answer may be on its way behind a timeout: on a
// serial line nothing tells to which request an answer belongs.
func (c *Config) lateness() time.Duration {
	if c.framed() == framedTCP {
		return 0
	}
	return c.patience()
}

// units compiles the devices.
func (d *Driver) units(driver string, devices []Device) ([]*unit, error) {
	var units []*unit
	models, owners := map[*payload.Profile]*model{}, map[int]string{}
	for i := range devices {
		dev := &devices[i]
		if err := dev.check(&d.config, d.byName, owners); err != nil {
			return nil, fmt.Errorf("device %s: %w", dev.Name, err)
		}
		m := models[dev.Decode]
		if m == nil {
			var err error
			if m, err = newModel(dev.Decode, d.config.limits()); err != nil {
				return nil, fmt.Errorf("profile %s: %w", dev.Profile, err)
			}
			models[dev.Decode] = m
		}
		u := newUnit(dev, driver, m)
		d.byName[dev.Name], owners[dev.Unit] = u, dev.Name
		units = append(units, u)
	}
	return units, nil
}

// check returns the first thing that is wrong with the device among those
// before it.
func (dev *Device) check(c *Config, byName map[string]*unit, owners map[int]string) error {
	var err error
	dev.Validate(c, func(field, problem string) {
		if err == nil {
			err = fmt.Errorf("%s %s", field, problem)
		}
	})
	switch {
	case err != nil:
		return err
	case dev.Decode == nil:
		return errors.New("it has no profile")
	case byName[dev.Name] != nil:
		return errors.New("another one has that name")
	case owners[dev.Unit] != "":
		return fmt.Errorf("unit is %d, which %s has", dev.Unit, owners[dev.Unit])
	}
	return nil
}

func newUnit(dev *Device, driver string, m *model) *unit {
	u := &unit{
		address: uint8(dev.Unit),
		model:   m,
		device:  &protocol.Device{Name: dev.Name, Profile: dev.Profile, Driver: driver, Tags: dev.Tags, Reports: dev.Decode.Reports()},
	}
	for i := range m.plan.groups {
		g := &m.plan.groups[i]
		u.tasks = append(u.tasks, &task{unit: u, group: g, result: newResult(g)})
	}
	return u
}

// Stats implements drivers.Asker.
func (d *Driver) Stats() drivers.AskStats { return d.counts.Stats() }

// Run asks the units until ctx ends. While a port is missing it reports the
// driver as down and waits; it returns an error when the port cannot be used
// otherwise, or a server cannot be reached.
func (d *Driver) Run(ctx context.Context, e drivers.Emitter) error {
	if d.at.host == "" {
		return d.port.Run(ctx, d.status.Down, func(ctx context.Context, c port.Conn) (heard bool, err error) {
			b := d.newBus(c, e)
			err = b.serve(ctx)
			return b.up, err
		})
	}
	for {
		b, err := d.connect(ctx, e)
		if err == nil {
			err = b.converse(ctx)
		}
		switch {
		case ctx.Err() != nil:
			return nil
		case b == nil || !b.idled:
			return fmt.Errorf("use %s: %w", d.path, err)
		}
	}
}

func (d *Driver) newBus(line Line, e drivers.Emitter) *bus {
	return &bus{Driver: d, link: newLink(line, &d.config), emitter: e}
}

// The times after which the kernel asks whether a quiet server is still there,
// and gives it up.
const (
	keepIdle     = 10 * time.Second
	keepInterval = 5 * time.Second
	keepCount    = 3
)

// connect connects to the server.
func (d *Driver) connect(ctx context.Context, e drivers.Emitter) (*bus, error) {
	dialer := net.Dialer{
		Timeout:         max(d.config.patience(), time.Second),
		KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: keepIdle, Interval: keepInterval, Count: keepCount},
	}
	conn, err := dialer.DialContext(ctx, "tcp", d.at.host)
	if err != nil {
		return nil, err
	}
	return d.newBus(conn, e), nil
}

// converse serves a connection and closes it.
func (b *bus) converse(ctx context.Context) error {
	release := port.CloseAtEnd(ctx, b.link.line)
	defer func() {
		release()
		_ = b.link.line.Close()
	}()
	return b.serve(ctx)
}
