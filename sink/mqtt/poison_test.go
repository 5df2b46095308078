package mqtt_test

import (
	"errors"
	"net"
	"slices"
	"strings"
	"testing"

	"github.com/eclipse/paho.mqtt.golang/packets"

	"sluice/protocol"
	"sluice/sink"
	"sluice/sink/sinktest"
)

// long returns the readings with those at the indexes too long for a broker that
// takes 2000 bytes.
func long(batch []protocol.Reading, indexes ...int) []protocol.Reading {
	for _, i := range indexes {
		text := protocol.Metric{Name: "text", Value: protocol.String(strings.Repeat("x", 3000))}
		batch[i].Metrics = append(batch[i].Metrics[:len(batch[i].Metrics):len(batch[i].Metrics)], text)
	}
	return batch
}

// persist writes the batch until Write returns nil or rejects readings, as a
// delivery does, at most 40 times.
func persist(t *testing.T, out sink.Sink, batch []protocol.Reading) error {
	t.Helper()
	var err error
	for range 40 {
		err = out.Write(t.Context(), batch)
		var partial *sink.PartialError
		if err == nil || errors.As(err, &partial) {
			return err
		}
		if sink.IsPermanent(err) {
			t.Fatalf("Write = %v: the whole batch is rejected", err)
		}
	}
	return err
}

// mosquitto closes the connection on a packet beyond max_packet_size.
func TestTooLongMessagesAreFound(t *testing.T) {
	broker := startBroker(t, "max_packet_size 2000")
	heard := listen(t, broker.URL())
	for _, tt := range []struct {
		name   string
		n      int
		poison []int
	}{
		{name: "one in the middle", n: 300, poison: []int{130}},
		{name: "the first", n: 20, poison: []int{0}},
		{name: "the last", n: 20, poison: []int{19}},
		{name: "several", n: 300, poison: []int{3, 4, 170}},
		{name: "alone", n: 1, poison: []int{0}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			out := opened(t, configFor(broker.URL()))
			before := len(heard.numbers())
			batch := long(readings(tt.name, 0, tt.n), tt.poison...)
			sinktest.WantRejected(t, persist(t, out, batch), tt.poison...)
			got := heard.numbers()[before:]
			slices.Sort(got)
			if got = slices.Compact(got); len(got) != tt.n-len(tt.poison) {
				t.Errorf("stored %d readings, want %d", len(got), tt.n-len(tt.poison))
			}
			if err := out.Write(t.Context(), readings(tt.name, tt.n, 100)); err != nil {
				t.Errorf("Write after a rejection = %v", err)
			}
		})
	}
}

// A broker that closes the connection on every message is misconfigured, and no
// reading but the first is given up: the operator can mend that.
func TestBrokerThatRefusesEverything(t *testing.T) {
	url := fakeBroker(t, func(packets.ControlPacket, net.Conn) error { return errors.New("not permitted") })
	out := opened(t, configFor(url))
	rejected := 0
	for n := range 5 {
		err := persist(t, out, readings("s1", n, 1))
		var partial *sink.PartialError
		if errors.As(err, &partial) {
			rejected += len(partial.Rejected)
		} else if err == nil || !strings.Contains(err.Error(), "topic readings/plant-7/s1") {
			t.Errorf("Write = %v, want the topic in it", err)
		}
	}
	if rejected > 1 {
		t.Errorf("%d readings are rejected, want at most 1", rejected)
	}
}

// One topic that the broker does not permit keeps its readings.
func TestBrokerThatRefusesATopic(t *testing.T) {
	out := opened(t, configFor(fakeBroker(t, func(p packets.ControlPacket, conn net.Conn) error {
		if strings.HasSuffix(p.(*packets.PublishPacket).TopicName, "/secret") {
			return errors.New("not permitted")
		}
		return acknowledge(p, conn)
	})))
	batch := slices.Concat(readings("a-longer-name", 0, 5), readings("secret", 5, 1), readings("a-longer-name", 6, 5))
	err := persist(t, out, batch)
	var partial *sink.PartialError
	if err == nil || errors.As(err, &partial) || !strings.Contains(err.Error(), "readings/plant-7/secret") {
		t.Errorf("Write = %v, want an error that names the topic and rejects nothing", err)
	}
}

// A line that is cut again and again is no reason to give up a reading.
func TestCutsAreNoPoison(t *testing.T) {
	broker := startBroker(t)
	line := sinktest.StartLine(t, broker.Addr())
	out := opened(t, configFor("mqtt://"+line.Addr()))
	batch := readings("s1", 0, 300)
	for range 10 {
		line.Mend(t)
		line.CloseAfter(t, 100)
		err := out.Write(t.Context(), batch)
		var partial *sink.PartialError
		if err == nil || errors.As(err, &partial) {
			t.Fatalf("Write over a line that is cut = %v", err)
		}
	}
	line.Mend(t)
	if err := out.Write(t.Context(), batch); err != nil {
		t.Error(err)
	}
}
