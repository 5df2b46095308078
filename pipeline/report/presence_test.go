package report

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"sluice/protocol"
)

func states(b *bench) string {
	var list []string
	for _, p := range b.Devices() {
		list = append(list, fmt.Sprintf("%s %s %d/%d", p.Device.Name, p.State, p.Suppressed, p.Readings))
	}
	return strings.Join(list, ", ")
}

func TestSilence(t *testing.T) {
	b := newBench(t, protocol.Reports{All: &protocol.Report{Deadband: deadband(1)}, StaleAfter: time.Minute})
	b.Expect([]*protocol.Device{b.device("s2"), {Name: "x", Profile: "other", Driver: "floor"}})
	unit := protocol.Metric{Name: "t", Value: protocol.Float(20), Unit: "°C"}
	b.bring(unit, float("h", 50))
	b.at(59 * time.Second)
	b.bring(unit) // suppressed, but it was heard
	b.at(60 * time.Second)
	if out := b.due(); len(out) != 0 {
		t.Errorf("a device that was never heard said %+v", out)
	}
	if got, want := states(b), "s1 live 1/2, s2 silent 0/0, x unheard 0/0"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if wait := b.Wait(); wait != 59*time.Second {
		t.Errorf("waits %v", wait)
	}
	b.at(119 * time.Second)
	out := b.due()
	want := []protocol.Metric{{Name: "t", Unit: "°C", Quality: protocol.Bad}, {Name: "h", Quality: protocol.Bad}}
	if len(out) != 1 || out[0].Device != b.sensor || fmt.Sprint(out[0].Metrics) != fmt.Sprint(want) || out[0].ReceivedTime != protocol.At(b.now) {
		t.Errorf("the last word is %+v", out)
	}
	if b.due() != nil || b.Wait() != 0 {
		t.Error("a silent device says more")
	}
	if s := b.Summary(5); s.Of("floor", Silent) != 2 || s.Of("", Unheard) != 1 || len(s.Silent) != 2 || s.Silent[0].Device != b.sensor {
		t.Errorf("summary is %+v", s)
	}
	b.want("back with the same", b.bring(unit), pass)
	b.due()
	if got, want := states(b), "s1 live 1/3, s2 silent 0/0, x unheard 0/0"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got := strings.Count(b.log.String(), "\n"); got != 3 || !strings.Contains(b.log.String(), "devices that were silent are back") {
		t.Errorf("the log says\n%s", b.log.String())
	}
}

func TestDeathIsToldOnce(t *testing.T) {
	b := newBench(t, protocol.Reports{StaleAfter: time.Minute})
	b.bring(float("t", 20))
	b.bring(protocol.Metric{Name: "t", Quality: protocol.Bad}) // as of Sparkplug
	if got, want := states(b), "s1 offline 0/2"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	b.at(time.Hour)
	if out := b.due(); out != nil || states(b) != "s1 silent 0/2" {
		t.Errorf("said %+v again", out)
	}
	b.rules = nil
	b.Expect([]*protocol.Device{b.device("s1")})
	if states(b) != "s1 live 0/2" {
		t.Errorf("without stale_after it is %s", states(b))
	}
}

func TestDevicesAreBounded(t *testing.T) {
	b := newBench(t, protocol.Reports{All: &protocol.Report{Min: span(time.Minute)}})
	b.bring(float("t", 1))
	b.bring(float("t", 2))
	var last *protocol.Device
	for i := range maxDevices {
		last = b.device(fmt.Sprint(i))
		b.reading(protocol.Reading{Device: last, ReceivedTime: protocol.At(b.now), Metrics: []protocol.Metric{float("t", 1)}})
	}
	if len(b.devices) != maxDevices || len(b.identities) != maxDevices || b.devices[b.sensor] != nil || b.devices[last] == nil {
		t.Errorf("%d devices are known", len(b.devices))
	}
	if out := b.due(); len(out) != 1 || out[0].Metrics[0].Value.Float() != 2 {
		t.Errorf("what was held of the forgotten device: %+v", out)
	}
	b.Retire(func(d *protocol.Device) bool { return d.Driver == "floor" })
	if s := b.Summary(1); len(b.Devices()) != 0 || len(b.devices) != 0 || s.Of("", Live) != 0 {
		t.Error("devices of a driver that is gone are known")
	}
}

func TestWillsTellWhoIsThere(t *testing.T) {
	minute := time.Minute
	b := newBench(t, protocol.Reports{All: &protocol.Report{Deadband: deadband(1), Min: &minute}, StaleAfter: time.Hour})
	says := func(p protocol.Presence) verdict {
		return b.reading(protocol.Reading{Device: b.sensor, ReceivedTime: protocol.At(b.now), Presence: p})
	}
	b.want("online before it has said anything", says(protocol.Online), suppress)
	b.want("first", b.bring(float("t", 20)), pass)
	b.at(time.Second)
	b.want("too soon", b.bring(float("t", 30)), hold)
	b.at(2 * time.Second)
	b.want("offline", says(protocol.Offline), pass)
	b.want("offline again", says(protocol.Offline), suppress)
	if got, want := states(b), "s1 offline 3/5"; got != want || b.superseded != 1 {
		t.Errorf("got %s and %d superseded, want %s and 1", got, b.superseded, want)
	}
	if out := b.due(); len(out) != 0 {
		t.Errorf("behind its end it says %+v", out)
	}
	b.want("online", says(protocol.Online), suppress)
	if got, want := states(b), "s1 live 4/6"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	b.want("the same value as before", b.bring(float("t", 20)), pass)
}
