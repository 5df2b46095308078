package drivertest

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"sluice/drivers"
	"sluice/protocol"
)

func testEmits(t *testing.T, c Case) {
	rig, e := c.New(t), NewEmitter(t)
	r := startUp(t, rig, e)
	before := protocol.At(time.Now())
	for v := 1; v <= 5; v++ {
		rig.Send(v)
	}
	got := e.Wait(5)
	after := protocol.At(time.Now())
	expect(t, got, 1, 2, 3, 4, 5)
	for _, reading := range got {
		if reading.Device.Name != rig.Device {
			t.Errorf("reading is of device %q, want %q", reading.Device.Name, rig.Device)
		}
		if reading.Device != got[0].Device {
			t.Error("readings of one device carry different pointers, want one per identity")
		}
		if at := reading.ReceivedTime; at < before || at > after {
			t.Errorf("reading was received at %v, want it between %v and %v", at.Time(), before.Time(), after.Time())
		}
	}
	r.stop()
}

func testRunsAgain(t *testing.T, c Case) {
	rig, e := c.New(t), NewEmitter(t)
	for v := 1; v <= 3; v++ {
		r := startUp(t, rig, e)
		rig.Send(v)
		e.Wait(v)
		settled(e, c, v)
		r.stop()
	}
	expect(t, e.Readings(), 1, 2, 3)
}

func testEndsBeforeItBegan(t *testing.T, c Case) {
	rig := c.New(t)
	r := start(t, rig, NewEmitter(t))
	r.stop() // somewhere within opening or connecting
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := rig.Driver.Run(ctx, NewEmitter(t)); err != nil {
		t.Errorf("Run with an ended context returned %v, want nil", err)
	}
}

func testLost(t *testing.T, c Case) {
	rig, e := c.New(t), NewEmitter(t)
	r := startUp(t, rig, e)
	rig.Send(1)
	e.Wait(1)
	settled(e, c, 1)
	rig.Lose()
	if c.Waits {
		r.await(drivers.Down)
		rig.Restore()
		r.await(drivers.Up)
	} else {
		if err := r.result(); err == nil {
			t.Error("Run returned nil when the device was lost, want an error")
		}
		rig.Restore()
		r = startUp(t, rig, e)
	}
	rig.Send(2)
	e.Wait(2)
	r.stop()
	expect(t, e.Readings(), 1, 2)
}

func testRefused(t *testing.T, c Case) {
	rig, e := c.New(t), NewEmitter(t)
	r := startUp(t, rig, e)
	e.SetFull(true)
	rig.Send(1)
	e.WaitRefused(1)
	if got := e.Readings(); len(got) > 0 {
		t.Fatalf("a full emitter recorded %d readings", len(got))
	}
	want := []int{2, 3}
	if c.Resends {
		want = []int{1, 2, 3}
	}
	if n := len(e.WaitAcknowledged(0)); n > 0 {
		t.Errorf("%d refused readings were acknowledged", n)
	}
	e.SetFull(false)
	rig.Send(2)
	rig.Send(3)
	e.Wait(len(want))
	r.stop()
	expect(t, e.Readings(), want...)
}

// bare is an emitter without the optional interfaces.
type bare struct{ drivers.Emitter }

func testBareEmitter(t *testing.T, c Case) {
	rig, e := c.New(t), NewEmitter(t)
	r := startUp(t, rig, bare{e})
	rig.Send(1)
	e.Wait(1)
	e.SetFull(true)
	rig.Send(2)
	e.WaitRefused(1)
	e.SetFull(false)
	rig.Send(3)
	if c.Resends {
		e.Wait(3)
	} else {
		e.Wait(2)
	}
	r.stop()
}

// testLateDone gives batches their Done when Run has long returned.
func testLateDone(t *testing.T, c Case) {
	for _, verdict := range []error{nil, errNotKept} {
		rig, e := c.New(t), NewEmitter(t)
		e.Hold()
		r := startUp(t, rig, e)
		rig.Send(1)
		rig.Send(2)
		e.Wait(2)
		r.stop()
		e.Release(verdict)
		e.Release(nil)
		r = startUp(t, rig, e)
		rig.Send(3)
		e.until("the reading 3", func() bool { return slices.Contains(Values(e.readings), 3) })
		r.stop()
	}
}

var errNotKept = errors.New("not kept")

// testUnacknowledged stops a driver that owes acknowledgements: its readings
// come again, marked as such, and once acknowledged never more.
func testUnacknowledged(t *testing.T, c Case) {
	rig, e := c.New(t), NewEmitter(t)
	e.Hold()
	r := startUp(t, rig, e)
	for v := 1; v <= 3; v++ {
		rig.Send(v)
	}
	e.Wait(3)
	r.stop()
	if n := len(e.WaitAcknowledged(0)); n > 0 {
		t.Errorf("%d readings were acknowledged before their Done", n)
	}

	again := NewEmitter(t)
	r = startUp(t, rig, again)
	again.Wait(3)
	for i, o := range again.Origins() {
		if first := e.Origins()[i]; !o.Redelivered || o.PacketID != first.PacketID || o.Hash != first.Hash || o.Driver != first.Driver {
			t.Errorf("reading %d came again with origin %+v after %+v", i+1, o, first)
		}
	}
	again.WaitAcknowledged(3)
	r.stop()
	e.Release(nil)

	last := NewEmitter(t)
	r = startUp(t, rig, last)
	rig.Send(4)
	last.Wait(1)
	r.stop()
	expect(t, again.Readings(), 1, 2, 3)
	expect(t, last.Readings(), 4)
}

// testNotKept gives Done an error: the reading must come again.
func testNotKept(t *testing.T, c Case) {
	rig, e := c.New(t), NewEmitter(t)
	e.Hold()
	r := startUp(t, rig, e)
	rig.Send(1)
	e.Wait(1)
	e.Release(errNotKept)
	e.Wait(2)
	e.Release(nil)
	e.WaitAcknowledged(1)
	r.stop()
	for _, v := range Values(e.Readings()) {
		if v != 1 {
			t.Errorf("got the value %d, want 1 until it is kept", v)
		}
	}
}

// settled waits until a source that resends has the acknowledgement of n
// readings, so that a stop does not make it send them again.
func settled(e *Emitter, c Case, n int) {
	if c.Resends {
		e.WaitAcknowledged(n)
	}
}

func expect(t *testing.T, readings []protocol.Reading, want ...int) {
	t.Helper()
	if got := Values(readings); !slices.Equal(got, want) {
		t.Errorf("got the readings %v, want %v", got, want)
	}
}
