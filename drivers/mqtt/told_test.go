package mqtt

import (
	"log/slog"
	"strings"
	"testing"

	"sluice/protocol/payload"
)

// TestEachReasonIsLoggedOnce sends messages that are rejected in turns for
// several reasons, and one metric that a reading has to do without.
func TestEachReasonIsLoggedOnce(t *testing.T) {
	var log strings.Builder
	cfg, dev := DefaultConfig(), climate
	cfg.URL = "mqtt://h"
	dev.Decode = &payload.Profile{
		Decode:  payload.Decode{JSON: &payload.JSON{}},
		Metrics: map[string]payload.Metric{"a": {Type: "int"}, "b": {}},
	}
	d, err := New("floor", cfg, []Device{dev}, Options{Gateway: "g", Log: slog.New(slog.NewTextHandler(&log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	c := newConnection(d, newOutlet(keeper{}))
	for range 3 {
		for _, text := range []string{`{"a":"x","b":1}`, `{`, `{"c":1}`, `{"a":1}`, strings.Repeat(" ", maxPayload+1)} {
			c.receive(nil, &message{topic: "plant/a/s1/climate", payload: []byte(text), id: 1})
		}
	}
	for _, want := range []string{
		`"metrics are rejected"`, "reason=type", "reason=syntax", "reason=missing", `err="1048577 bytes, want at most 1048576"`,
	} {
		if n := strings.Count(log.String(), want); n != 1 {
			t.Errorf("%d times %s:\n%s", n, want, log.String())
		}
	}
}
