package serial

import (
	"context"
	"errors"
	"io/fs"
	"time"

	"sluice/drivers/serial/port"
)

const (
	// retry is how often a missing port is looked for when nothing says that
	// it is back.
	retry = 500 * time.Millisecond

	// settle is the shortest time between two looks, however much happens
	// near the port: udev makes a device, sets its group and links it.
	settle = 100 * time.Millisecond
)

// open opens the port. While it is away open waits for it; when ctx ends
// meanwhile the port is nil.
func (d *Driver) open(ctx context.Context) (*port.Port, error) {
	p, err := port.Open(d.path, d.line, port.DefaultOptions())
	if !mayReturn(err) {
		return p, err
	}
	w := newWatch(d.path)
	defer w.close()
	for ctx.Err() == nil {
		w.aim() // before the look, so that nothing happens unseen in between
		p, err = port.Open(d.path, d.line, port.DefaultOptions())
		if !mayReturn(err) {
			return p, err
		}
		d.status.Down(err)
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
