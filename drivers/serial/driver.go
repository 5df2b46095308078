// Package serial reads devices on serial ports that speak unasked.
//
// A port that is missing, at start or later, is a state and no failure: Run
// waits for it to come back under its configured name. What a device sends
// meanwhile, and the frame that was cut when the plug was pulled, is gone, since
// such a device sends nothing twice. The first frame after an open may have been
// cut too; it is decoded as it comes, and counted as rejected when it gives no
// reading.
package serial

import (
	"context"
	"fmt"
	"log/slog"
	"sync"

	"sluice/drivers"
	"sluice/drivers/serial/port"
	"sluice/protocol"
	"sluice/protocol/frame"
	"sluice/protocol/payload"
)

// Driver reads one device on one port.
type Driver struct {
	path   string
	port   *port.Keeper // used by the one Run there is
	status *drivers.Status
	reader reader // used by the one Run there is
}

var _ drivers.Driver = (*Driver)(nil)

// Options is what a driver needs beside its configuration.
type Options struct {
	Log    *slog.Logger    // carries the driver's name; nil: no log
	Status *drivers.Status // nil: the driver keeps one for itself
}

// New returns a driver called name for dev on the port of cfg, which is
// complete and valid (see DefaultConfig and Config.Validate). It opens nothing.
func New(name string, cfg Config, dev Device, opts Options) (*Driver, error) {
	line, err := port.ParseLine(cfg.Line)
	if err != nil {
		return nil, fmt.Errorf("line %w", err)
	}
	frames, err := frame.New(cfg.Frame)
	if err != nil {
		return nil, err
	}
	if dev.Decode == nil {
		return nil, fmt.Errorf("device %s has no profile", dev.Name)
	}
	decoder, err := payload.New(*dev.Decode)
	if err != nil {
		return nil, fmt.Errorf("profile %s: %w", dev.Profile, err)
	}
	log, status := opts.Log, opts.Status
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	if status == nil {
		status = drivers.NewStatus(log)
	}
	d := &Driver{path: cfg.Port, port: port.NewKeeper(cfg.Port, line, cfg.Options, log), status: status}
	d.reader = reader{
		device:  &protocol.Device{Name: dev.Name, Profile: dev.Profile, Driver: name, Tags: dev.Tags, Reports: dev.Decode.Reports()},
		frames:  frames,
		gap:     cfg.Frame.Gap(),
		decoder: decoder,
		batches: newPool(),
		log:     log,
	}
	return d, nil
}

// Run reads the port until ctx ends. While the port is missing, or this user
// may not open it, it reports the driver as down and waits; it returns an error
// when the port cannot be used otherwise, such as one that somebody else has
// open.
func (d *Driver) Run(ctx context.Context, e drivers.Emitter) error {
	return d.port.Run(ctx, d.status.Down, func(_ context.Context, c port.Conn) (heard bool, err error) {
		d.status.Up(d.path)
		return d.reader.read(c, e)
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
