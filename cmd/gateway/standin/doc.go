// Package standin holds servers that stand in for real ones in a rehearsal: an
// MQTT broker, a NATS server and an InfluxDB write endpoint. They listen on
// loopback, on ports of their own, say nothing, and leave no goroutine behind
// when they are closed.
package standin
