package payload

import (
	"encoding/json"
	"os"
	"testing"
)

// TestDevices decodes messages as devices send them.
func TestDevices(t *testing.T) {
	text, err := os.ReadFile("testdata/devices.json")
	if err != nil {
		t.Fatal(err)
	}
	var devices []struct {
		Name    string
		Profile Profile
		Cases   []struct{ Payload, Metric, Want string }
	}
	if err := json.Unmarshal(text, &devices); err != nil || len(devices) == 0 {
		t.Fatalf("%d devices, %v", len(devices), err)
	}
	for _, dev := range devices {
		t.Run(dev.Name, func(t *testing.T) {
			d := decoder(t, dev.Profile)
			for _, c := range dev.Cases {
				if got := show(t, d, c.Payload, c.Metric); got != c.Want {
					t.Errorf("%q:\n got %s\nwant %s", c.Payload, got, c.Want)
				}
			}
		})
	}
}
