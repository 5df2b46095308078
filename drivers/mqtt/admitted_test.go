package mqtt

import (
	"fmt"
	"testing"
)

func TestMaxDevices(t *testing.T) {
	rs := newTestRoutes(t,
		Device{Topic: "a/{device}/{metric}", Profile: "p", Max: 2},
		Device{Topic: "b/{device}", Profile: "p"},
	)
	for _, test := range []struct{ topic, want string }{
		{"a/s1/x", "s1"}, {"a/s2/x", "s2"}, {"a/s3/x", "max_devices"}, {"a/s1/y", "s1"}, {"a/s3/x", "max_devices"}, {"a/s2/x", "s2"}, {"b/s3", "s3"},
	} {
		r := rs.find(test.topic)
		if got := r.name() + r.reason; got != test.want {
			t.Errorf("%s is of %s, want %s", test.topic, got, test.want)
		}
	}
	other, err := newTable("floor", []Device{{Topic: "a/{device}/{metric}", Profile: "p", Max: 3, Decode: &plainJSON}}, rs.table.Load())
	if err != nil {
		t.Fatal(err)
	}
	rs.table.Store(other)
	for i := range 5 {
		rs.find(fmt.Sprintf("a/s%d/x", i))
	}
	if n := len(rs.table.Load().rows[0].admitted.names); n != 3 {
		t.Errorf("%d devices are admitted, want 3", n)
	}
}
