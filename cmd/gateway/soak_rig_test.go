package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"sluice/drivers/drivertest"
	"sluice/protocol"
)

// soak is the real program under full load between real servers, to be killed
// again and again. All rounds run on one rig, so that what a round leaves behind
// is the next one's beginning.
type soak struct {
	*rig
	rand    *rand.Rand
	talkers []*talker
	voices  []*voice

	// Written by the hub's follower, read when it has caught up.
	ids   map[protocol.ID]bool // of what the hub stored
	twice []protocol.ID        // stored more than once
	atHub map[voiceKind]int64

	atHistory map[voiceKind]int64 // written by finish

	kills  int             // of the gateway
	young  int             // of these, while it started
	breaks int             // of the broker
	repeat int64           // lines that InfluxDB may have got twice, see mayRepeat
	downs  []time.Duration // from the blow until everything is ready again
}

const (
	soakTalkers = 2
	soakDevices = 3      // with rising values, of each kind and talker
	soakBehind  = 10_000 // readings that may be under way to the hub; they wait in the broker and the journal
	steadyRate  = 5_000  // messages per second that leave the gateway time to spare
)

func newSoak(t *testing.T) *soak {
	s := &soak{
		rig: newServers(t), rand: seeded(t), ids: map[protocol.ID]bool{},
		atHub: map[voiceKind]int64{}, atHistory: map[voiceKind]int64{},
	}
	s.writeConfig(fmt.Sprintf(`
gateway: soak
http: {listen: %q}
drivers:
  floor: {mqtt: {url: %q}}
profiles:
  timed: {decode: json, time: {path: ts, format: unix_us}, metrics: {n: {path: n}}}
  rising: {decode: json, metrics: {n: {path: n}}}
  equal: {decode: json, metrics: {n: {path: n}}}
devices:
  - {via: floor, profile: timed, topic: "soak/timed/{device}"}
  - {via: floor, profile: rising, topic: "soak/rising/{device}"}
  - {via: floor, profile: equal, topic: "soak/equal/{device}"}
pipeline: {dir: %q}
sinks:
  hub: {nats: {url: %q, stream: READINGS, create: true}, retry: {max: 500ms}}
  history: {influx: {url: %q, org: plant, bucket: plant}, retry: {max: 500ms}}
`, s.http, s.broker.URL(), filepath.Join(s.dir, "data"), s.hub.URL(), s.proxy.url))
	for i := range soakTalkers {
		s.addTalker(i)
	}
	if err := s.hub.Follow("READINGS", s.stored); err != nil {
		t.Fatal(err)
	}
	return s
}

// setting returns a number from the environment, which is how scripts/soak says
// how long to soak.
func setting(t testing.TB, name string, otherwise int) int {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return otherwise
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		t.Fatalf("%s is %q, want a number from 1", name, text)
	}
	return n
}

// seeded returns what the moments of the blows are drawn from.
func seeded(t *testing.T) *rand.Rand {
	seed := uint64(setting(t, "SLUICE_SOAK_SEED", 1))
	return rand.New(rand.NewPCG(seed, seed))
}

// addTalker adds a publisher with devices of its own, so that each device's
// messages have one order. Its equal payloads come from one device, every third
// message: sooner or later one has the packet id of an earlier one, and only the
// gateway's memory of what was acknowledged tells them apart.
func (s *soak) addTalker(i int) {
	k := &talker{
		id: fmt.Sprintf("talker-%d", i), address: s.broker.Addr(), ledger: s.ledger,
		hold: func() bool { return s.ledger.Outstanding("hub") > soakBehind },
	}
	same := s.addVoice(equal, i)
	for n := range soakDevices {
		k.turns = append(k.turns, s.addVoice(timed, i*soakDevices+n), s.addVoice(rising, i*soakDevices+n), same)
	}
	s.talkers = append(s.talkers, k)
}

func (s *soak) addVoice(kind voiceKind, n int) *voice {
	v := &voice{name: fmt.Sprintf("%s-%d", kind, n), kind: kind}
	s.ledger.Expect(protocol.Device{Name: v.name, Profile: string(kind), Driver: "floor"})
	if kind == equal {
		s.ledger.ByCount(v.name)
	}
	s.voices = append(s.voices, v)
	return v
}

// setPace lets the talkers publish as fast as the broker acknowledges, so that
// the gateway cannot keep up, or at a steady rate, so that it can.
func (s *soak) setPace(steady bool) {
	every := time.Duration(0)
	if steady {
		every = time.Second * soakTalkers / steadyRate
	}
	for _, k := range s.talkers {
		k.every.Store(int64(every))
	}
}

// talk lets the talkers talk until the function that it returns is called.
func (s *soak) talk() (stop func()) {
	ctx, cancel := context.WithCancel(s.t.Context())
	var talking sync.WaitGroup
	for _, k := range s.talkers {
		talking.Go(func() {
			if err := k.run(ctx); err != nil {
				s.t.Error(err)
			}
		})
	}
	return sync.OnceFunc(func() {
		cancel()
		talking.Wait()
	})
}

// stored enters what the hub stored into the accounts.
func (s *soak) stored(payload []byte) {
	var m struct{ ID, Profile string }
	err := json.Unmarshal(payload, &m)
	id, notID := protocol.ParseID(m.ID)
	if err = errors.Join(err, notID); err != nil {
		s.t.Errorf("hub stored a reading without an id: %v: %s", err, payload)
	}
	if s.ids[id] {
		s.twice = append(s.twice, id)
	}
	s.ids[id] = true
	s.atHub[voiceKind(m.Profile)]++
	if err := s.ledger.FromJSON("hub", payload); err != nil { // last: it tells that the rest is done
		s.t.Error(err)
	}
}

// sent returns how many messages of the kinds were acknowledged, and how many may
// have been sent in vain.
func (s *soak) sent(kinds ...voiceKind) (acked, doubted int64) {
	for _, v := range s.voices {
		if slices.Contains(kinds, v.kind) {
			acked += v.acked.Load()
			doubted += v.doubted.Load()
		}
	}
	return acked, doubted
}

// unsaved is how much of its latest deliveries a killed gateway may not have
// noted: cursors are saved every 100 ms, on a machine that has other work.
const unsaved = 150 * time.Millisecond

// oneBatch is the sinks' default batch.max_readings, oneStep how far a cursor may
// move without being saved.
const oneBatch, oneStep = 1000, 1000

// mayRepeat allows for what InfluxDB gets again after the gateway was killed just
// now: the batch under way, which InfluxDB may have stored without the gateway
// learning of it, and what was delivered after the cursor was last saved. The next
// gateway goes on at the saved cursor, so it repeats nothing before that.
func (s *soak) mayRepeat() {
	s.repeat += oneBatch + oneStep + s.proxy.within(unsaved)
}

// killGateway ends the gateway as a power cut would.
func (s *soak) killGateway() {
	s.kills++
	s.kill()
	s.mayRepeat() // afterwards: what was answered up to now may have been its last
}

// finish waits for what was sent to arrive, stops the gateway and brings the
// accounts of both sinks up to date. What is lost does not end the wait in vain:
// the accounts name it.
func (s *soak) finish() {
	s.t.Helper()
	patience, cancel := context.WithTimeout(s.t.Context(), drivertest.Patience)
	defer cancel()
	for s.ledger.Outstanding("hub") > 0 && patience.Err() == nil {
		rest(patience, talkLook)
	}
	s.deliver()
	s.stop()
	s.caughtUp()
	for _, v := range s.voices { // one by one: all at once would be a lot of memory
		before := s.ledger.Deliveries("history")
		s.readBack(fmt.Sprintf("SELECT * FROM %s WHERE device = '%s' GROUP BY *", v.kind, v.name))
		s.atHistory[v.kind] += s.ledger.Deliveries("history") - before
	}
}

// caughtUp waits until the accounts know all that the stream stored.
func (s *soak) caughtUp() {
	s.t.Helper()
	nc, err := nats.Connect(s.hub.URL())
	if err != nil {
		s.t.Fatal(err)
	}
	defer nc.Close()
	js, err := jetstream.New(nc)
	if err != nil {
		s.t.Fatal(err)
	}
	stream, err := js.Stream(s.t.Context(), "READINGS")
	if err != nil {
		s.t.Fatal(err)
	}
	stored := int64(stream.CachedInfo().State.Msgs)
	drivertest.Eventually(s.t, "the accounts know what the stream stored", func() bool {
		return s.ledger.Deliveries("hub") >= stored
	})
}
