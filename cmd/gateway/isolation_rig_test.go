package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"sluice/drivers/drivertest"
)

// isolation is the real program between a steady publisher and two sinks, of
// which one is at fault and the other is measured.
type isolation struct {
	*rig
	pulse   *metronome
	door    *door  // before the sink that is at fault
	moody   *moody // before InfluxDB
	arrived tally  // from publish to arrival at the sink that is measured
	fault   string // name of the sink that is at fault

	mu         sync.Mutex // guards what follows
	seen       []bool     // by message number
	last       []int64    // number of the latest message of each device
	came       int64      // messages
	doubled    int
	disordered int // came after a later one of their device
}

// The devices of a metronome, and their messages per second in the short form.
const isolationDevices, isolationRate = 100, 2_000

func newIsolation(t *testing.T, fault string) *isolation {
	return &isolation{
		rig: newServers(t), fault: fault, last: make([]int64, isolationDevices),
		pulse: &metronome{rate: setting(t, "SLUICE_ISOLATION_RATE", isolationRate), devices: isolationDevices, epoch: time.Now()},
	}
}

// faultyHistory starts a gateway whose InfluxDB can be at fault, while the hub is
// measured.
func faultyHistory(t *testing.T) *isolation {
	s := newIsolation(t, "history")
	s.moody = newMoody(t, s.influxd.URL(), nil)
	s.door = newDoor(t, s.moody.addr())
	s.subscribe()
	s.open(s.hub.URL(), "http://"+s.door.address, "oldest")
	return s
}

// faultyHub starts a gateway whose hub can be at fault, while InfluxDB is measured.
func faultyHub(t *testing.T) *isolation {
	s := newIsolation(t, "hub")
	s.moody = newMoody(t, s.influxd.URL(), s.lines)
	s.door = newDoor(t, hostOf(t, s.hub.URL()))
	s.open("nats://"+s.door.address, s.moody.URL, "oldest")
	return s
}

// open runs the gateway.
func (s *isolation) open(hub, history, order string) {
	s.pulse.address = s.broker.Addr()
	s.writeConfig(fmt.Sprintf(`
gateway: plant
http: {listen: %q}
drivers:
  floor: {mqtt: {url: %q}}
profiles:
  beat: {decode: json, metrics: {n: {path: n}, sent: {path: sent}}}
devices:
  - {via: floor, profile: beat, topic: "plant/{device}/beat"}
pipeline: {dir: %q}
sinks:
  hub: {catchup: {order: %s}, nats: {url: %q, stream: READINGS, create: true}}
  history: {influx: {url: %q, org: plant, bucket: plant}}
`, s.http, s.broker.URL(), filepath.Join(s.dir, "data"), order, hub, history))
	s.start()
}

func hostOf(t *testing.T, text string) string {
	u, err := url.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return u.Host
}

// subscribe takes what is published to the hub.
func (s *isolation) subscribe() {
	conn, err := nats.Connect(s.hub.URL())
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(conn.Close)
	if _, err := conn.Subscribe("readings.>", func(m *nats.Msg) { s.message(m.Data) }); err != nil {
		s.t.Fatal(err)
	}
}

// message takes a message of the hub.
func (s *isolation) message(text []byte) {
	s.arrive(number(text, `"n":`), time.Duration(number(text, `"sent":`)), s.pulse.now())
}

// lines takes what is written to InfluxDB.
func (s *isolation) lines(body []byte) {
	now := s.pulse.now()
	for line := range bytes.Lines(body) {
		if n := number(line, " n="); n > 0 {
			s.arrive(n, time.Duration(number(line, ",sent=")), now)
		}
	}
}

// number returns the number behind a key, 0 without one.
func number(text []byte, key string) int64 {
	_, rest, ok := bytes.Cut(text, []byte(key))
	if !ok {
		return 0
	}
	if end := bytes.IndexAny(rest, ",} "); end >= 0 {
		rest = rest[:end]
	}
	f, err := strconv.ParseFloat(string(rest), 64)
	if err != nil {
		return 0
	}
	return int64(f)
}

// arrive notes that a message came for the first time, or again.
func (s *isolation) arrive(n int64, sent, now time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for int64(len(s.seen)) <= n {
		s.seen = append(s.seen, false)
	}
	if s.seen[n] {
		s.doubled++
		return
	}
	s.seen[n] = true
	s.came++
	if last := &s.last[n%isolationDevices]; n < *last {
		s.disordered++
	} else {
		*last = n
	}
	s.arrived.add(sample{sent, now - sent})
}

// all reports whether everything that was sent has come.
func (s *isolation) all() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.came >= s.pulse.sent.Load()
}

// waiting returns how many readings wait for a sink, and whether the gateway
// answered.
func (s *isolation) waiting(sink string) (uint64, bool) {
	answer, err := http.Get("http://" + s.http + "/healthz")
	if err != nil {
		return 0, false
	}
	defer answer.Body.Close()
	var h healthReport
	if json.NewDecoder(answer.Body).Decode(&h) != nil || h.Sinks[sink].InJournal == nil {
		return 0, false
	}
	return *h.Sinks[sink].InJournal, true
}

// catchUp waits until no more waits for the sink at fault than a second's messages.
func (s *isolation) catchUp() {
	s.t.Helper()
	drivertest.Eventually(s.t, s.fault+" has caught up", func() bool {
		n, ok := s.waiting(s.fault)
		return ok && n < uint64(s.pulse.rate)
	})
}

// settle holds that everything arrived at both sinks, once.
func (s *isolation) settle() {
	s.t.Helper()
	s.deliver()
	drivertest.Eventually(s.t, "all that was delivered is noted", s.all)
	s.stop()
	total := s.pulse.sent.Load()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.came != total || s.doubled > 0 {
		s.t.Errorf("of %d messages %d arrived, %d twice", total, s.came, s.doubled)
	}
	rows := s.influxd.Query(s.t, "plant", "SELECT count(n), sum(n) FROM beat")
	if len(rows) != 1 {
		s.t.Fatalf("InfluxDB has %v", rows)
	}
	count, sum := fmt.Sprint(rows[0]["count"]), fmt.Sprint(rows[0]["sum"])
	if f, err := strconv.ParseFloat(sum, 64); err != nil || count != fmt.Sprint(total) || int64(f) != total*(total+1)/2 {
		s.t.Errorf("of %d messages InfluxDB has %s with the sum %s, want %d", total, count, sum, total*(total+1)/2)
	}
	if n := s.storedAtHub(); n != total {
		s.t.Errorf("of %d messages the hub stored %d", total, n)
	}
}

// storedAtHub returns how many messages the stream has.
func (s *isolation) storedAtHub() int64 {
	conn, err := nats.Connect(s.hub.URL())
	if err != nil {
		s.t.Fatal(err)
	}
	defer conn.Close()
	js, err := conn.JetStream()
	if err != nil {
		s.t.Fatal(err)
	}
	about, err := js.StreamInfo("READINGS")
	if err != nil {
		s.t.Fatal(err)
	}
	return int64(about.State.Msgs)
}

// busyFor returns how much processor time the gateway has used.
func (s *isolation) busyFor() time.Duration {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", s.gateway.Process.Pid))
	if err != nil {
		s.t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), ") ")
	fields, ticks := strings.Fields(rest), 0
	for _, f := range fields[11:13] { // user and system time, in hundredths of a second
		n, err := strconv.Atoi(f)
		if err != nil {
			s.t.Fatal(err)
		}
		ticks += n
	}
	return time.Duration(ticks) * 10 * time.Millisecond
}
