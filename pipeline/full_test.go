package pipeline

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"

	"sluice/drivers"
	"sluice/drivers/drivertest"
	"sluice/drivers/mqtt"
	"sluice/pipeline/journal"
	"sluice/protocol"
	"sluice/protocol/payload"
)

// busyDisk is a disk whose syncs wait while it is held.
type busyDisk struct {
	journal.FS
	gate    sync.RWMutex  // held for writing while the disk is busy
	waiting chan struct{} // a sync tells that it has to wait; 1: the first one counts
}

type busyFile struct {
	journal.File
	disk *busyDisk
}

func (d *busyDisk) Open(name string) (journal.File, error) {
	f, err := d.FS.Open(name)
	if err != nil {
		return nil, err
	}
	return busyFile{f, d}, nil
}

func (f busyFile) Sync() error {
	if !f.disk.gate.TryRLock() {
		poke(f.disk.waiting)
		f.disk.gate.RLock()
	}
	defer f.disk.gate.RUnlock()
	return f.File.Sync()
}

// TestFullPipelineLeavesMessagesWithTheBroker keeps the pipeline full for ten
// seconds, by what cannot be sent again, while 500 messages wait at a mosquitto
// that was left as it comes, with 20 messages in flight.
func TestFullPipelineLeavesMessagesWithTheBroker(t *testing.T) {
	const waiting = 500
	broker := drivertest.StartMosquitto(t)
	disk := &busyDisk{FS: journal.OS{}, waiting: make(chan struct{}, 1)}
	c := config(t.TempDir())
	c.Intake = 64
	m := newMemory()
	p := start(t, c, disk, delivered("hub", m))
	stop := supervise(t, broker.URL(), p.Intake("floor"))
	defer stop()

	disk.gate.Lock()
	release := sync.OnceFunc(disk.gate.Unlock)
	t.Cleanup(release) // before the pipeline's own, which waits for the disk
	fillers := 0
	fill := func() bool {
		ok := p.Intake("floor").Emit(batch(protocol.Origin{}, nil, -1))
		if ok {
			fillers++
		}
		return ok
	}
	fill()
	<-disk.waiting // the committer takes no more
	for fill() {
	}
	publish(t, broker.URL(), 0, waiting)
	drivertest.Eventually(t, "the driver was refused", func() bool { return p.Stats().Intakes[0].Refused > 0 })
	<-time.After(10 * time.Second) // the condition under test is that it lasts
	if n := len(m.values()); n > 0 {
		t.Fatalf("%d readings arrived although nothing is kept", n)
	}
	release()
	room := time.Now()
	m.wait(t, fillers+waiting)
	took := time.Since(room)
	t.Logf("all %d messages arrived %v after there was room", waiting, took)
	if took > 2*time.Second {
		t.Errorf("the messages arrived %v after there was room", took)
	}
	stop()
	p.stop()
	for i, v := range m.values()[fillers:] {
		if v != float64(i) {
			t.Fatalf("reading %d is %v: %v", i, v, m.values())
		}
	}
	if s := p.Stats().Intakes[0]; s.Dropped != 1 || s.Journaled != uint64(fillers+waiting) {
		t.Errorf("%+v", s)
	}
}

// supervise runs an MQTT driver into the intake until the returned function is
// called.
func supervise(t *testing.T, url string, in *Intake) (stop func()) {
	t.Helper()
	cfg := mqtt.DefaultConfig()
	cfg.URL = url
	devices := []mqtt.Device{{Topic: "plant/{device}", Profile: "any", Decode: &payload.Profile{Decode: payload.Decode{JSON: &payload.JSON{}}}}}
	status := drivers.NewStatus(slog.New(slog.DiscardHandler))
	d, err := mqtt.New("floor", cfg, devices, mqtt.Options{Gateway: "test", Status: status})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() {
		drivers.Supervise(ctx, d, in, status, slog.New(slog.DiscardHandler), drivers.DefaultRestart())
	})
	drivertest.Eventually(t, "the driver is up", func() bool { return status.Condition().State == drivers.Up })
	return func() {
		cancel()
		running.Wait()
	}
}

// publish sends the numbers from … to-1 and waits for the broker to have them.
func publish(t *testing.T, url string, from, to int) {
	t.Helper()
	c := paho.NewClient(paho.NewClientOptions().AddBroker(url).SetClientID("device"))
	if tok := c.Connect(); !tok.WaitTimeout(drivertest.Patience) || tok.Error() != nil {
		t.Fatal(tok.Error())
	}
	defer c.Disconnect(100)
	for i := from; i < to; i++ {
		if tok := c.Publish("plant/s1", 1, false, fmt.Sprintf(`{"n":%d}`, i)); !tok.WaitTimeout(drivertest.Patience) || tok.Error() != nil {
			t.Fatal(tok.Error())
		}
	}
}

var _ drivers.Emitter = (*Intake)(nil)
var _ drivers.Roomer = (*Intake)(nil)
var _ drivers.Accountant = (*Intake)(nil)
var _ drivers.AckNoter = (*Intake)(nil)
