// Package replug keeps a driver going whose port comes and goes: it waits for a
// port that is missing to come back under its configured name, and opens it
// again.
package replug

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"sluice/drivers"
	"sluice/drivers/serial/port"
)

const (
	// retry is how often a missing port is looked for when nothing says that
	// it is back.
	retry = 500 * time.Millisecond

	// settle is the shortest time between two looks, however much happens
	// near the port: udev makes a device, sets its group and links it.
	settle = 100 * time.Millisecond

	// bounce is how long a port is left alone that hung up without a byte.
	bounce = 250 * time.Millisecond
)

// Port is a port that comes and goes.
type Port struct {
	Path   string                     // its configured name
	Open   func() (*port.Port, error) // opens it
	Status *drivers.Status            // hears that it is away

	// Use talks over an open port until ctx ends or the port fails, which
	// closing it makes it do; it reports whether anything was heard. It
	// reports the driver as up.
	Use func(ctx context.Context, p *port.Port) (heard bool, err error)
}

// Run uses the port until ctx ends; then it returns nil. While the port is
// missing, or this user may not open it, it reports the driver as down and
// waits; it returns an error when the port cannot be used otherwise, such as one
// that somebody else has open.
func (r *Port) Run(ctx context.Context) error {
	for {
		p, err := r.open(ctx)
		if ctx.Err() != nil {
			if p != nil {
				_ = p.Close()
			}
			return nil
		}
		if err != nil {
			return err
		}
		heard, err := r.use(ctx, p)
		if ctx.Err() != nil {
			return nil
		}
		if !errors.Is(err, port.ErrGone) {
			return err
		}
		r.Status.Down(err)
		if !heard {
			pause(ctx, bounce)
		}
	}
}

// use uses p until ctx ends or the port is gone, and closes it.
func (r *Port) use(ctx context.Context, p *port.Port) (heard bool, err error) {
	release := OnEnd(ctx, func() { _ = p.Close() })
	defer func() {
		release()
		_ = p.Close()
	}()
	heard, err = r.Use(ctx, p)
	return heard, fmt.Errorf("use port %s: %w", r.Path, err)
}

// open opens the port. While it is away open waits for it; when ctx ends
// meanwhile the port is nil.
func (r *Port) open(ctx context.Context) (*port.Port, error) {
	p, err := r.Open()
	if !mayReturn(err) {
		return p, err
	}
	w := newWatch(r.Path)
	defer w.close()
	for ctx.Err() == nil {
		w.aim() // before the look, so that nothing happens unseen in between
		p, err = r.Open()
		if !mayReturn(err) {
			return p, err
		}
		r.Status.Down(err)
		pause(ctx, settle)
		w.wait(ctx)
	}
	return nil, ctx.Err()
}

// mayReturn reports whether err passes when the device is plugged in. A device
// that was plugged in just now belongs to root until udev gives it its group.
func mayReturn(err error) bool {
	return errors.Is(err, fs.ErrNotExist) ||
		errors.Is(err, fs.ErrPermission) ||
		errors.Is(err, port.ErrGone)
}

// pause waits for the time given or the end of ctx.
func pause(ctx context.Context, wait time.Duration) {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}

// OnEnd calls f once ctx ends. The function it returns calls that off, or waits
// for f to return.
func OnEnd(ctx context.Context, f func()) (release func()) {
	done := make(chan struct{}) // closed when f has returned
	stop := context.AfterFunc(ctx, func() {
		defer close(done)
		f()
	})
	return func() {
		if !stop() {
			<-done
		}
	}
}
