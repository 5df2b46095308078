package modbus

import (
	"fmt"
	"testing"
	"time"

	"sluice/protocol/payload"
)

func TestReadsSayThePlan(t *testing.T) {
	at := func(n int) *int { return &n }
	p := &payload.Profile{Poll: 10 * time.Second, Metrics: map[string]payload.Metric{
		"power":  {Type: "float32", Register: payload.Register{Holding: at(2), Poll: time.Second}},
		"energy": {Type: "uint32", Register: payload.Register{Holding: at(6), Poll: time.Second}},
		"far":    {Type: "int16", Register: payload.Register{Holding: at(900)}},
		"on":     {Register: payload.Register{Coil: at(3)}},
	}}
	reads, err := Reads(lineConfig("9600 8E1"), p)
	if got, want := fmt.Sprint(reads, err), "[holding 2-7 every 1s coil 3 every 10s holding 900 every 10s] <nil>"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
