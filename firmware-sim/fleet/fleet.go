package fleet

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"sluice/firmware-sim/ledger"
	"sluice/firmware-sim/wire/pty"
	"sluice/protocol"
)

// Broker is where the devices of one MQTT driver publish.
type Broker struct {
	URL      string // tcp://, mqtt://, ssl://, mqtts://, ws:// or wss://HOST:PORT
	Username string // "" for none
	Password protocol.Secret
}

// Play says how a model is played.
type Play struct {
	Brokers  map[string]Broker // by driver, one for every MQTT driver
	Ports    string            // existing folder for the links to serial ports
	Rate     float64           // messages per second of all MQTT devices together, default one per device
	TCPPort  int               // of the first bus by TCP on this machine, the next ones follow; 0: any that are free
	LineRate float64           // lines per second of each serial device at most, default 10
	Limit    int64             // messages and lines after which the play ends, 0 for no limit
	Ledger   *ledger.Ledger    // told of every sample; nil keeps no accounts
	Log      *slog.Logger      // nil for none
}

// Port is a serial port that the fleet offers.
type Port struct {
	Driver string
	Path   string // a link that leads to the pseudo terminal
}

// Progress is what a fleet has done so far. Sent messages are confirmed once
// the broker acknowledged them (QoS 0: once they are written) and lines once
// they are written.
type Progress struct {
	Devices     int
	Sent        int64
	Confirmed   int64
	Connections int64 // to brokers, up now
	Opened      int64 // serial ports that somebody has open now
}

// Fleet plays a model.
type Fleet struct {
	play  Play
	model *Model
	links []*link
	lines []*line
	buses []*playedBus

	left      atomic.Int64 // messages until the limit
	sent      atomic.Int64
	confirmed atomic.Int64
	connected atomic.Int64
	opened    atomic.Int64
}

// devicesPerLink is how many devices share a connection.
const devicesPerLink = 50

// Open readies a fleet and offers its serial ports. It connects to nothing and
// starts nothing; the caller closes the fleet.
func Open(m *Model, p Play) (*Fleet, error) {
	if p.Log == nil {
		p.Log = slog.New(slog.DiscardHandler)
	}
	if p.LineRate <= 0 {
		p.LineRate = 10
	}
	f := &Fleet{play: p, model: m}
	if err := f.addLinks(); err != nil {
		return nil, err
	}
	for _, port := range m.ports {
		tty, err := pty.Open(filepath.Join(p.Ports, port.driver))
		if err != nil {
			_ = f.Close()
			return nil, fmt.Errorf("offer port of driver %s: %w", port.driver, err)
		}
		f.lines = append(f.lines, &line{fleet: f, port: port, tty: tty})
	}
	for i := range m.buses {
		if err := f.addBus(&m.buses[i]); err != nil {
			_ = f.Close()
			return nil, err
		}
	}
	f.introduce()
	return f, nil
}

// addLinks shares the devices out among connections.
func (f *Fleet) addLinks() error {
	total := 0
	for _, b := range f.model.brokers {
		total += len(b.devices)
	}
	rate := f.play.Rate
	if rate <= 0 {
		rate = float64(total)
	}
	for _, b := range f.model.brokers {
		to, ok := f.play.Brokers[b.driver]
		if !ok {
			return fmt.Errorf("open fleet: there is no broker for driver %s", b.driver)
		}
		for from := 0; from < len(b.devices); from += devicesPerLink {
			devices := b.devices[from:min(from+devicesPerLink, len(b.devices))]
			share := rate * float64(len(devices)) / float64(total)
			f.links = append(f.links, newLink(f, b.driver, to, b.qos, devices, share))
		}
	}
	return nil
}

// introduce tells the ledger who there is.
func (f *Fleet) introduce() {
	if f.play.Ledger == nil {
		return
	}
	for _, d := range f.model.devices {
		f.play.Ledger.Expect(d.Device)
		if d.byCount {
			f.play.Ledger.ByCount(d.Name)
		}
	}
}

// Ports returns the serial ports on offer, in the order of the drivers.
func (f *Fleet) Ports() []Port {
	ports := make([]Port, len(f.lines))
	for i, l := range f.lines {
		ports[i] = Port{Driver: l.port.driver, Path: l.tty.Link()}
	}
	return ports
}

// Run lets the devices talk until ctx ends or the limit is reached, then waits
// for the acknowledgements that are still under way, for some seconds at most.
// A broker that cannot be reached at the beginning is an error; one that is
// lost later is sought until it is back. Run is called once, and the ports stay
// open after it so that the gateway can read on.
func (f *Fleet) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	f.left.Store(f.play.Limit)
	t := &talk{Context: ctx, end: cancel}
	var running sync.WaitGroup
	var failed error
	var once sync.Once // guards failed: when a broker is away, one connection's complaint is enough
	start := func(run func(*talk) error) {
		running.Go(func() {
			if err := run(t); err != nil {
				once.Do(func() { failed = err })
				cancel()
			}
		})
	}
	for _, l := range f.links {
		start(l.run)
	}
	for _, l := range f.lines {
		if l.port.device != nil {
			start(l.run)
		}
	}
	for _, b := range f.buses {
		start(b.run)
	}
	running.Wait()
	return failed
}

// talk is the time in which devices talk; end ends it.
type talk struct {
	context.Context
	end context.CancelFunc
}

// Close takes ports and buses away. It is called after Run has returned.
func (f *Fleet) Close() error {
	var errs []error
	for _, l := range f.lines {
		errs = append(errs, l.tty.Close())
	}
	for _, b := range f.buses {
		errs = append(errs, b.Close())
	}
	return errors.Join(errs...)
}

// Progress returns what has been done so far. It is safe for concurrent use.
func (f *Fleet) Progress() Progress {
	return Progress{
		Devices:     len(f.model.devices),
		Sent:        f.sent.Load(),
		Confirmed:   f.confirmed.Load(),
		Connections: f.connected.Load(),
		Opened:      f.opened.Load(),
	}
}

// take reports whether one more message may be sent, and ends the talk with the
// last one.
func (f *Fleet) take(t *talk) bool {
	if t.Err() != nil {
		return false
	}
	if f.play.Limit <= 0 {
		return true
	}
	left := f.left.Add(-1)
	if left <= 0 {
		t.end()
	}
	return left >= 0
}

// next samples d and notes that the sample is about to be sent.
func (f *Fleet) next(d *Device) (Sample, ledger.Ref) {
	at := protocol.At(time.Now())
	s := d.Next(at)
	f.sent.Add(1)
	if f.play.Ledger == nil {
		return s, ledger.Ref{}
	}
	return s, f.play.Ledger.Sent(d.Name, ledger.Sample{Time: s.Time, At: at, Metrics: s.Metrics})
}

// The ledger's further entries, for a fleet that may have none.

func (f *Fleet) confirm(r ledger.Ref) {
	f.confirmed.Add(1)
	if f.play.Ledger != nil {
		f.play.Ledger.Confirmed(r)
	}
}

func (f *Fleet) resend(r ledger.Ref) {
	if f.play.Ledger != nil {
		f.play.Ledger.Resent(r)
	}
}

func (f *Fleet) unsend(r ledger.Ref) {
	f.sent.Add(-1)
	if f.play.Ledger != nil {
		f.play.Ledger.Unsent(r)
	}
}

func (f *Fleet) doubt(r ledger.Ref) {
	if f.play.Ledger != nil {
		f.play.Ledger.Doubt(r)
	}
}

func (f *Fleet) waive(r ledger.Ref) {
	f.confirmed.Add(1)
	if f.play.Ledger != nil {
		f.play.Ledger.Waive(r)
	}
}

func (f *Fleet) excuse(device string, from time.Time) {
	if f.play.Ledger != nil {
		f.play.Ledger.Excuse(device, protocol.At(from))
	}
}

func (f *Fleet) judge(device string, from time.Time) {
	if f.play.Ledger != nil {
		f.play.Ledger.Judge(device, protocol.At(from))
	}
}
