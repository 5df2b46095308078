package mqtt_test

import (
	"testing"

	"sluice/sink"
	sinkmqtt "sluice/sink/mqtt"
	"sluice/sink/sinktest"
)

func TestConformance(t *testing.T) {
	broker := startBroker(t)
	heard := listen(t, broker.URL())
	var points []sinktest.Point // of what was heard when Stored was last called
	far := sinktest.Far{
		Addr: broker.Addr(),
		New:  func(t testing.TB, addr string) sink.Sink { return open(t, configFor("mqtt://"+addr)) },
		Stop: func(testing.TB) {
			heard.catchUp()
			heard.stop()
			broker.Stop()
		},
		Start: func(testing.TB) {
			broker.Start()
			heard.start()
		},
		Stored: func(t testing.TB) []sinktest.Point {
			for _, m := range heard.messages()[len(points):] {
				points = append(points, pointOf(t, m.payload))
			}
			return points
		},
		Window: sinkmqtt.DefaultConfig().Window,
		Secure: func(t testing.TB, cert, key string) string { return sinktest.Terminate(t, broker.Addr(), cert, key) },
		NewSecure: func(t testing.TB, addr string, tls sink.TLS) sink.Sink {
			cfg := configFor("mqtts://" + addr)
			cfg.TLS = tls
			return open(t, cfg)
		},
	}
	sinktest.Run(t, far)
	sinktest.RunFaults(t, far)
}
