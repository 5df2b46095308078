package payload

import (
	"fmt"
	"testing"

	"sluice/protocol"
	"sluice/protocol/payload/sparkplug"
)

// TestSparkplug is the seam to the format's package: whose a reading is, when
// it came, and what is to be replied.
func TestSparkplug(t *testing.T) {
	p := Profile{Decode: Decode{Sparkplug: &sparkplug.Config{}}}
	if !p.Decode.NamesDevices() || all.Decode.NamesDevices() {
		t.Error("Sparkplug alone names its devices")
	}
	d := decoder(t, p)
	edge := sparkplug.NewEdge("g", "n")
	m := Message{
		Topic:    edge.Topic(sparkplug.DeviceBirth, "d"),
		Payload:  edge.AppendBirth(nil, "d", 5e6, []sparkplug.Metric{{Name: "T", Type: sparkplug.Int8, Value: protocol.Int(-1)}}),
		Device:   &protocol.Device{Profile: "p", Driver: "floor", Tags: []protocol.Tag{{Key: "group", Value: "x"}, {Key: "hall", Value: "2"}}},
		Received: 7,
	}
	var b protocol.Batch
	for range 2 {
		if err := d.Decode(&b, m); err != nil {
			t.Fatal(err)
		}
	}
	r := b.Readings[0]
	got := fmt.Sprintln(*r.Device, r.SourceTime, r.ReceivedTime, r.Metrics[0].Name, r.Metrics[0].Value)
	if want := "{g/n/d p floor [{edge_device d} {group g} {hall 2} {node n}] <nil>} 5000000 7 T -1\n"; got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
	if b.Readings[1].Device != r.Device {
		t.Error("the device is not one pointer")
	}
	topic, command, ok := d.(Replier).Reply()
	if !ok || topic != "spBv1.0/g/NCMD/n" || !sparkplug.IsRebirth(command) {
		t.Errorf("reply %q to %s, %t", command, topic, ok)
	}
	if got := problems(Profile{Decode: Decode{Sparkplug: &sparkplug.Config{Rebirth: 1}}}); len(got) != 1 ||
		got[0] != "decode.sparkplug.rebirth is 1ns, want off or 1s to 24h" {
		t.Errorf("problems %q", got)
	}
}
