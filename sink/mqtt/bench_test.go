package mqtt_test

import (
	"context"
	"testing"

	paho "github.com/eclipse/paho.mqtt.golang"

	"sluice/protocol"
)

const benchBatch = 1000

// BenchmarkWrite is batches of 1000 readings to mosquitto, in windows of 100.
func BenchmarkWrite(b *testing.B) {
	for _, line := range []struct{ name, config string }{
		{"nodelay", "set_tcp_nodelay true"},
		{"nagle", "set_tcp_nodelay false"}, // mosquitto's default
	} {
		b.Run(line.name, func(b *testing.B) {
			s := opened(b, configFor(startBroker(b, line.config).URL()))
			batch := readings("s1", 0, benchBatch)
			b.ReportAllocs()
			for b.Loop() {
				if err := s.Write(context.Background(), batch); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*benchBatch), "ns/reading")
		})
	}
}

// BenchmarkPaho is the same with the library's own Publish.
func BenchmarkPaho(b *testing.B) {
	client := paho.NewClient(paho.NewClientOptions().AddBroker(startBroker(b).URL()).SetClientID("bench"))
	if token := client.Connect(); token.Wait() && token.Error() != nil {
		b.Fatal(token.Error())
	}
	defer client.Disconnect(1000)
	batch := readings("s1", 0, benchBatch)
	b.ReportAllocs()
	for b.Loop() {
		var window []paho.Token
		await := func(most int) {
			for len(window) > most {
				if window[0].Wait(); window[0].Error() != nil {
					b.Fatal(window[0].Error())
				}
				window = window[1:]
			}
		}
		for i := range batch {
			await(99)
			window = append(window, client.Publish("readings/plant-7/s1", 1, false, protocol.AppendJSON(nil, &batch[i])))
		}
		await(0)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*benchBatch), "ns/reading")
}
