package mqtt

import (
	"fmt"
	"log/slog"
	"testing"
	"time"

	"sluice/drivers"
	"sluice/drivers/drivertest"
	"sluice/protocol/payload"
)

var plainJSON = payload.Profile{Decode: payload.Decode{JSON: &payload.JSON{}}}

// climate is the device row that most tests use.
var climate = Device{Topic: "plant/{area}/{device}/climate", Profile: "climate", Decode: &plainJSON}

// newTestDriver returns a driver of url for devices; edit may change its
// configuration.
func newTestDriver(t *testing.T, url string, edit func(*Config), devices ...Device) (*Driver, *drivers.Status) {
	t.Helper()
	cfg := DefaultConfig()
	cfg.URL = url
	if edit != nil {
		edit(&cfg)
	}
	log := newTestLog(t)
	status := drivers.NewStatus(log)
	d, err := New("floor", cfg, devices, Options{Gateway: "test", Dir: t.TempDir(), Log: log, Status: status})
	if err != nil {
		t.Fatal(err)
	}
	return d, status
}

func TestConformance(t *testing.T) {
	for _, test := range []struct {
		qos     int
		session string
		resends bool
	}{
		{0, "persistent", false},
		{1, "persistent", true},
		{2, "persistent", true},
		{1, "clean", false},
	} {
		t.Run(fmt.Sprintf("qos%d-%s", test.qos, test.session), func(t *testing.T) {
			drivertest.Run(t, drivertest.Case{Resends: test.resends, New: func(t *testing.T) drivertest.Rig {
				broker := drivertest.StartMosquitto(t)
				pub := newPublisher(t, broker.Addr())
				d, status := newTestDriver(t, broker.URL(), func(c *Config) {
					c.QoS, c.Session, c.Timeout = test.qos, test.session, 5*time.Second
				}, climate)
				return drivertest.Rig{
					Driver: d, Status: status, Device: "s1",
					Send: func(v int) {
						pub.send("plant/a/s1/climate", fmt.Sprintf(`{"value":%d}`, v), byte(max(1, test.qos)), false)
					},
					Lose:    broker.Stop,
					Restore: broker.Start,
				}
			}})
		})
	}
}

func newTestLog(t *testing.T) *slog.Logger {
	return slog.New(slog.NewTextHandler(t.Output(), nil))
}
