package payload

import (
	"fmt"
	"strings"
	"testing"

	"sluice/protocol"
)

// TestIdentitiesAreBounded sends devices that no message names again, with few
// bytes and with many.
func TestIdentitiesAreBounded(t *testing.T) {
	configured := &protocol.Device{Name: "line", Tags: []protocol.Tag{{Key: "area", Value: "hall"}}}
	for _, long := range []int{1, 1 << 20} {
		all, most := newIdentities(), 0
		for i := range 200_000 / max(1, long/1000) {
			said := &protocol.Device{Tags: []protocol.Tag{{Key: "id", Value: fmt.Sprint(i)}}}
			said.Tags[0].Value += strings.Repeat("x", long)
			all.of(configured, said)
			most = max(most, len(all.known)*(long+2*identityCost))
		}
		if most > 4*keptIdentities {
			t.Errorf("tags of %d bytes: keeps %d bytes", long, most)
		}
	}
}

func TestIdentitiesStayTheSame(t *testing.T) {
	all, configured := newIdentities(), &protocol.Device{Name: "line", Tags: []protocol.Tag{{Key: "area", Value: "hall"}, {Key: "id", Value: "0"}}}
	said := &protocol.Device{Name: "meter", Tags: []protocol.Tag{{Key: "id", Value: "7"}}}
	first := all.of(configured, said)
	if got := fmt.Sprint(first.Name, " ", first.Tags); got != "meter [{area hall} {id 7}]" {
		t.Error(got)
	}
	if n := testing.AllocsPerRun(100, func() {
		if all.of(configured, said) != first || all.of(configured, nil) != configured {
			t.Error("another device")
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
