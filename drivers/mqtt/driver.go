// Package mqtt is the driver for devices that publish to an MQTT 3.1.1 broker.
//
// A message of QoS 1 or 2 is acknowledged when the pipeline has its readings for
// good. One that the pipeline refuses stays with the broker: the driver then
// takes nothing newer, waits for room, and connects anew with the same session,
// for a broker sends an unacknowledged message again only on a new connection.
package mqtt

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"sluice/drivers"
)

// Options is what a Driver needs beside its configuration.
type Options struct {
	Gateway string          // the gateway's name, part of the default client id
	Dir     string          // an existing folder that keeps what is subscribed; "" for none
	Log     *slog.Logger    // carries the driver's name; nil: no log
	Status  *drivers.Status // nil: nobody asks
}

// Driver talks to one broker. It implements drivers.Driver.
type Driver struct {
	name   string
	cfg    Config
	broker broker
	routes *routes
	pool   *sync.Pool
	subs   *subscriptions
	unsure *unsure

	serving atomic.Pointer[connection] // the one that is up, nil when none is
	telling chan struct{}              // holds one per command under way, and its capacity bounds them; never closed
	updated chan struct{}              // Update tells the connection; never closed; one signal says "look again"
	watches watches
	dropped atomic.Uint64 // replies to devices

	log    *slog.Logger
	status *drivers.Status

	// dialTCP opens the socket; tests put a hostile one in its place.
	dialTCP func(ctx context.Context, network, address string) (net.Conn, error)

	brief int // connections in a row that were lost right after they began
}

var (
	_ drivers.Driver    = (*Driver)(nil)
	_ drivers.Commander = (*Driver)(nil)
	_ drivers.Listener  = (*Driver)(nil)
	_ drivers.Replier   = (*Driver)(nil)
)

// New returns the driver called name for devices. It reads the TLS files, so
// that a mistake there shows at once, and connects to nothing.
func New(name string, cfg Config, devices []Device, opts Options) (*Driver, error) {
	var problem error
	cfg.Validate(func(field, text string) {
		if problem == nil {
			problem = fmt.Errorf("use driver %s: %s %s", name, field, text)
		}
	})
	if problem != nil {
		return nil, problem
	}
	if _, err := cfg.TLS.load(); err != nil {
		return nil, fmt.Errorf("use driver %s: %w", name, err)
	}
	if cfg.ClientID == "" {
		cfg.ClientID = "sluice-" + opts.Gateway + "-" + name
	}
	routes, err := newRoutes(name, devices)
	if err != nil {
		return nil, err
	}
	if opts.Log == nil {
		opts.Log = slog.New(slog.DiscardHandler)
	}
	if opts.Status == nil {
		opts.Status = drivers.NewStatus(opts.Log)
	}
	d := &Driver{
		name: name, cfg: cfg, routes: routes, pool: newPool(), unsure: &unsure{}, telling: make(chan struct{}, maxCommands),
		updated: make(chan struct{}, 1),
		log:     opts.Log, status: opts.Status, dialTCP: (&net.Dialer{}).DialContext,
	}
	d.broker, _ = parseURL(cfg.URL)
	d.subs = newSubscriptions(opts.Dir, d)
	return d, nil
}

const (
	reconnectEvery = 200 * time.Millisecond // least time from one connection to the next after a refusal
	briefly        = 5 * time.Second        // a connection lost sooner counts as brief
	briefLimit     = 3                      // brief connections in a row look like a stolen client id
)

// Run connects and emits what the devices publish. It connects anew by itself
// after a refusal and returns an error when the broker cannot be reached or the
// connection is lost.
func (d *Driver) Run(ctx context.Context, e drivers.Emitter) error {
	out := newOutlet(e)
	d.unsure.add(out.notes.Recalled())
	for {
		began := time.Now()
		refused, err := d.converse(ctx, out)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return err
		}
		if refused {
			d.brief = 0
			pause(ctx, reconnectEvery-time.Since(began))
		}
	}
}

// converse holds one connection from its beginning to its end. It returns true
// when the connection was given up because something was refused and there is
// room again.
func (d *Driver) converse(ctx context.Context, out outlet) (refused bool, err error) {
	c := newConnection(d, out)
	if err := c.connect(ctx); err != nil {
		return false, err
	}
	began := time.Now()
	refused, err = c.serve(ctx)
	return refused, d.explain(err, time.Since(began))
}

// explain adds to the loss of a connection what may be behind it.
func (d *Driver) explain(err error, lasted time.Duration) error {
	if _, lost := errors.AsType[*lostError](err); !lost {
		return err
	}
	if lasted >= briefly {
		d.brief = 0
		return err
	}
	d.brief++
	if d.brief < briefLimit {
		return err
	}
	return fmt.Errorf("%w: %d times in a row right after connecting; another client may be using client id %q",
		err, d.brief, d.cfg.ClientID)
}

// pause waits for a time or the end of ctx.
func pause(ctx context.Context, wait time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(wait):
	}
}
