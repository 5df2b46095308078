package serial

import (
	"log/slog"
	"strings"
	"testing"

	"sluice/drivers/drivertest"
	"sluice/protocol/payload"
)

// TestEachReasonIsLoggedOnce sends frames that are rejected in turns for
// several reasons, and one metric that a reading has to do without.
func TestEachReasonIsLoggedOnce(t *testing.T) {
	var log strings.Builder
	dev := testDevice()
	dev.Decode = &payload.Profile{
		Decode:  payload.Decode{CSV: &payload.CSV{Columns: []string{"a", "b"}}},
		Metrics: map[string]payload.Metric{"a": {Type: "int"}, "b": {}},
	}
	d, err := New("scale", testConfig("/dev/null"), []Device{dev}, Options{Log: slog.New(slog.NewTextHandler(&log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	sent := pieces(strings.Split(strings.Repeat("x,1\n|x\n|\xff,2\n|1,2\n|", 3), "|"))
	_, _ = readAll(&d.reader, &sent, drivertest.NewEmitter(t))
	for _, want := range []string{`"metrics are rejected"`, "reason=type", "reason=missing", "reason=utf8"} {
		if n := strings.Count(log.String(), want); n != 1 {
			t.Errorf("%d times %s:\n%s", n, want, log.String())
		}
	}
}
