//go:build !race

package serial

import "testing"

func TestTakeAllocatesNothing(t *testing.T) {
	r, e := newReader(t, testConfig("/dev/null"), jsonDevice()), &instant{}
	received := []byte(`{"t":21.5,"rh":45}` + "\n" + `{"t":21.6,"rh":46}` + "\n")
	if n := testing.AllocsPerRun(1000, func() { r.take(received, 1, e) }); n >= 1 {
		t.Errorf("taking two lines allocates %v times", n)
	}
	if e.readings == 0 {
		t.Error("no reading was emitted")
	}
}
