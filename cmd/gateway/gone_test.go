package main

import (
	"testing"

	"sluice/protocol"
)

func TestGoneDevices(t *testing.T) {
	gone := goneDevices(parsed(t, planned))
	tag := []protocol.Tag{{Key: "a", Value: "b"}}
	for _, c := range []struct {
		device protocol.Device
		want   bool
	}{
		{protocol.Device{Driver: "floor", Profile: "any", Name: "s1", Tags: tag}, false},
		{protocol.Device{Driver: "floor", Profile: "any", Name: "s1"}, true},
		{protocol.Device{Driver: "floor", Profile: "other", Name: "s1", Tags: tag}, true},
		{protocol.Device{Driver: "roof", Profile: "any", Name: "s1", Tags: tag}, true},
		{protocol.Device{Driver: "line", Profile: "other", Name: "scale"}, false},
		{protocol.Device{Driver: "line", Profile: "other", Name: "scale-2"}, true},
		{protocol.Device{Driver: "bus", Profile: "meter", Name: "m-1"}, false},
	} {
		if got := gone(&c.device); got != c.want {
			t.Errorf("%+v: gone is %v", c.device, got)
		}
	}
}
