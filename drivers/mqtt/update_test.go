package mqtt

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"sluice/drivers/drivertest"
	"sluice/protocol"
)

// TestUpdate gives a driver other devices while messages come: the connection
// stays, nothing is lost, and what is subscribed follows.
func TestUpdate(t *testing.T) {
	broker := drivertest.StartMosquitto(t)
	pub := newPublisher(t, broker.Addr())
	d, status := newTestDriver(t, broker.URL(), nil, climate)
	e := drivertest.NewEmitter(t)
	stop := run(t, d, status, e)
	roof := climate
	roof.Topic, roof.Tags = "roof/{device}", []protocol.Tag{{Key: "area", Value: "top"}}
	pub.send("roof/r1", `{"value":0}`, 1, true) // of nobody yet
	publishMany(pub, 1, 100)
	if err := d.Update([]Device{roof, climate}); err != nil {
		t.Fatal(err)
	}
	publishMany(pub, 101, 200)
	e.Wait(201) // what was retained comes with the new subscription
	if err := d.Update([]Device{{Topic: "a/#/b"}}); err == nil || !strings.Contains(err.Error(), "use device 1 of driver floor") {
		t.Errorf("a pattern that is none is taken: %v", err)
	}
	tagged := climate
	tagged.Tags = []protocol.Tag{{Key: "site", Value: "north"}}
	if err := d.Update([]Device{tagged}); err != nil {
		t.Fatal(err)
	}
	drivertest.Eventually(t, "the topic that went is unsubscribed", func() bool { return !subscribedTo(t, d, "roof/+") })
	publishMany(pub, 201, 300)
	got := e.Wait(301)
	if last := got[300].Device; len(last.Tags) != 2 || last.Tags[1].Value != "north" {
		t.Errorf("the last reading is of %+v", last)
	}
	e.WaitAcknowledged(301)
	stopped(t, stop)
	if n := strings.Count(broker.Log(), " as sluice-test-floor "); n != 1 {
		t.Errorf("the driver has connected %d times, want once", n)
	}
}

// subscribedTo reports whether the file of the driver's subscriptions names a filter.
func subscribedTo(t *testing.T, d *Driver, filter string) bool {
	t.Helper()
	text, err := os.ReadFile(d.subs.path)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Contains(string(text), filter)
}

// TestUnchangedRowsGoOn holds that other rows beside it change nothing about one:
// its decoder, what its topics said last, and who was heard.
func TestUnchangedRowsGoOn(t *testing.T) {
	rs, err := newRoutes("floor", thermostats())
	if err != nil {
		t.Fatal(err)
	}
	r := rs.find("plant/a/s1/climate")
	r.last, r.seen = 7, true
	before := rs.table.Load()
	after, err := newTable("floor", []Device{{Topic: "new/{device}", Profile: "thermostat", Decode: commanded()}, thermostats()[1], thermostats()[0]}, before)
	if err != nil {
		t.Fatal(err)
	}
	rs.table.Store(after)
	if after.rows[2].decoder != before.rows[0].decoder || after.rows[0].decoder == before.rows[0].decoder {
		t.Error("the row has another decoder, or the new one has its")
	}
	if heard, ok := after.heard.Get(heardAs{2, "s1"}); !ok || heard.Name != "s1" {
		t.Error("who was heard is forgotten")
	}
	now := rs.find("plant/a/s1/climate")
	if now.device != r.device || now.last != 7 || !now.seen || now.of != after {
		t.Errorf("the route is %+v", now)
	}
	if fmt.Sprint(after.filters()) != "[new/+ plant/+/+/climate roof/climate]" {
		t.Errorf("filters are %v", after.filters())
	}
}
