package mqtt

import (
	"context"
	"fmt"
	"hash/fnv"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"sluice/drivers"
	"sluice/drivers/drivertest"
	"sluice/protocol"
)

// run runs d until the returned function is called, which returns Run's error.
// It waits until the driver is up.
func run(t *testing.T, d *Driver, status *drivers.Status, e drivers.Emitter) (stop func() error) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- d.Run(ctx, e) }()
	drivertest.Eventually(t, "driver is up", func() bool {
		select {
		case err := <-ended:
			t.Fatalf("Run returned %v before it was up", err)
		default:
		}
		return status.Condition().State == drivers.Up
	})
	return func() error {
		t.Helper()
		cancel()
		select {
		case err := <-ended:
			status.Down(context.Canceled)
			return err
		case <-time.After(drivertest.Patience):
			t.Fatal("Run does not return")
			return nil
		}
	}
}

func stopped(t *testing.T, stop func() error) {
	t.Helper()
	if err := stop(); err != nil {
		t.Errorf("Run returned %v, want nil", err)
	}
}

func publishMany(pub *publisher, first, last int) {
	for v := first; v <= last; v++ {
		pub.send("plant/a/s1/climate", fmt.Sprintf(`{"value":%d}`, v), 1, false)
	}
}

func sequence(first, last int) (values []int) {
	for v := first; v <= last; v++ {
		values = append(values, v)
	}
	return values
}

// TestFullForAWhile is the stock broker, 20 messages in flight, and a pipeline
// that is full while 500 messages are queued: all arrive, in order, soon after
// there is room.
func TestFullForAWhile(t *testing.T) {
	broker := drivertest.StartMosquitto(t)
	pub := newPublisher(t, broker.Addr())
	d, status := newTestDriver(t, broker.URL(), nil, climate)
	e := drivertest.NewEmitter(t)
	stop := run(t, d, status, e)
	publishMany(pub, 1, 10)
	e.Wait(10)
	e.SetFull(true)
	publishMany(pub, 11, 500)
	e.WaitRefused(20)
	if state := status.Condition().State; state != drivers.Up {
		t.Errorf("the driver is %s while the pipeline is full, want up", state)
	}
	began := time.Now()
	e.SetFull(false)
	got := e.Wait(500)
	t.Logf("500 readings %v after there was room", time.Since(began))
	stopped(t, stop)
	if !slices.Equal(drivertest.Values(got), sequence(1, 500)) {
		t.Errorf("got %v, want 1 to 500 in order", drivertest.Values(got))
	}
}

// TestNotKeptComesAgainInOrder lets the pipeline fail to keep one batch among
// many on their way.
func TestNotKeptComesAgainInOrder(t *testing.T) {
	broker := drivertest.StartMosquitto(t)
	pub := newPublisher(t, broker.Addr())
	d, status := newTestDriver(t, broker.URL(), nil, climate)
	e := drivertest.NewEmitter(t)
	e.Hold()
	stop := run(t, d, status, e)
	publishMany(pub, 1, 10)
	e.Wait(10)
	e.Release(errRefused)
	e.Wait(20)
	e.Release(nil)
	e.WaitAcknowledged(10)
	stopped(t, stop)
	got := drivertest.Values(e.Readings())
	if last := got[len(got)-10:]; !slices.Equal(last, sequence(1, 10)) {
		t.Errorf("kept %v, want 1 to 10 in order", last)
	}
}

func TestWhatGivesNoReading(t *testing.T) {
	broker := drivertest.StartMosquitto(t, "max_inflight_messages 5")
	pub := newPublisher(t, broker.Addr())
	d, status := newTestDriver(t, broker.URL(), nil, climate, Device{Topic: "x/{device...}", Profile: "p", Decode: &plainJSON})
	e := drivertest.NewEmitter(t)
	stop := run(t, d, status, e)
	for range 10 { // more than are in flight: each must be acknowledged
		pub.send("plant/a/s1/climate", "{", 1, false)
		pub.send("plant/a//climate", "{}", 2, false)
		pub.send("x", "{}", 1, false) // x/# matches it
		pub.send("x/big", `{"value":1`+strings.Repeat(" ", maxPayload)+"}", 1, false)
	}
	pub.send("x/ü  *.>$", `{"value":7}`, 1, false)
	got := e.Wait(1)
	stopped(t, stop)
	if name := got[0].Device.Name; name != "ü  *.>$" {
		t.Errorf("device is %q", name)
	}
	want := map[drivertest.Rejection]int{
		{Device: "s1", Reason: "syntax"}: 10, {Device: "", Reason: "device"}: 10,
		{Device: "", Reason: "topic"}: 10, {Device: "big", Reason: "size"}: 10,
	}
	if got := e.Rejected(); !maps.Equal(got, want) {
		t.Errorf("rejected %v, want %v", got, want)
	}
}

func TestRetained(t *testing.T) {
	for _, test := range []struct {
		mode     string
		values   []int
		rejected map[drivertest.Rejection]int
	}{
		{"once", []int{1, 2}, map[drivertest.Rejection]int{{Device: "s1", Reason: "retained_duplicate"}: 2}},
		{"keep", []int{1, 1, 2, 2}, nil},
		{"ignore", []int{2}, map[drivertest.Rejection]int{{Device: "s1", Reason: "retained"}: 3}},
	} {
		t.Run(test.mode, func(t *testing.T) {
			broker := drivertest.StartMosquitto(t)
			pub := newPublisher(t, broker.Addr())
			e := drivertest.NewEmitter(t)
			d, status := newTestDriver(t, broker.URL(), func(c *Config) { c.Retained, c.Session = test.mode, "clean" }, climate)
			send := func(v int) { pub.send("plant/a/s1/climate", fmt.Sprintf(`{"value":%d}`, v), 1, true) }
			send(1)
			// A clean session subscribes every time and gets what is retained.
			for n := 1; n <= 2; n++ {
				stop := run(t, d, status, e)
				received(t, e, n)
				if n == 2 {
					send(2) // a new message, not a retained one
					received(t, e, 3)
				}
				stopped(t, stop)
			}
			stop := run(t, d, status, e)
			received(t, e, 4)
			stopped(t, stop)
			expectValues(t, e, test.values...)
			if got := e.Rejected(); !maps.Equal(got, test.rejected) {
				t.Errorf("rejected %v, want %v", got, test.rejected)
			}
		})
	}
}

// received waits until n messages were accepted or rejected.
func received(t *testing.T, e *drivertest.Emitter, n int) {
	t.Helper()
	drivertest.Eventually(t, fmt.Sprint(n, " messages are received"), func() bool {
		sum := len(e.Readings())
		for _, count := range e.Rejected() {
			sum += count
		}
		return sum >= n
	})
}

// TestSubscriptionsAreKept checks when SUBSCRIBE and UNSUBSCRIBE are sent: a
// retained message comes again only after a SUBSCRIBE.
func TestSubscriptionsAreKept(t *testing.T) {
	broker := drivertest.StartMosquitto(t)
	pub := newPublisher(t, broker.Addr())
	cfg := DefaultConfig()
	cfg.URL, cfg.Retained = broker.URL(), "keep"
	dir := t.TempDir()
	second := Device{Topic: "other/{device}", Profile: "p", Decode: &plainJSON}
	begin := func(e *drivertest.Emitter, devices ...Device) func() error {
		status := drivers.NewStatus(newTestLog(t))
		d, err := New("floor", cfg, devices, Options{Gateway: "g", Dir: dir, Status: status})
		if err != nil {
			t.Fatal(err)
		}
		return run(t, d, status, e)
	}
	pub.send("plant/a/s1/climate", `{"value":1}`, 1, true)
	pub.send("other/o", `{"value":2}`, 1, true)

	e := drivertest.NewEmitter(t)
	stop := begin(e, climate)
	e.WaitAcknowledged(1)
	stopped(t, stop)
	if lost := e.SessionsLost(); lost != 1 {
		t.Errorf("the first connection says %d times that the session is new, want 1", lost)
	}

	e = drivertest.NewEmitter(t)
	stop = begin(e, climate, second) // only other/+ is new
	e.WaitAcknowledged(1)
	stopped(t, stop)
	expectValues(t, e, 2)

	e = drivertest.NewEmitter(t)
	stop = begin(e, second) // plant/+/+/climate goes
	pub.send("plant/a/s1/climate", `{"value":3}`, 1, false)
	pub.send("other/o", `{"value":4}`, 1, false)
	e.WaitAcknowledged(1)
	stopped(t, stop)
	expectValues(t, e, 4)
	if n := len(e.Rejected()); n > 0 || e.SessionsLost() > 0 {
		t.Errorf("rejected %v and lost %d sessions, want none", e.Rejected(), e.SessionsLost())
	}

	if err := os.WriteFile(filepath.Join(dir, "mqtt-floor.json"), []byte("{half"), 0o600); err != nil {
		t.Fatal(err)
	}
	e = drivertest.NewEmitter(t)
	stop = begin(e, second) // not known: subscribes, so the retained one comes
	e.WaitAcknowledged(1)
	stopped(t, stop)
	expectValues(t, e, 2)

	broker.Stop()
	broker.Forget()
	broker.Start()
	e = drivertest.NewEmitter(t)
	stop = begin(e, second) // on file, but the broker has forgotten
	pub.send("other/o", `{"value":5}`, 1, false)
	e.WaitAcknowledged(1)
	stopped(t, stop)
	expectValues(t, e, 5)
}

func expectValues(t *testing.T, e *drivertest.Emitter, want ...int) {
	t.Helper()
	if got := drivertest.Values(e.Readings()); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestOrigin(t *testing.T) {
	broker := drivertest.StartMosquitto(t)
	pub := newPublisher(t, broker.Addr())
	d, status := newTestDriver(t, broker.URL(), nil, climate)
	e := drivertest.NewEmitter(t)
	stop := run(t, d, status, e)
	pub.send("plant/a/s1/climate", `{"value":1}`, 0, false)
	pub.send("plant/a/s1/climate", `{"value":1}`, 1, false)
	e.Wait(2)
	noted := e.WaitAcknowledged(1)
	stopped(t, stop)
	got := e.Origins()
	want := protocol.Origin{Driver: "floor", PacketID: got[1].PacketID, Hash: hashOf("plant/a/s1/climate", []byte(`{"value":1}`))}
	if got[0].CanResend() || got[1] != want || noted[0] != want {
		t.Errorf("origins are %+v, noted %+v, want none and %+v", got, noted, want)
	}
}

// TestHashIsStable pins the hash: it stands in journals.
func TestHashIsStable(t *testing.T) {
	h := fnv.New64a()
	h.Write([]byte("a/b\x00c"))
	if got := hashOf("a/b", []byte("c")); got != h.Sum64() {
		t.Errorf("hash is %#x, want FNV-1a's %#x", got, h.Sum64())
	}
}
