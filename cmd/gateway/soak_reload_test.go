package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"sluice/protocol"
)

// reloaded is a gateway under load whose configuration changes again and again.
//
// Its driver floor never changes, of shed only devices and profiles do, yard is
// restarted, and goes and comes back; the hub's sink is restarted, that of InfluxDB
// gets other names, and copy, a file, goes and comes back.
type reloaded struct {
	*soak
	expect map[string]int // connections by driver

	devices, settings, window int // drawn anew when they change
	yard, copies              bool
	names                     []string // of the sink to InfluxDB: now, and before
	unit                      string
	took                      []time.Duration
	done                      map[string]int // steps by action
}

// TestReload holds that reloading loses and doubles nothing, and that connections
// which nothing speaks against are kept. scripts/soak reload plays more rounds.
func TestReload(t *testing.T) {
	r := &reloaded{
		soak: newSoak(t), expect: map[string]int{"floor": 1, "shed": 1, "yard": 1}, done: map[string]int{},
		settings: 30, window: 500, yard: true, names: []string{"history", "before"}, unit: "V",
	}
	for _, v := range r.voices {
		r.ledger.Expect(protocol.Device{Name: v.name, Profile: string(v.kind), Driver: r.driverOf(v.kind)})
	}
	r.write()
	r.start()
	r.pace(float64(setting(t, "SLUICE_SOAK_RATE", 1000)))
	stop := r.talk()
	defer stop()
	rounds := setting(t, "SLUICE_SOAK_ROUNDS", 8)
	for round := range rounds {
		r.rest()
		r.mutate(round == rounds-1)
		r.reload()
		r.awaitReady()
		r.balanced()
	}
	r.rest()
	stop()
	r.finish()
	r.judge()
	r.judgeConnections()
	r.judgeCopy()
	r.tellReloads()
}

func (r *reloaded) driverOf(k voiceKind) string {
	return map[voiceKind]string{timed: "floor", rising: "shed", equal: "yard"}[k]
}

func (r *reloaded) pace(rate float64) {
	for _, k := range r.talkers {
		k.every.Store(int64(float64(time.Second) * soakTalkers / rate))
	}
}

func (r *reloaded) rest() { rest(r.t.Context(), r.random(100*time.Millisecond, time.Second)) }

// mutate changes one thing or more. At the end everything is there again.
func (r *reloaded) mutate(last bool) {
	for range 1 + r.rand.IntN(3) {
		switch r.rand.IntN(7) {
		case 0:
			r.devices = r.rand.IntN(12)
		case 1:
			r.unit = []string{"V", "A", "W"}[r.rand.IntN(3)]
		case 2:
			r.settings = 30 + r.rand.IntN(5)
		case 3:
			r.yard = !r.yard
		case 4:
			r.window = 300 + 10*r.rand.IntN(10)
		case 5:
			slices.Reverse(r.names)
		case 6:
			r.copies = !r.copies
		}
	}
	if last {
		r.yard, r.copies = true, true
	}
}

// write puts the configuration in the place of the one before.
func (r *reloaded) write() {
	var text strings.Builder
	fmt.Fprintf(&text, `
gateway: soak
http: {listen: %q}
drivers:
  floor: {mqtt: {url: %q}}
  shed: {mqtt: {url: %[2]q}}
`, r.http, r.broker.URL())
	if r.yard {
		fmt.Fprintf(&text, "  yard: {mqtt: {url: %q, keep_alive: %ds}}\n", r.broker.URL(), r.settings)
	}
	fmt.Fprintf(&text, `
profiles:
  timed: {decode: json, time: {path: ts, format: unix_us}, metrics: {n: {path: n}}}
  rising: {decode: json, metrics: {n: {path: n, unit: %s}}}
  equal: {decode: json, metrics: {n: {path: n}}}
devices:
`, r.unit)
	for n := range r.devices {
		fmt.Fprintf(&text, "  - {via: shed, profile: rising, topic: \"quiet/%d/{device}\"}\n", n)
	}
	fmt.Fprint(&text, `  - {via: floor, profile: timed, topic: "soak/timed/{device}"}
  - {via: shed, profile: rising, topic: "soak/rising/{device}"}
`)
	if r.yard {
		fmt.Fprint(&text, "  - {via: yard, profile: equal, topic: \"soak/equal/{device}\"}\n")
	}
	fmt.Fprintf(&text, `pipeline: {dir: %q, intake: 65536}
sinks:
  hub: {nats: {url: %q, stream: READINGS, create: true}, retry: {max: %dms}}
  %s: {was: %s, influx: {url: %q, org: plant, bucket: plant}, retry: {max: 500ms}}
`, filepath.Join(r.dir, "data"), r.hub.URL(), r.window, r.names[0], r.names[1], r.proxy.url)
	if r.copies {
		fmt.Fprintf(&text, "  copy: {start: oldest, file: {path: %q}}\n", r.copyPath())
	}
	r.writeConfig(text.String())
}

func (r *reloaded) copyPath() string { return filepath.Join(r.dir, "copy.ndjson") }

// reload has the gateway take the configuration over, and holds what it says.
func (r *reloaded) reload() {
	r.t.Helper()
	r.write()
	began := time.Now()
	out, err := exec.Command(r.binary, "reload", "--json", r.config).Output()
	if err != nil {
		r.t.Fatalf("reload: %v: %s", err, err.(*exec.ExitError).Stderr)
	}
	r.took = append(r.took, time.Since(began))
	var p plan
	if err := json.Unmarshal(out, &p); err != nil {
		r.t.Fatal(err)
	}
	for _, s := range p.Steps {
		r.done[s.Part+" "+s.Action]++
		allowed := map[string][]string{
			"floor": {actionKept}, "shed": {actionKept, actionUpdated}, "yard": {actionKept, actionRestarted, actionAdded, actionRemoved},
		}[s.Name]
		if s.Part == "driver" && !slices.Contains(allowed, s.Action) {
			r.t.Errorf("driver %s is %s because of %v", s.Name, s.Action, s.Changed)
		}
		if s.Part == "driver" && (s.Action == actionRestarted || s.Action == actionAdded) {
			r.expect[s.Name]++
		}
	}
	fmt.Fprintf(r.t.Output(), "reload %d in %v: %s\n", len(r.took), r.took[len(r.took)-1].Round(time.Millisecond), p.summary())
}

// judgeConnections counts in the broker's log who connected how often.
func (r *reloaded) judgeConnections() {
	log := r.broker.Log()
	for driver, want := range r.expect {
		if got := strings.Count(log, " as sluice-soak-"+driver+" "); got != want {
			r.t.Errorf("driver %s has connected %d times, want %d", driver, got, want)
		}
	}
}

// judgeCopy holds that the file has all readings, once.
func (r *reloaded) judgeCopy() {
	f, err := os.Open(r.copyPath())
	if err != nil {
		r.t.Fatal(err)
	}
	defer f.Close()
	var first, last, lines uint64
	for in := bufio.NewScanner(f); in.Scan(); lines++ {
		var m struct{ ID string }
		if err := json.Unmarshal(in.Bytes(), &m); err != nil {
			r.t.Fatalf("copy: %v: %s", err, in.Bytes())
		}
		id, err := protocol.ParseID(m.ID)
		if err != nil {
			r.t.Fatal(err)
		}
		if lines == 0 {
			first, last = id.Seq, id.Seq-1
		}
		if id.Seq != last+1 {
			r.t.Errorf("copy: %d follows %d", id.Seq, last)
		}
		last = id.Seq
	}
	if lines == 0 || lines != last-first+1 || last-first+1 > uint64(r.ledger.Deliveries("hub")) {
		r.t.Errorf("copy has %d lines, from %d to %d; the hub has %d readings", lines, first, last, r.ledger.Deliveries("hub"))
	}
}

func (r *reloaded) tellReloads() {
	slices.Sort(r.took)
	fmt.Fprintf(r.t.Output(), "%d reloads, %v to %v, half of them within %v; %v; %d at the hub; connections %v\n", len(r.took),
		r.took[0].Round(time.Millisecond), r.took[len(r.took)-1].Round(time.Millisecond), r.took[len(r.took)/2].Round(time.Millisecond),
		r.done, r.ledger.Deliveries("hub"), r.expect)
}
