package serial

import (
	"fmt"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"sluice/drivers"
	"sluice/drivers/drivertest"
	"sluice/protocol/frame"
)

// TestIdleOnAPort lets a device speak without line ends on a real terminal: the
// gap is generous, so that only the frames have to be right.
func TestIdleOnAPort(t *testing.T) {
	b, e := newBench(t, filepath.Join(t.TempDir(), "port")), drivertest.NewEmitter(t)
	c := testConfig(b.link)
	c.Frame.Idle = &frame.Idle{Gap: 50 * time.Millisecond}
	d, err := New("scale", c, []Device{testDevice()}, Options{Status: b.status})
	if err != nil {
		t.Fatal(err)
	}
	b.driver = d
	b.plug()
	stop := b.run(e)
	b.await(drivers.Up)
	for v := range 3 {
		if _, err := fmt.Fprintf(b.device, "v=%d", v); err != nil {
			t.Fatal(err)
		}
		e.Wait(v + 1)
	}
	stop()
	if got := drivertest.Values(e.Readings()); !slices.Equal(got, []int{0, 1, 2}) {
		t.Errorf("got %v", got)
	}
}
