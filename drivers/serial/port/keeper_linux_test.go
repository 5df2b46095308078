package port

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
	"golang.org/x/sys/unix"

	"sluice/firmware-sim/wire/pty"
)

func plug(t *testing.T, link string) *pty.Pty {
	t.Helper()
	device, err := pty.Open(link)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = device.Close() })
	return device
}

func newKeeper(t *testing.T, link string, opts Options) *Keeper {
	t.Helper()
	return NewKeeper(link, Line{115200, 8, None, 1}, opts, quietLog)
}

// usage is what a process uses.
type usage struct{ descriptors, goroutines, threads int }

func used(t *testing.T) usage {
	t.Helper()
	open, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return usage{len(open), runtime.NumGoroutine(), threads(t)}
}

func processorTime(t *testing.T) time.Duration {
	t.Helper()
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// host is a keeper that is read as a driver reads it, and writes as much.
type host struct {
	*Keeper
	away chan error // why the port was away; sent by run, which closes it; one is enough: the reader of it wants a sign of life
	read chan int   // bytes of one Read; sent by run, the reader of it takes them all
}

// run uses the port until ctx ends.
func (h *host) run(ctx context.Context) error {
	defer close(h.away)
	return h.Run(ctx, h.lost, h.talk)
}

func (h *host) lost(err error) {
	select {
	case h.away <- err:
	default: // the last one was not taken yet
	}
}

// talk reads and writes at once until the port is gone.
func (h *host) talk(ctx context.Context, c Conn) (heard bool, err error) {
	wrote := make(chan struct{}) // closed when nothing is written any more
	go func() {
		defer close(wrote)
		for err := error(nil); err == nil; {
			_, err = c.Write([]byte("request to a device that does not listen"))
		}
	}()
	b := make([]byte, 4096)
	for err == nil {
		var n int
		if n, err = c.Read(b); n > 0 {
			heard = true
			select {
			case h.read <- n:
			case <-ctx.Done():
			}
		}
	}
	_ = c.Close()
	<-wrote
	return heard, err
}

// TestReplug pulls the plug of a port a hundred times while it is read and
// written.
func TestReplug(t *testing.T) {
	const times = 100
	link := filepath.Join(t.TempDir(), "port")
	h := &host{newKeeper(t, link, DefaultOptions()), make(chan error, 1), make(chan int)}
	h.settle = 10 * time.Millisecond // a hundred are enough waiting
	ctx, cancel := context.WithCancel(t.Context())
	others := goleak.IgnoreCurrent()
	ended := make(chan error, 1) // run's result, sent once
	go func() { ended <- h.run(ctx) }()
	<-h.away // it has looked, and waits
	before, longest := used(t), time.Duration(0)
	for range times {
		longest = max(longest, h.cycle(t, link))
	}
	after := used(t)
	for until := time.Now().Add(patience); after.goroutines > before.goroutines && time.Now().Before(until); after = used(t) {
		<-time.After(time.Millisecond) // what has ended may not have gone yet
	}
	if after.descriptors > before.descriptors || after.goroutines > before.goroutines || after.threads > before.threads+4 {
		t.Errorf("after %d cycles %+v are in use, before %+v", times, after, before)
	}
	const span = time.Second
	began := processorTime(t)
	<-time.After(span)
	took := processorTime(t) - began
	if took > span/10 { // the whole test program, under the race detector
		t.Errorf("waiting for a port took %v of processor time in %v", took, span)
	}
	t.Logf("before %+v, after %d cycles %+v; back within %v; %v of processor time in %v away", before, times, after, longest, took, span)
	cancel()
	if err := <-ended; err != nil {
		t.Errorf("the keeper ended with %v", err)
	}
	if leak := goleak.Find(others); leak != nil {
		t.Error(leak)
	}
}

// cycle plugs a device in, lets it send until the host has read some, pulls the
// plug while it does, and waits until the host has noticed. It returns how long
// the host took to read the first byte.
func (h *host) cycle(t *testing.T, link string) time.Duration {
	t.Helper()
	device := plug(t, link)
	plugged := time.Now()
	fed := make(chan struct{}) // closed when the device sends no more
	go func() {
		defer close(fed)
		for err := device.WaitOpened(t.Context()); err == nil; {
			_, err = device.Write([]byte("reading that nobody asked for\r\n"))
		}
	}()
	var first time.Duration
	for total := 0; total < 10_000; {
		select {
		case n := <-h.read:
			if total == 0 {
				first = time.Since(plugged)
			}
			total += n
		case <-h.away: // it looked once more before the plug was in
		}
	}
	if err := device.Unplug(); err != nil {
		t.Fatal(err)
	}
	for {
		select {
		case <-h.read:
		case err := <-h.away:
			if errors.Is(err, ErrGone) {
				continue // and then it is looked for
			}
			if !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("the port is away: %v", err)
			}
			<-fed
			return first
		case <-time.After(patience):
			t.Fatal("the host has not noticed")
		}
	}
}

func TestKeeperTracesOverAllPorts(t *testing.T) {
	dir := t.TempDir()
	link, opts := filepath.Join(dir, "port"), DefaultOptions()
	opts.Trace = filepath.Join(dir, "trace")
	k := newKeeper(t, link, opts)
	for range 2 {
		device := plug(t, link)
		err := use(k, func(err error) { t.Error(err) }, func(c Conn) {
			if _, err := c.Write([]byte("hello")); err != nil {
				t.Error(err)
			}
		})
		if err := errors.Join(err, device.Unplug()); err != nil {
			t.Fatal(err)
		}
	}
	text := read(t, opts.Trace)
	if strings.Count(text, "# open "+link+" 115200 8N1\n") != 2 || strings.Count(text, "|hello|") != 2 {
		t.Errorf("the trace is\n%s", text)
	}
}

var errEnough = errors.New("that was enough")

// use has do use the keeper's port once.
func use(k *Keeper, away func(error), do func(c Conn)) error {
	err := k.Run(context.Background(), away, func(_ context.Context, c Conn) (heard bool, err error) {
		do(c)
		return false, errEnough
	})
	if errors.Is(err, errEnough) {
		return nil
	}
	return err
}

func TestKeeperDoesWithoutATrace(t *testing.T) {
	var log bytes.Buffer
	opts := DefaultOptions()
	opts.Trace = filepath.Join(t.TempDir(), "none", "trace")
	k := NewKeeper(newPty(t).Link(), Line{9600, 8, None, 1}, opts, slog.New(slog.NewTextHandler(&log, nil)))
	used := false
	if err := use(k, nil, func(Conn) { used = true }); err != nil || !used {
		t.Errorf("the port was used: %v, %v", used, err)
	}
	if n := strings.Count(log.String(), "traffic is not traced"); n != 1 {
		t.Errorf("it was logged %d times: %s", n, log.String())
	}
}

func TestKeeperEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	k := newKeeper(t, filepath.Join(t.TempDir(), "port"), DefaultOptions())
	err := k.Run(ctx, func(error) { cancel() }, func(context.Context, Conn) (bool, error) {
		t.Error("a port that is not there is used")
		return false, ErrGone
	})
	if err != nil {
		t.Errorf("Run gave %v", err)
	}
}

func TestKeeperLeavesAHangingUpPortAlone(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	k := newKeeper(t, newPty(t).Link(), DefaultOptions())
	var at []time.Time
	err := k.Run(ctx, func(error) {}, func(context.Context, Conn) (heard bool, err error) {
		if at = append(at, time.Now()); len(at) == 3 {
			cancel()
		}
		return len(at) == 1, ErrGone
	})
	if err != nil {
		t.Errorf("Run gave %v", err)
	}
	if len(at) != 3 || at[2].Sub(at[1]) < bounce {
		t.Errorf("it was opened at %v", at)
	}
}
