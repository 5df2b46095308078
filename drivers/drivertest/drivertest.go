// Package drivertest is the conformance suite of drivers: what drivers.Driver
// promises, tried on a driver and the other end of its wire. Emitter stands in
// for the pipeline and is of use to a driver's own tests too.
package drivertest

import (
	"context"
	"errors"
	"testing"
	"time"

	"go.uber.org/goleak"

	"sluice/drivers"
	"sluice/protocol"
)

// Patience is how long the suite waits for what must happen. It only ends a
// test that would fail anyway, so it is generous.
const Patience = 30 * time.Second

// Prompt is how long Run may take to return once its context has ended.
const Prompt = 5 * time.Second

// Case is a kind of driver and what its devices can do.
type Case struct {
	// New returns a driver that never ran and a device that waits for it. It
	// is called once for every test of the suite.
	New func(t *testing.T) Rig

	// Resends says that the device keeps a reading until it is acknowledged
	// and sends it again.
	Resends bool

	// Waits says that Run reports a lost device as down and waits for it
	// itself, instead of returning an error.
	Waits bool
}

// Rig is a driver under test and its device.
type Rig struct {
	Driver drivers.Driver
	Status *drivers.Status // the one that the driver reports to
	Device string          // the name that its readings carry

	Send    func(value int) // makes the device send one reading with one metric of this value
	Lose    func()          // takes the device away: plug pulled, server stopped
	Restore func()          // brings it back
}

// Run tries everything that drivers.Driver promises.
func Run(t *testing.T, c Case) {
	tests := []struct {
		name string
		run  func(t *testing.T, c Case)
		skip bool
	}{
		{name: "Emits", run: testEmits},
		{name: "RunsAgain", run: testRunsAgain},
		{name: "EndsBeforeItBegan", run: testEndsBeforeItBegan},
		{name: "Lost", run: testLost},
		{name: "Refused", run: testRefused},
		{name: "BareEmitter", run: testBareEmitter},
		{name: "LateDone", run: testLateDone},
		{name: "Unacknowledged", run: testUnacknowledged, skip: !c.Resends},
		{name: "NotKept", run: testNotKept, skip: !c.Resends},
	}
	for _, test := range tests {
		if test.skip {
			continue
		}
		t.Run(test.name, func(t *testing.T) { test.run(t, c) })
	}
}

// running is a driver that runs. Its owner calls stop or wait.
type running struct {
	t      *testing.T
	rig    Rig
	cancel context.CancelFunc
	ended  chan error    // Run's result: sent once, so the room of 1 never blocks
	others goleak.Option // the goroutines that were there before
}

func start(t *testing.T, rig Rig, e drivers.Emitter) *running {
	t.Helper()
	others := goleak.IgnoreCurrent()
	ctx, cancel := context.WithCancel(context.Background())
	r := &running{t: t, rig: rig, cancel: cancel, ended: make(chan error, 1), others: others}
	go func() { r.ended <- rig.Driver.Run(ctx, e) }()
	t.Cleanup(cancel)
	return r
}

// startUp starts the driver and waits until it reports that it is up.
func startUp(t *testing.T, rig Rig, e drivers.Emitter) *running {
	t.Helper()
	r := start(t, rig, e)
	r.await(drivers.Up)
	return r
}

func (r *running) await(want drivers.State) {
	r.t.Helper()
	Eventually(r.t, "driver is "+string(want), func() bool {
		select {
		case err := <-r.ended:
			r.t.Fatalf("Run returned %v while waiting to be %s", err, want)
		default:
		}
		return r.rig.Status.Condition().State == want
	})
}

// stop ends the driver as a shutdown does and checks what it leaves behind.
func (r *running) stop() {
	r.t.Helper()
	r.cancel()
	began := time.Now()
	if err := r.result(); err != nil {
		r.t.Errorf("Run returned %v after its context had ended, want nil", err)
	}
	if took := time.Since(began); took > Prompt {
		r.t.Errorf("Run took %v to return, want at most %v", took, Prompt)
	}
}

// result waits for Run to return by itself. As Supervise does, it reports the
// driver as down then.
func (r *running) result() error {
	r.t.Helper()
	select {
	case err := <-r.ended:
		if leak := goleak.Find(r.others); leak != nil {
			r.t.Errorf("Run left goroutines behind: %v", leak)
		}
		r.rig.Status.Down(errors.New("stopped"))
		return err
	case <-time.After(Patience):
		r.t.Fatalf("Run has not returned in %v", Patience)
		return nil
	}
}

// Eventually waits until ok is true and fails the test after Patience.
func Eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(Patience); !ok(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited %v in vain: %s", Patience, what)
		}
	}
}

// Values returns the number in the first metric of each reading.
func Values(readings []protocol.Reading) []int {
	var values []int
	for i := range readings {
		n, _ := readings[i].Metrics[0].Value.Number()
		values = append(values, int(n))
	}
	return values
}
