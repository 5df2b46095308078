package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"sluice/drivers/drivertest"
	"sluice/firmware-sim/bus"
)

// gatewayEnv hands the program that root has built to the test that runs again as
// nobody.
const gatewayEnv = "SLUICE_TEST_GATEWAY"

// TestReplug pulls the plug of two ports of the real program again and again
// while it reads them, and now and then kills the program instead: as the user of
// the test and, when that is root, as nobody too. Readings have to go on within a
// second, nothing may be left behind, and waiting must cost nothing. scripts/soak
// replug plays more rounds.
func TestReplug(t *testing.T) {
	r := newReplug(t)
	r.start()
	r.resumes("the start", time.Now())
	r.cycle() // whatever is made once is made now
	before := r.uses()
	var back []time.Duration
	rounds := setting(t, "SLUICE_SOAK_ROUNDS", 10)
	for range rounds {
		back = append(back, r.cycle()...)
	}
	after := r.uses()
	const slack = 3 // of whoever asks for metrics; every round would leak one at least
	if after.descriptors > before.descriptors+slack || after.goroutines > before.goroutines+slack || after.threads > before.threads+slack {
		t.Errorf("after %d times %+v are in use, before %+v", rounds, after, before)
	}
	var lives []time.Duration
	for range max(rounds/10, 2) {
		r.kill()
		killed := time.Now()
		r.start()
		lives = append(lives, r.resumes("kill -9", killed)...)
	}
	slices.Sort(back)
	slices.Sort(lives)
	away := r.away()
	fmt.Fprintf(t.Output(), "user %d, %d times: readings went on after %v (half of them), %v (most), after kill -9 and a start at most %v\n"+
		"in use before %+v, after %+v; while both ports are away %.2f %% of a processor\n",
		os.Getuid(), rounds, back[len(back)/2], back[len(back)-1], lives[len(lives)-1], before, after, 100*away)
	if away > 0.01 {
		t.Errorf("the gateway takes %.2f %% of a processor while its ports are away, want less than 1 %%", 100*away)
	}
	if late := back[len(back)-1]; late > time.Second {
		t.Errorf("readings went on only after %v", late)
	}
	r.plug()
	r.stop()
}

// TestReplugUnprivileged is TestReplug as a user who may do nothing.
func TestReplugUnprivileged(t *testing.T) {
	if os.Getuid() != 0 {
		return // TestReplug is it
	}
	binary, err := buildGateway()
	if err != nil {
		t.Fatal(err)
	}
	const nobody = 65534
	self := filepath.Join(filepath.Dir(binary), "again") // nobody may not read where go test builds
	mine, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if err := exec.Command("cp", mine, self).Run(); err != nil {
		t.Fatal(err)
	}
	again := exec.Command(self, "-test.run=^TestReplug$", "-test.v")
	again.Dir, again.Env = "/", append(os.Environ(), gatewayEnv+"="+binary)
	again.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	out, err := again.CombinedOutput()
	fmt.Fprintf(t.Output(), "%s", out)
	if err != nil || !strings.Contains(string(out), "--- PASS: TestReplug") {
		t.Errorf("as nobody: %v", err)
	}
}

// replug is the real program with two ports: meters that are polled, and a scale
// that talks.
type replug struct {
	*rig
	buses []*bus.Bus
	out   string // the file that the sink writes
	seen  int64  // bytes of it that were read
}

var replugDrivers = []string{"meters", "scale"}

func newReplug(t *testing.T) *replug {
	binary := os.Getenv(gatewayEnv)
	if binary == "" {
		var err error
		if binary, err = buildGateway(); err != nil {
			t.Fatal(err)
		}
	}
	r := &replug{rig: &rig{t: t, binary: binary, dir: t.TempDir(), http: freeAddress(t)}}
	r.out = filepath.Join(r.dir, "out.ndjson")
	meters := r.newBus(bus.Options{Line: "115200 8N1", Link: filepath.Join(r.dir, "meters"), Turnaround: 2 * time.Millisecond})
	for unit := range uint8(4) {
		if err := meters.Add(bus.Slave{Unit: unit + 1, Holding: []bus.Block{{Values: make([]uint16, 20)}}}); err != nil {
			t.Fatal(err)
		}
	}
	scale := r.newBus(bus.Options{Mode: bus.Text, Line: "115200 8N1", Link: filepath.Join(r.dir, "scale")})
	if err := scale.AddDevice(bus.Device{Unit: 1, Talk: bus.Say("weight=17.5\r\n"), Every: 10 * time.Millisecond}); err != nil {
		t.Fatal(err)
	}
	r.writeConfig(fmt.Sprintf(`
gateway: replug
http: {listen: %q}
drivers:
  meters: {modbus: {port: %q, line: 115200 8N1}}
  scale: {serial: {port: %q, line: 115200 8N1}}
profiles:
  meter:
    poll: 100ms
    metrics: {first: {holding: 0, type: uint16}, last: {holding: 19, type: uint16}}
  weight: {decode: {regex: '^weight=(?P<weight>[0-9.]+)$'}}
devices:
  - {via: meters, profile: meter, unit: 1-4, device: "meter-{unit}"}
  - {via: scale, profile: weight, device: scale-1}
pipeline: {dir: %q, durability: os}
sinks:
  out: {file: {path: %q}, batch: {max_age: 10ms}}
`, r.http, meters.Path(), scale.Path(), filepath.Join(r.dir, "data"), r.out))
	t.Cleanup(r.kill)
	return r
}

// newBus plays a bus until the test ends.
func (r *replug) newBus(o bus.Options) *bus.Bus {
	b, err := bus.New(o)
	if err != nil {
		r.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var playing sync.WaitGroup
	playing.Go(func() {
		if err := b.Run(ctx); err != nil {
			r.t.Error(err)
		}
	})
	r.t.Cleanup(func() {
		cancel()
		playing.Wait()
		_ = b.Close()
	})
	r.buses = append(r.buses, b)
	return b
}

func (r *replug) plug() {
	r.t.Helper()
	for _, b := range r.buses {
		if err := b.Plug(); err != nil {
			r.t.Fatal(err)
		}
	}
}

// pull pulls both plugs and waits until the gateway knows.
func (r *replug) pull() {
	r.t.Helper()
	for _, b := range r.buses {
		if err := b.Unplug(); err != nil {
			r.t.Fatal(err)
		}
	}
	drivertest.Eventually(r.t, "the gateway misses its ports", func() bool { return r.metrics()["sluice_driver_up"] == 0 })
}

// cycle pulls the plugs, puts them in again, and returns how long it took for
// readings of each driver to go on.
func (r *replug) cycle() []time.Duration {
	r.t.Helper()
	r.pull()
	plugged := time.Now()
	r.plug()
	return r.resumes("a replug", plugged)
}

// resumes waits until every driver has received a reading since then, and returns
// how long after it the first ones were.
func (r *replug) resumes(what string, since time.Time) (after []time.Duration) {
	r.t.Helper()
	first := map[string]time.Time{}
	drivertest.Eventually(r.t, "readings go on after "+what, func() bool {
		for _, line := range r.written() {
			var m struct {
				Time   time.Time
				Driver string
			}
			if err := json.Unmarshal(line, &m); err != nil {
				r.t.Errorf("the sink wrote %q: %v", line, err)
			}
			if _, known := first[m.Driver]; !known && m.Time.After(since) {
				first[m.Driver] = m.Time
			}
		}
		return len(first) == len(replugDrivers)
	})
	for _, driver := range replugDrivers {
		after = append(after, first[driver].Sub(since))
	}
	return after
}

// written returns the lines that the sink has written since the last call.
func (r *replug) written() (lines [][]byte) {
	f, err := os.Open(r.out)
	if err != nil {
		return nil // not there yet
	}
	defer f.Close()
	if _, err := f.Seek(r.seen, 0); err != nil {
		r.t.Fatal(err)
	}
	for in := bufio.NewReader(f); ; {
		line, err := in.ReadBytes('\n')
		if err != nil {
			return lines // the rest of a line comes later
		}
		r.seen += int64(len(line))
		lines = append(lines, line)
	}
}

// uses is what the gateway has in use.
type uses struct{ descriptors, goroutines, threads int }

func (r *replug) uses() uses {
	r.t.Helper()
	descriptors, err := os.ReadDir(r.proc("fd"))
	if err != nil {
		r.t.Fatal(err)
	}
	threads, err := os.ReadDir(r.proc("task"))
	if err != nil {
		r.t.Fatal(err)
	}
	return uses{len(descriptors), int(r.metrics()["go_goroutines"]), len(threads)}
}

func (r *replug) proc(name string) string {
	return fmt.Sprintf("/proc/%d/%s", r.gateway.Process.Pid, name)
}

// away returns how much of a processor the gateway takes while its ports are
// missing.
func (r *replug) away() float64 {
	r.t.Helper()
	r.pull()
	rest(r.t.Context(), time.Second) // what it was busy with before
	began, took := time.Now(), r.processorTime()
	rest(r.t.Context(), 3*time.Second)
	return float64(r.processorTime()-took) / float64(time.Since(began))
}

func (r *replug) processorTime() (sum time.Duration) {
	r.t.Helper()
	threads, _ := filepath.Glob(r.proc("task/*/schedstat")) // the pattern is all right
	for _, thread := range threads {
		text, err := os.ReadFile(thread)
		if err != nil {
			continue // it has ended
		}
		n, err := strconv.ParseInt(string(bytes.Fields(text)[0]), 10, 64)
		if err != nil {
			r.t.Fatal(err)
		}
		sum += time.Duration(n)
	}
	return sum
}
