package port

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"slices"
	"time"
)

const (
	// retry is when a missing port is looked for although nothing says that it
	// is back, at first; each time in vain it takes twice as long, up to
	// mostRetry.
	retry     = 500 * time.Millisecond
	mostRetry = 4 * time.Second

	// settle is the shortest time between two looks, however much happens
	// near the port: udev makes a device, sets its group and links it.
	settle = 100 * time.Millisecond

	// bounce is how long a port is left alone that hung up without a byte.
	bounce = 250 * time.Millisecond
)

// Keeper keeps one port in use by its configured name, as often as its device
// comes back. A port that is missing, at first or later, is a state and no
// failure. It is owned by one goroutine.
type Keeper struct {
	path string
	line Line
	opts Options
	log  *slog.Logger

	settle time.Duration // see settle; tests have less time

	trace   *Trace   // nil: none is wanted, or it could not be opened
	traced  bool     // it was tried
	lacking []string // what was logged
}

// NewKeeper returns a keeper of the port at path; line and opts are valid. It
// opens nothing. log carries the driver's name.
func NewKeeper(path string, line Line, opts Options, log *slog.Logger) *Keeper {
	return &Keeper{path: path, line: line, opts: opts, log: log, settle: settle}
}

// Run opens the port and has use talk over it until ctx ends; then it returns
// nil. use returns when its port fails, which closing it makes it do, and reports
// whether anything was heard. While the port is missing, or this user may not
// open it, Run calls away with the reason each time it has looked, and waits. It
// returns an error when the port cannot be used otherwise, such as one that
// somebody else has open.
func (k *Keeper) Run(ctx context.Context, away func(error), use func(ctx context.Context, c Conn) (heard bool, err error)) error {
	defer func() {
		_ = k.trace.Close() // which has logged what went wrong
		k.trace, k.traced = nil, false
	}()
	for {
		c, err := k.open(ctx, away)
		if ctx.Err() != nil {
			if c != nil {
				_ = c.Close()
			}
			return nil
		}
		if err != nil {
			return err
		}
		heard, err := k.use(ctx, c, use)
		if ctx.Err() != nil {
			return nil
		}
		if !errors.Is(err, ErrGone) {
			return err
		}
		away(err)
		if !heard {
			pause(ctx, bounce)
		}
	}
}

// use has use talk over c until ctx ends or the port fails, and closes it.
func (k *Keeper) use(ctx context.Context, c Conn, use func(context.Context, Conn) (bool, error)) (heard bool, err error) {
	release := CloseAtEnd(ctx, c)
	defer func() {
		release()
		_ = c.Close()
	}()
	heard, err = use(ctx, c)
	return heard, fmt.Errorf("use port %s: %w", k.path, err)
}

// open opens the port. While it is away open waits for it; when ctx ends
// meanwhile it returns ctx's error.
func (k *Keeper) open(ctx context.Context, away func(error)) (Conn, error) {
	p, err := Open(k.path, k.line, k.opts)
	if mayReturn(err) {
		p, err = k.await(ctx, away)
	}
	if err != nil {
		return nil, err
	}
	if lacks := p.Lacks(); !slices.Equal(lacks, k.lacking) {
		k.lacking = lacks
		for _, what := range lacks {
			k.log.Warn("port does not have what its options want", "port", k.path, "lacks", what)
		}
	}
	return k.recorder().Wrap(p, k.path+" "+k.line.String()), nil
}

func (k *Keeper) await(ctx context.Context, away func(error)) (*Port, error) {
	w := newWatch(k.path)
	defer w.close()
	for next := retry; ctx.Err() == nil; {
		w.aim() // before the look, so that nothing happens unseen in between
		p, err := Open(k.path, k.line, k.opts)
		if !mayReturn(err) {
			return p, err
		}
		away(err)
		pause(ctx, k.settle)
		if w.wait(ctx, next) {
			next = retry // what follows may be unseen
		} else {
			next = min(2*next, mostRetry)
		}
	}
	return nil, ctx.Err()
}

// recorder returns the trace of all the ports that this keeper opens. A trace
// that cannot be written is logged and done without.
func (k *Keeper) recorder() *Trace {
	if !k.traced && k.opts.Trace != "" {
		var err error
		if k.trace, err = OpenTrace(k.opts.Trace, k.log); err != nil {
			k.log.Warn("traffic is not traced", "err", err)
		}
		k.traced = true
	}
	return k.trace
}

// mayReturn reports whether err passes when the device is plugged in. A device
// that was plugged in just now belongs to root until udev gives it its group.
func mayReturn(err error) bool {
	return errors.Is(err, fs.ErrNotExist) ||
		errors.Is(err, fs.ErrPermission) ||
		errors.Is(err, ErrGone)
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

// CloseAtEnd closes c once ctx ends. The function it returns calls that off, or
// waits until c is closed; it has to be called.
func CloseAtEnd(ctx context.Context, c io.Closer) (release func()) {
	return onEnd(ctx, func() { _ = c.Close() })
}

// onEnd calls f once ctx ends. The function it returns calls that off, or waits
// for f to return.
func onEnd(ctx context.Context, f func()) (release func()) {
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
