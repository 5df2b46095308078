package protocol

import "testing"

func TestBatchReuse(t *testing.T) {
	called := false
	b := &Batch{Origin: Origin{Driver: "floor", PacketID: 7}, Done: func(error) { called = true }}
	r := b.Add()
	*r = Reading{Device: &Device{Name: "s1"}, SourceTime: 1, Metrics: []Metric{{Name: "a"}, {Name: "b"}}}
	b.Reset()
	if len(b.Readings) != 0 || b.Origin != (Origin{}) || b.Origin.CanResend() {
		t.Errorf("after a reset: %+v", b)
	}
	if b.Done(nil); !called {
		t.Error("Reset lost Done")
	}
	r = b.Add()
	if r.Device != nil || r.SourceTime != 0 || r.ID != (ID{}) || len(r.Metrics) != 0 || cap(r.Metrics) < 2 {
		t.Errorf("a used reading came back as %+v with room for %d metrics", r, cap(r.Metrics))
	}
	if !(Origin{Driver: "floor"}).CanResend() {
		t.Error("a source with a driver's name cannot resend")
	}
}

func TestBatchGrows(t *testing.T) {
	b := &Batch{}
	for i := range 100 {
		b.Add().SourceTime = Timestamp(i + 1)
	}
	for i := range b.Readings {
		if b.Readings[i].SourceTime != Timestamp(i+1) {
			t.Fatalf("reading %d has time %d", i, b.Readings[i].SourceTime)
		}
	}
}

func TestBatchReuseAllocatesNothing(t *testing.T) {
	b := &Batch{}
	n := testing.AllocsPerRun(100, func() {
		b.Reset()
		for i := range 10 {
			r := b.Add()
			for range i {
				r.Metrics = append(r.Metrics, Metric{Name: "m", Value: Int(1)})
			}
		}
	})
	if n != 0 {
		t.Errorf("%v allocations, want 0", n)
	}
}
