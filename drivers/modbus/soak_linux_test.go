package modbus

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"sluice/drivers"
	"sluice/drivers/drivertest"
	sim "sluice/firmware-sim/bus"
	"sluice/protocol/payload"
)

// TestSoak polls three buses while commands come in and faults strike at random.
// The arbiter must see no overlap and no gap that is too short, and what a unit
// answered in time and sound must have become a reading, once. scripts/soak
// modbus plays longer.
func TestSoak(t *testing.T) {
	span, seed := soakSettings(t)
	for name, s := range map[string]*soak{
		"rtu 9600 8E1":   {config: lineConfig("9600 8E1"), units: 5, poll: time.Second, hurt: 400 * time.Millisecond},
		"rtu 115200 8N1": {config: lineConfig("115200 8N1"), units: 10, poll: 500 * time.Millisecond, hurt: 400 * time.Millisecond},
		"tcp":            {config: tcpConfig("tcp://h"), units: 10, poll: 100 * time.Millisecond, hurt: 400 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s.random = rand.New(rand.NewPCG(seed, seed))
			s.run(t, span)
		})
	}
}

// soakSettings returns how long to play and what chance starts from, as
// scripts/soak says in the environment.
func soakSettings(t *testing.T) (span time.Duration, seed uint64) {
	t.Helper()
	span, seed = 5*time.Second, 1 // in CI
	var err error
	if text := os.Getenv("SLUICE_SOAK_FOR"); text != "" {
		if span, err = time.ParseDuration(text); err != nil || span <= 0 {
			t.Fatalf("SLUICE_SOAK_FOR is %q, want a time such as 10m", text)
		}
	}
	if text := os.Getenv("SLUICE_SOAK_SEED"); text != "" {
		if seed, err = strconv.ParseUint(text, 10, 64); err != nil {
			t.Fatalf("SLUICE_SOAK_SEED is %q, want a number", text)
		}
	}
	return span, seed
}

// soak is a simulated bus with a driver that reads it.
type soak struct {
	config Config
	units  int
	poll   time.Duration
	hurt   time.Duration // between two faults at most
	random *rand.Rand    // of the faults

	bus    *sim.Bus
	driver *Driver
	told   map[string]int // how often commands came to what; written by command

	mu      sync.Mutex // guards what follows
	counts  [256]uint32
	answers map[spoken]sim.Answer // to polls, spoilt ones too: a collision may leave them whole
}

// spoken names one answer: each one has the number of the unit's answers in it.
type spoken struct {
	device string
	number uint64
}

func (s *soak) run(t *testing.T, span time.Duration) {
	s.answers = map[spoken]sim.Answer{}
	s.config.Timeout = time.Second // the machine may be busy: 500 ms were too short for a bus at a load of 14
	s.config.Demote.Probe = time.Second
	s.plug(t)
	e := &recorder{}
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() {
		if err := s.bus.Run(ctx); err != nil {
			t.Error(err)
		}
	})
	running.Go(func() {
		again := drivers.Restart{Min: 10 * time.Millisecond, Max: 100 * time.Millisecond}
		drivers.Supervise(ctx, s.driver, e, s.driver.status, s.driver.log, again)
	})
	rough, calm := context.WithTimeout(ctx, span)
	defer calm()
	var playing sync.WaitGroup
	playing.Go(func() { s.strike(rough) })
	playing.Go(func() { s.command(rough) })
	playing.Wait()
	till := time.Now()
	drivertest.Eventually(t, "all units are read once more", func() bool { return s.readSince(e, till) })
	cancel()
	running.Wait()
	s.judge(t, e, till)
}

// plug makes the bus and the driver.
func (s *soak) plug(t *testing.T) {
	o := sim.Options{Line: s.config.Line, Turnaround: 3 * time.Millisecond, Jitter: 4 * time.Millisecond, Ledger: s.note}
	if s.config.URL != "" {
		o.Mode, o.Listen = sim.TCP, "127.0.0.1:0"
	} else {
		o.Link = filepath.Join(t.TempDir(), "port")
		s.config.Port = o.Link
	}
	var err error
	if s.bus, err = sim.New(o); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.bus.Close() })
	if s.config.URL != "" {
		s.config.URL = "tcp://" + s.bus.Path()
	}
	var units []int
	for u := range s.units {
		units = append(units, u+1)
		slave := sim.Slave{
			Unit:    uint8(u + 1),
			Holding: []sim.Block{{Start: 0, Values: make([]uint16, 10)}, {Start: 100, Values: make([]uint16, 2)}},
			Coils:   []sim.Block{{Start: 5, Values: []uint16{0}}},
			Value:   s.number(u + 1),
		}
		if err := s.bus.Add(slave); err != nil {
			t.Fatal(err)
		}
	}
	p := block(2, 8, s.poll)
	p.Commands = commanded().Commands
	p.Metrics["number"] = payload.Metric{Type: "uint32", Register: payload.Register{Holding: ptr(0)}}
	s.driver = newDriver(t, s.config, devices(p, units...))
}

// number gives each answer of a unit a number, in its first two registers.
func (s *soak) number(unit int) func(sim.Table, uint16, time.Time) (uint16, bool) {
	return func(t sim.Table, address uint16, _ time.Time) (uint16, bool) {
		if t != sim.Holding || address > 1 {
			return 0, false
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		if address == 0 {
			s.counts[unit]++
			return uint16(s.counts[unit] >> 16), true
		}
		return uint16(s.counts[unit]), true
	}
}

// note enters an answer to a poll.
func (s *soak) note(a sim.Answer) {
	if a.Written || a.Table != sim.Holding || a.Address != 0 || len(a.Values) < 2 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answers[spoken{deviceName(int(a.Unit)), uint64(a.Values[0])<<16 | uint64(a.Values[1])}] = a
}

// strike injects faults until ctx ends.
func (s *soak) strike(ctx context.Context) {
	faults := []sim.Fault{sim.Silent, sim.Late, sim.WrongUnit, sim.BadCRC, sim.Refused, sim.Pause}
	if s.config.URL == "" { // TCP has no noise, and what it cuts off would be taken from the next answer
		faults = append(faults, sim.Truncated, sim.NoiseBefore, sim.NoiseAfter, sim.NoiseBetween)
	}
	for ctx.Err() == nil {
		trouble := sim.Trouble{
			Fault: faults[s.random.IntN(len(faults))],
			Units: []uint8{uint8(1 + s.random.IntN(s.units))},
			Count: 1 + s.random.IntN(3),
		}
		if trouble.Fault == sim.Late {
			trouble.Delay = s.config.Timeout * 3 / 2
		}
		lift := s.bus.Inject(trouble)
		for range 1 + s.random.IntN(4) {
			lull(ctx, time.Duration(s.random.Int64N(int64(s.hurt))))
		}
		lift()
	}
}

// command tells units something until ctx ends.
func (s *soak) command(ctx context.Context) {
	random := rand.New(rand.NewPCG(1, 1))
	s.told = map[string]int{}
	for ctx.Err() == nil {
		c := drivers.Command{Name: "setpoint", Value: strconv.Itoa(5 + random.IntN(25))}
		if random.IntN(2) == 0 {
			c = drivers.Command{Name: "relay", Value: strconv.FormatBool(random.IntN(2) == 0)}
		}
		_, err := s.driver.Command(ctx, deviceName(1+random.IntN(s.units)), c)
		if ctx.Err() == nil {
			s.told[outcomeText(err)]++
		}
		lull(ctx, time.Duration(random.Int64N(int64(s.poll/2))))
	}
}

// outcomeText says what came of a command, without whom and what it was for.
func outcomeText(err error) string {
	if err == nil {
		return "done"
	}
	text := err.Error()
	return strings.TrimPrefix(text[strings.LastIndex(text, ": ")+1:], " ")
}

// lull waits for the time given or the end of ctx.
func lull(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// readSince reports whether every unit was read after till.
func (s *soak) readSince(e *recorder, till time.Time) bool {
	for u := range s.units {
		list := e.of(deviceName(u + 1))
		if len(list) == 0 || list[len(list)-1].ReceivedTime.Time().Before(till) {
			return false
		}
	}
	return true
}

// judge holds what was heard until till against what was said.
func (s *soak) judge(t *testing.T, e *recorder, till time.Time) {
	got, twice := map[spoken]int{}, 0
	for u := range s.units {
		for _, r := range e.of(deviceName(u + 1)) {
			n := r.Metrics[0].Value.Uint()
			key := spoken{r.Device.Name, n}
			if got[key]++; got[key] > 1 {
				twice++
			}
			if _, said := s.answers[key]; !said {
				t.Errorf("%s never said %d", key.device, key.number)
			}
		}
	}
	sound, missed, tooLate := 0, 0, 0
	for key, a := range s.answers {
		if !a.Sound() {
			continue
		}
		sound++
		switch {
		case got[key] > 0 || a.At.After(till):
		case a.Faults.Has(sim.Late): // nobody waits for it any more
			tooLate++
		default:
			missed++
			t.Errorf("what %s said at %v did not become a reading: %d (%v)", key.device, a.At.Format("15:04:05.000"), key.number, a.Faults)
		}
	}
	for _, v := range s.bus.Violations() {
		t.Errorf("violation: %v", v)
	}
	if twice > 0 {
		t.Errorf("%d readings came twice", twice)
	}
	s.tell(t, sound, len(got), missed, tooLate)
}

// tell prints what happened.
func (s *soak) tell(t *testing.T, sound, readings, missed, tooLate int) {
	struck := map[string]int64{}
	for f := sim.Silent; f <= sim.Collision; f++ {
		if n := s.bus.Injected(f); n > 0 {
			struck[f.String()] = n
		}
	}
	kinds := map[string]int{}
	for _, v := range s.bus.Excused() {
		kinds[v.Kind.String()]++
	}
	stats, sent := s.bus.Stats(), s.driver.Stats()
	fmt.Fprintf(t.Output(), "%s: %d requests (%d of them again, %d polls left out), %d answers\n"+
		"  to polls and sound %d: %d readings, %d too late, %d missed\n"+
		"  commands: %v\n  faults: %v\n  violations %d, excused %d (the first thousand of them: %v)\n",
		t.Name(), stats.Requests, sent.Retries, sent.Skipped, stats.Answers,
		sound, readings, tooLate, missed, s.told, struck, stats.Violations, stats.Excused, kinds)
}
