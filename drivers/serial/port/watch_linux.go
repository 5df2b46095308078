package port

import (
	"context"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

// watch tells when something happens in the folder of a missing port, or, while
// that is missing too, in the nearest folder above it: /dev/serial/by-id goes
// with the last device and comes with the first. It is owned by one goroutine.
type watch struct {
	path   string
	events *os.File // nil: the user has no inotify left, looking must do
}

func newWatch(path string) *watch {
	w := &watch{path: path}
	fd, err := unix.InotifyInit1(unix.IN_NONBLOCK | unix.IN_CLOEXEC)
	if err == nil {
		w.events = os.NewFile(uintptr(fd), "inotify")
	}
	return w
}

// aim watches the nearest folder that exists now, and that of the device when the
// path is a link to one that is gone. Those watched before stay, at most one for
// each level of the path: an event too many costs one look.
func (w *watch) aim() {
	if w.events == nil {
		return
	}
	w.approach(w.path)
	if device, err := os.Readlink(w.path); err == nil {
		if !filepath.IsAbs(device) {
			device = filepath.Join(filepath.Dir(w.path), device)
		}
		w.approach(device)
	}
}

// approach watches the nearest folder on the way to path.
func (w *watch) approach(path string) {
	// Again when a folder below has appeared meanwhile.
	for dir, last := nearest(path), ""; dir != last; dir, last = nearest(path), dir {
		w.add(dir)
	}
}

// add watches dir, once however often it is added. A folder that cannot be
// watched is left to looking.
func (w *watch) add(dir string) {
	raw, err := w.events.SyscallConn()
	if err != nil {
		return
	}
	_ = raw.Control(func(fd uintptr) {
		_, _ = unix.InotifyAddWatch(int(fd), dir, unix.IN_ONLYDIR|
			unix.IN_CREATE|unix.IN_MOVED_TO|unix.IN_ATTRIB|unix.IN_DELETE_SELF|unix.IN_MOVE_SELF)
	})
}

// nearest returns the nearest folder on the way to path that exists.
func nearest(path string) string {
	dir := filepath.Dir(path)
	for dir != filepath.Dir(dir) {
		if _, err := os.Stat(dir); err == nil {
			break
		}
		dir = filepath.Dir(dir)
	}
	return dir
}

// wait waits until something has happened, which it reports, for the time given
// at most, or for the end of ctx.
func (w *watch) wait(ctx context.Context, most time.Duration) (happened bool) {
	if w.events == nil || w.events.SetReadDeadline(time.Now().Add(most)) != nil {
		pause(ctx, most)
		return false
	}
	defer onEnd(ctx, func() { _ = w.events.SetReadDeadline(time.Unix(1, 0)) })()
	var drained [4096]byte // what happened does not matter
	n, _ := w.events.Read(drained[:])
	return n > 0
}

func (w *watch) close() {
	if w.events != nil {
		_ = w.events.Close()
	}
}
