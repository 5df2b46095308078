package mqtt

import (
	"fmt"
	"strings"
	"testing"

	"sluice/protocol"
)

func newTestRoutes(t testing.TB, devices ...Device) *routes {
	t.Helper()
	for i := range devices {
		devices[i].Decode = &plainJSON
	}
	rs, err := newRoutes("floor", devices)
	if err != nil {
		t.Fatal(err)
	}
	return rs
}

func TestRoutes(t *testing.T) {
	rs := newTestRoutes(t,
		Device{Topic: "a/{device}/x", Profile: "first"},
		Device{Topic: "a/{device}/{metric}", Profile: "second", Tags: []protocol.Tag{{Key: "z", Value: "1"}}},
		Device{Topic: "b/{area}/{line...}", Profile: "third", Name: "fixed", Tags: []protocol.Tag{{Key: "m", Value: "2"}}},
		Device{Topic: "$SYS/{device}", Profile: "sys"},
	)
	for _, test := range []struct{ topic, want string }{
		{"a/s1/x", "s1 first [] "},
		{"a/s1/y", "s1 second [{z 1}] y"},
		{"a/s1/", "s1 second [{z 1}] "},
		{"b/hall/1/2", "fixed third [{area hall} {line 1/2} {m 2}] "},
		{"b//", "fixed third [{area } {line } {m 2}] "},
		{"a//x", "device"},
		{"a//y", "device"},
		{"c", "topic"},
		{"", "topic"},
		{"$SYS/x", "x sys [] "},
		{"$SYS/x/y", "topic"},
		{"a/\xff/x", "topic"},
		{"a/s\x00/x", "topic"},
		{"a/*.>$ \n/x", "*.>$ \n first [] "},
		{"a/日本/x", "日本 first [] "},
	} {
		for range 2 { // worked out, remembered
			r := rs.find(test.topic)
			got := r.reason
			if r.device != nil {
				got = fmt.Sprintf("%s %s %v %s", r.device.Name, r.device.Profile, r.device.Tags, r.metric)
				if r.device.Driver != "floor" {
					t.Errorf("%q: driver is %q", test.topic, r.device.Driver)
				}
			}
			if got != test.want {
				t.Errorf("%q leads to %q, want %q", test.topic, got, test.want)
			}
		}
	}
	if rs.find("a/s1/y").device != rs.find("a/s1/z").device {
		t.Error("two topics of one device give two pointers")
	}
	if rs.find("a/s1/x").device == rs.find("a/s1/y").device {
		t.Error("two identities share a pointer")
	}
}

func TestRoutesAreBounded(t *testing.T) {
	rs := newTestRoutes(t, Device{Topic: "{device...}", Profile: "p"})
	for i := range maxRoutes + 100 {
		rs.find(fmt.Sprint("s", i))
	}
	if n := rs.topics.Len(); n > maxRoutes {
		t.Errorf("%d topics are remembered, want at most %d", n, maxRoutes)
	}
	if n := rs.devices.Len(); n > maxRoutes {
		t.Errorf("%d devices are remembered, want at most %d", n, maxRoutes)
	}
	long := strings.Repeat("x", maxCachedTopic+1)
	if rs.find(long).device == nil || rs.topics.Contains(long) {
		t.Error("a long topic has no device or is remembered")
	}
}
