package main

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"sluice/drivers/drivertest"
	"sluice/firmware-sim/wire/pty"
)

// TestKillSerial kills the gateway under the lines of a serial device, which sends
// nothing twice: a line that the gateway had read and not synced is lost, and
// these are at most the lines of the last linger and commit.
//
// Only lines that were sent while a gateway had the port open count. The kernel
// keeps what the gateway had not read when it was killed, and the line or two that
// were sent before the device noticed, for the gateway that opens the port next.
func TestKillSerial(t *testing.T) {
	for _, linger := range []time.Duration{0, 20 * time.Millisecond} {
		t.Run("linger "+linger.String(), func(t *testing.T) {
			s := newSerialSoak(t, linger)
			stop := s.talk()
			defer stop()
			for range setting(t, "SLUICE_SOAK_ROUNDS", 4) {
				s.life()
				s.kill()
			}
			s.life()
			stop()
			s.finish()
			for n, life := range s.lives {
				s.judge(n+1, life)
			}
		})
	}
}

const (
	lineEvery = 2 * time.Millisecond
	firstLine = 10_000_001 // all have eight digits, so that no half of one is a number

	// oneCommit is how long a line may take to be durable when nothing lingers, on a
	// machine that does other things too; on a quiet one it is 50 ms.
	oneCommit = 200 * time.Millisecond
)

// serialSoak is the real program with a serial device that sends numbered lines.
type serialSoak struct {
	*rig
	tty    *pty.Pty
	linger time.Duration
	random func() time.Duration // how long the next gateway lives
	lives  []life

	sent []time.Time // of each line; written by the talking goroutine, read when it has ended

	mu  sync.Mutex  // guards got
	got map[int]int // how often the hub stored a line
}

// life is the time of one gateway, from when it had the port open to the blow.
type life struct{ from, to time.Time }

func newSerialSoak(t *testing.T, linger time.Duration) *serialSoak {
	s := &serialSoak{rig: newServers(t), linger: linger, got: map[int]int{}}
	moments := seeded(t)
	s.random = func() time.Duration { return time.Duration(100+moments.IntN(400)) * time.Millisecond }
	port := filepath.Join(s.dir, "port")
	var err error
	if s.tty, err = pty.Open(port); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.tty.Close() })
	s.writeConfig(fmt.Sprintf(`
gateway: soak
http: {listen: %q}
drivers:
  bench: {serial: {port: %q, line: 115200 8N1}}
profiles:
  numbered: {decode: {regex: '^(?P<n>\d{8})$'}}
devices:
  - {via: bench, profile: numbered, device: counter}
pipeline: {dir: %q, durability: always, linger: %v}
sinks:
  hub: {nats: {url: %q, stream: READINGS, create: true}, retry: {max: 500ms}}
`, s.http, port, filepath.Join(s.dir, "data"), linger, s.hub.URL()))
	if err := s.hub.Follow("READINGS", s.stored); err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *serialSoak) stored(payload []byte) {
	var m struct{ Metrics struct{ N float64 } }
	if err := json.Unmarshal(payload, &m); err != nil || m.Metrics.N < firstLine {
		s.t.Errorf("hub stored what was never sent: %s (%v)", payload, err)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.got[int(m.Metrics.N)-firstLine]++
}

// stores returns how often the hub stored a line.
func (s *serialSoak) stores(line int) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.got[line]
}

// talk lets the device send lines at a fixed rate until the function that it
// returns is called. While nobody has the port open the device is silent.
func (s *serialSoak) talk() (stop func()) {
	ctx, cancel := context.WithCancel(s.t.Context())
	var talking sync.WaitGroup
	talking.Go(func() {
		tick := time.NewTicker(lineEvery)
		defer tick.Stop()
		for ctx.Err() == nil {
			select {
			case <-ctx.Done():
			case <-tick.C:
				if s.tty.Opened() {
					s.say()
				}
			}
		}
	})
	return sync.OnceFunc(func() {
		cancel()
		talking.Wait()
	})
}

func (s *serialSoak) say() {
	_ = s.tty.SetWriteDeadline(time.Now().Add(drivertest.Patience)) // a closed one shows in the write
	if _, err := fmt.Fprintf(s.tty, "%d\n", firstLine+len(s.sent)); err != nil {
		s.t.Errorf("send line %d: %v", len(s.sent), err)
	}
	s.sent = append(s.sent, time.Now())
}

// life lets a gateway run for a while. It has the port open when it is ready.
func (s *serialSoak) life() {
	s.start()
	from := time.Now()
	rest(s.t.Context(), s.random())
	s.lives = append(s.lives, life{from, time.Now()})
}

// finish waits until the last gateway, which nobody kills, has delivered all.
func (s *serialSoak) finish() {
	s.t.Helper()
	drivertest.Eventually(s.t, "the last line is at the hub", func() bool { return s.stores(len(s.sent)-1) > 0 })
	s.drain()
	s.stop()
	for line := range s.sent {
		if n := s.stores(line); n > 1 {
			s.t.Errorf("line %d is at the hub %d times", line, n)
		}
	}
}

// judge holds that the lines lost with one gateway were among its last.
func (s *serialSoak) judge(n int, l life) {
	var all, late int
	var lost []int
	end := l.to.Add(-s.linger - oneCommit) // what was sent after this may be lost
	if n == len(s.lives) {
		end = l.to // nobody killed it
	}
	for line, at := range s.sent {
		if at.Before(l.from) || at.After(l.to) {
			continue
		}
		all++
		if at.After(end) {
			late++
		}
		if s.stores(line) == 0 {
			lost = append(lost, line)
			if !at.After(end) {
				s.t.Errorf("gateway %d lost line %d, which was sent %v before it was killed", n, line, l.to.Sub(at))
			}
		}
	}
	fmt.Fprintf(s.t.Output(), "gateway %3d: %4d lines sent to it, %2d of them in its last %v, %2d lost %v\n",
		n, all, late, l.to.Sub(end), len(lost), lost)
}
