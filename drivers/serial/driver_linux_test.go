package serial

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
	"golang.org/x/sys/unix"

	"sluice/drivers"
	"sluice/drivers/drivertest"
	"sluice/drivers/serial/port"
	"sluice/firmware-sim/wire/pty"
)

// promise is how soon after a port's return its readings go on.
const promise = time.Second

// bench is a driver on a port that can be plugged in and pulled out.
type bench struct {
	t      *testing.T
	driver *Driver
	status *drivers.Status
	link   string
	device *pty.Pty // nil while unplugged
}

func newBench(t *testing.T, link string) *bench {
	t.Helper()
	status := drivers.NewStatus(slog.New(slog.DiscardHandler))
	d, err := New("scale", testConfig(link), []Device{testDevice()}, Options{Status: status})
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{t: t, driver: d, status: status, link: link}
	t.Cleanup(b.unplug)
	return b
}

func (b *bench) plug() {
	b.t.Helper()
	device, err := pty.Open(b.link)
	if err != nil {
		b.t.Fatal(err)
	}
	b.device = device
}

func (b *bench) unplug() {
	if b.device == nil {
		return
	}
	if err := b.device.Unplug(); err != nil {
		b.t.Error(err)
	}
	b.device = nil
}

func (b *bench) send(value int) {
	b.t.Helper()
	if _, err := fmt.Fprintf(b.device, "v=%d\r\n", value); err != nil {
		b.t.Fatal(err)
	}
}

func (b *bench) await(want drivers.State) {
	b.t.Helper()
	drivertest.Eventually(b.t, "driver is "+string(want), func() bool {
		return b.status.Condition().State == want
	})
}

// run runs the driver until the function it returns is called, which checks
// that Run has then ended well and left nothing behind.
func (b *bench) run(e drivers.Emitter) (stop func()) {
	b.t.Helper()
	others, before := goleak.IgnoreCurrent(), descriptors(b.t)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1) // Run's result, sent once
	go func() { ended <- b.driver.Run(ctx, e) }()
	return func() {
		b.t.Helper()
		cancel()
		if err := <-ended; err != nil {
			b.t.Errorf("Run returned %v", err)
		}
		b.unplug()
		if leak := goleak.Find(others); leak != nil {
			b.t.Errorf("Run left goroutines behind: %v", leak)
		}
		if after := descriptors(b.t); after > before {
			b.t.Errorf("%d descriptors are open, %d were", after, before)
		}
	}
}

// descriptors counts what a driver opens: terminals and watches.
func descriptors(t *testing.T) int {
	t.Helper()
	open, err := filepath.Glob("/proc/self/fd/*")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, fd := range open {
		if to, err := os.Readlink(fd); err == nil && (strings.HasPrefix(to, "/dev/pt") || strings.Contains(to, "inotify")) {
			n++
		}
	}
	return n
}

func TestConformance(t *testing.T) {
	drivertest.Run(t, drivertest.Case{
		Waits: true,
		New: func(t *testing.T) drivertest.Rig {
			b := newBench(t, filepath.Join(t.TempDir(), "port"))
			b.plug()
			return drivertest.Rig{
				Driver: b.driver, Status: b.status, Device: "scale-1",
				Send: b.send, Lose: b.unplug, Restore: b.plug,
			}
		},
	})
}

func TestMissingAtStart(t *testing.T) {
	link := filepath.Join(t.TempDir(), "dev", "serial", "by-id", "port")
	b, e := newBench(t, link), drivertest.NewEmitter(t)
	stop := b.run(e)
	b.await(drivers.Down)
	if why := b.status.Condition().Detail; !strings.Contains(why, "there is no such port") || !strings.Contains(why, link) {
		t.Errorf("the driver is down: %s", why)
	}
	if err := os.MkdirAll(filepath.Dir(link), 0o700); err != nil {
		t.Fatal(err)
	}
	b.plug()
	plugged := time.Now()
	b.send(1)
	e.Wait(1)
	if took := time.Since(plugged); took > promise {
		t.Errorf("the first reading came %v after the port", took)
	}
	stop()
}

func TestStopsWhileAway(t *testing.T) {
	b := newBench(t, filepath.Join(t.TempDir(), "port"))
	stop := b.run(drivertest.NewEmitter(t))
	b.await(drivers.Down)
	began := time.Now()
	stop()
	if took := time.Since(began); took > drivertest.Prompt {
		t.Errorf("Run took %v to return", took)
	}
}

func TestReplugUnderLoad(t *testing.T) {
	unplugAndReturn(t, filepath.Join(t.TempDir(), "port"), 20)
}

// replug pulls the plug of a busy port again and again.
func unplugAndReturn(t *testing.T, link string, times int) {
	t.Helper()
	b, e := newBench(t, link), drivertest.NewEmitter(t)
	stop := b.run(e)
	var longest time.Duration
	last := 0 // value sent
	for range times {
		before := len(e.Readings())
		b.plug()
		plugged := time.Now()
		fed := b.feed(&last)
		first := e.Wait(before + 20)[before]
		longest = max(longest, first.ReceivedTime.Time().Sub(plugged))
		b.unplug()
		<-fed
		b.await(drivers.Down)
	}
	stop()
	t.Logf("readings went on within %v of every return", longest)
	if longest > promise {
		t.Errorf("readings went on %v after a return, want %v", longest, promise)
	}
	if values := drivertest.Values(e.Readings()); !slices.IsSorted(values) || len(values) != len(slices.Compact(slices.Clone(values))) {
		t.Error("readings came twice or out of order")
	}
}

// feed sends lines as fast as they are read until the device is unplugged.
func (b *bench) feed(last *int) (ended <-chan struct{}) {
	done := make(chan struct{}) // closed when nothing is sent any more
	device := b.device
	go func() {
		defer close(done)
		if device.WaitOpened(context.Background()) != nil {
			return
		}
		for err := error(nil); err == nil; *last++ {
			_, err = fmt.Fprintf(device, "v=%d\n", *last)
		}
	}()
	return done
}

func TestHangsUpAtOnce(t *testing.T) {
	b := newBench(t, filepath.Join(t.TempDir(), "port"))
	stop := b.run(drivertest.NewEmitter(t))
	for range 3 {
		b.plug()
		b.await(drivers.Up)
		b.unplug()
		b.await(drivers.Down)
	}
	stop()
}

func TestBusy(t *testing.T) {
	b, e := newBench(t, filepath.Join(t.TempDir(), "port")), drivertest.NewEmitter(t)
	b.plug()
	stop := b.run(e)
	b.await(drivers.Up)
	second := newBench(t, b.link)
	err := second.driver.Run(t.Context(), e)
	if !errors.Is(err, port.ErrBusy) || !strings.Contains(err.Error(), fmt.Sprint(os.Getpid())) {
		t.Errorf("Run on a busy port returned %v", err)
	}
	stop()
}

func TestAwayIsIdle(t *testing.T) {
	const inQuiet, inBusy = `sleep 60`, `while :; do : >a; : >b; rm a b; sleep 0.005; done`
	for name, others := range map[string]string{"Quiet": inQuiet, "Busy": inBusy} {
		t.Run(name, func(t *testing.T) { away(t, others) })
	}
}

// away measures the wait for a port in a folder where a shell does what others
// says.
func away(t *testing.T, others string) {
	dir := t.TempDir()
	b, e := newBench(t, filepath.Join(dir, "port")), drivertest.NewEmitter(t)
	shell := exec.Command("sh", "-c", others)
	shell.Dir = dir
	shell.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := shell.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = syscall.Kill(-shell.Process.Pid, syscall.SIGKILL)
		_ = shell.Wait()
	}()
	stop := b.run(e)
	b.await(drivers.Down)
	const span = 500 * time.Millisecond
	before := processorTime(t)
	<-time.After(span)
	used := processorTime(t) - before
	stop()
	t.Logf("%v of processor time in %v", used, span)
	if used > span/10 { // the whole test program, under the race detector
		t.Errorf("waiting for a port took %v of processor time in %v", used, span)
	}
}

func processorTime(t *testing.T) time.Duration {
	t.Helper()
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// TestUnprivileged tries what depends on permissions as a user who has none.
func TestUnprivileged(t *testing.T) {
	if os.Getuid() == 0 {
		asNobody(t)
		return
	}
	dir, err := os.MkdirTemp("", "serial")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	t.Run("Replug", func(t *testing.T) { unplugAndReturn(t, filepath.Join(dir, "port"), 5) })
	t.Run("Permission", func(t *testing.T) { permission(t, filepath.Join(dir, "port")) })
}

// asNobody runs the calling test again, as nobody.
func asNobody(t *testing.T) {
	t.Helper()
	const nobody = 65534
	again := exec.Command("/proc/self/exe", "-test.run=^"+t.Name()+"$", "-test.v")
	again.Dir = "/"
	again.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	out, err := again.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "--- PASS: "+t.Name()) {
		t.Errorf("as nobody: %v\n%s", err, out)
	}
}

// permission takes the port's permissions away and gives them back, as udev
// does after a while.
func permission(t *testing.T, link string) {
	b, e := newBench(t, link), drivertest.NewEmitter(t)
	b.plug()
	if err := os.Chmod(b.device.Port(), 0o060); err != nil {
		t.Fatal(err)
	}
	stop := b.run(e)
	b.await(drivers.Down)
	if why := b.status.Condition().Detail; !strings.Contains(why, "permission denied: add yourself to the group ") || !strings.Contains(why, "sudo usermod -aG ") {
		t.Errorf("the driver is down: %s", why)
	}
	if err := os.Chmod(b.device.Port(), 0o600); err != nil {
		t.Fatal(err)
	}
	allowed := time.Now()
	b.send(1)
	e.Wait(1)
	if took := time.Since(allowed); took > promise {
		t.Errorf("the first reading came %v after the permission", took)
	}
	stop()
}
