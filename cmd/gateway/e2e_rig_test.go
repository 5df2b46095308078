package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"sluice/cmd/gateway/config"
	"sluice/cmd/gateway/standin"
	"sluice/drivers/drivertest"
	"sluice/firmware-sim/fleet"
	"sluice/firmware-sim/ledger"
	"sluice/protocol"
	"sluice/sink/sinktest"
)

// buildGateway builds the program once per run of the tests.
var buildGateway = sync.OnceValues(func() (string, error) {
	path := filepath.Join(buildDir(), "gateway")
	out, err := exec.Command("go", "build", "-o", path, ".").CombinedOutput()
	if err != nil {
		err = fmt.Errorf("go build: %w\n%s", err, out)
	}
	return path, err
})

// buildDir is where this run of the tests builds. TestMain removes it.
func buildDir() string {
	return filepath.Join(os.TempDir(), fmt.Sprintf("sluice-test-%d", os.Getpid()))
}

// rig is the real program between real servers and a simulated fleet.
type rig struct {
	t      *testing.T
	binary string
	dir    string // the test's own
	config string // path of the file
	http   string // the gateway's address

	broker  *drivertest.Mosquitto
	hub     *standin.Hub // a real nats-server, in this process
	influxd *sinktest.Influxd
	proxy   *recorder
	fleet   *fleet.Fleet
	ledger  *ledger.Ledger
	timing  atomic.Bool  // whether readings are timed now
	late    atomic.Int64 // nanoseconds of the slowest timed reading from device to hub

	gateway *exec.Cmd
	log     bytes.Buffer
}

// play says what a rig's fleet does.
type play struct {
	devices int // on MQTT
	ports   int // with a serial device each
	limit   int64
	rate    float64
}

func newRig(t *testing.T, p play) *rig {
	r := newServers(t)
	ports := filepath.Join(r.dir, "ports")
	if err := os.Mkdir(ports, 0o755); err != nil {
		t.Fatal(err)
	}
	r.writeFleetConfig(ports, p.ports)
	r.openFleet(p, ports)
	if err := r.hub.Follow("READINGS", r.arrived); err != nil {
		t.Fatal(err)
	}
	return r
}

// newServers starts everything around the gateway but the devices: they and the
// configuration are up to the caller.
func newServers(t *testing.T) *rig {
	binary, err := buildGateway()
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{t: t, binary: binary, dir: t.TempDir(), http: freeAddress(t), ledger: ledger.New("hub", "history")}
	r.broker = drivertest.StartMosquitto(t, "max_queued_messages 0", "max_inflight_messages 200")
	if r.hub, err = standin.NewHub(t.TempDir()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.hub.Close() })
	r.influxd = sinktest.StartInfluxd(t)
	r.influxd.CreateDatabase(t, "plant")
	r.proxy = newRecorder(t, r.influxd.URL())
	t.Cleanup(r.kill)
	return r
}

func (r *rig) writeFleetConfig(ports string, serials int) {
	var drivers, devices bytes.Buffer
	for i := range serials {
		fmt.Fprintf(&drivers, "  scale%d: {serial: {port: %s/scale%d, line: 115200 8N1}}\n", i, ports, i)
		fmt.Fprintf(&devices, "  - {via: scale%d, profile: weighbridge, device: weighbridge-%d, tags: {area: gate}}\n", i, i)
	}
	r.writeConfig(fmt.Sprintf(`
gateway: e2e
http: {listen: %q}
drivers:
  floor: {mqtt: {url: %q}}
%sprofiles:
  climate:
    decode: json
    time: {path: ts, format: unix_ms}
    metrics:
      temperature: {path: t, unit: °C}
      humidity: {path: rh, unit: "%%", scale: 0.1}
  weighbridge:
    decode: {regex: '^(?P<state>ST|US),GS,\s*(?P<weight>[-+]?[0-9.]+)\s*kg'}
devices:
  - {via: floor, profile: climate, topic: "plant/{area}/{device}/climate"}
%spipeline: {dir: %q}
sinks:
  hub: {nats: {url: %q, stream: READINGS, create: true}}
  history: {influx: {url: %q, org: plant, bucket: plant}, retry: {max: 500ms}}
`, r.http, r.broker.URL(), &drivers, &devices, filepath.Join(r.dir, "data"), r.hub.URL(), r.proxy.url))
}

func (r *rig) writeConfig(text string) {
	r.t.Helper()
	r.config = filepath.Join(r.dir, "config.yaml")
	if err := os.WriteFile(r.config, []byte(text), 0o600); err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) openFleet(p play, ports string) {
	f, err := config.Load(r.config, config.Options{})
	if err != nil {
		r.t.Fatal(err)
	}
	model, err := fleet.FromConfig(f, fleet.Options{Devices: p.devices, Seed: 7})
	if err != nil {
		r.t.Fatal(err)
	}
	r.fleet, err = fleet.Open(model, fleet.Play{
		Brokers: map[string]fleet.Broker{"floor": {URL: r.broker.URL()}},
		Ports:   ports, Rate: p.rate, LineRate: 50, Limit: p.limit, Ledger: r.ledger,
	})
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { r.fleet.Close() })
}

// arrived enters what the hub stored into the accounts.
func (r *rig) arrived(payload []byte) {
	if err := r.ledger.FromJSON("hub", payload); err != nil {
		r.t.Error(err)
	}
	var m struct{ Time time.Time }
	if json.Unmarshal(payload, &m) == nil && r.timing.Load() {
		r.late.Store(max(r.late.Load(), int64(time.Since(m.Time)))) // by this goroutine alone
	}
}

func freeAddress(t *testing.T) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// start runs the gateway and returns when it is ready.
func (r *rig) start() {
	r.t.Helper()
	r.launch()
	r.awaitReady()
}

// launch begins to run the gateway.
func (r *rig) launch() {
	r.t.Helper()
	r.gateway = exec.Command(r.binary, "run", r.config)
	r.gateway.Stderr = &r.log
	if err := r.gateway.Start(); err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) awaitReady() {
	r.t.Helper()
	drivertest.Eventually(r.t, "gateway is ready", func() bool { return r.get("/readyz") == http.StatusOK })
}

// get returns the status of a page of the gateway, 0 when it does not answer.
func (r *rig) get(page string) int {
	answer, err := http.Get("http://" + r.http + page)
	if err != nil {
		return 0
	}
	defer answer.Body.Close()
	_, _ = io.Copy(io.Discard, answer.Body)
	return answer.StatusCode
}

// kill ends the gateway as a power cut would.
func (r *rig) kill() {
	if r.gateway != nil && r.gateway.Process != nil && r.gateway.ProcessState == nil {
		_ = r.gateway.Process.Kill()
		_ = r.gateway.Wait()
	}
	if r.t.Failed() {
		r.t.Logf("gateway: %s", r.log.Bytes())
	}
}

// stop ends the gateway as an operator would, when its accounts are in balance.
func (r *rig) stop() {
	r.t.Helper()
	r.balanced()
	if err := r.gateway.Process.Signal(syscall.SIGTERM); err != nil {
		r.t.Fatal(err)
	}
	if err := r.gateway.Wait(); err != nil {
		r.t.Fatalf("gateway: %v\n%s", err, r.log.Bytes())
	}
}

// playOut runs the fleet to its limit.
func (r *rig) playOut() {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	if err := r.fleet.Run(ctx); err != nil {
		r.t.Fatal(err)
	}
}

// sent waits until the fleet has sent n messages.
func (r *rig) sent(n int64) {
	r.t.Helper()
	drivertest.Eventually(r.t, fmt.Sprintf("%d messages are sent", n), func() bool { return r.fleet.Progress().Sent >= n })
}

// settle drains and stops the gateway and reads InfluxDB back.
func (r *rig) settle() {
	r.t.Helper()
	r.drain()
	r.stop()
	r.readBack("SELECT * FROM /.*/ GROUP BY *")
}

// drain waits until all is at the hub and the gateway's own accounts say that
// nothing is under way.
func (r *rig) drain() {
	r.t.Helper()
	drivertest.Eventually(r.t, "everything is at the hub", func() bool { return r.ledger.Outstanding("hub") == 0 })
	r.deliver()
}

// deliver waits until the gateway has nothing to deliver.
func (r *rig) deliver() {
	r.t.Helper()
	drivertest.Eventually(r.t, "nothing waits in the journal", func() bool {
		answer, err := http.Get("http://" + r.http + "/healthz")
		if err != nil {
			return false
		}
		defer answer.Body.Close()
		var h healthReport
		if json.NewDecoder(answer.Body).Decode(&h) != nil {
			return false
		}
		for _, s := range h.Sinks {
			if s.InJournal == nil || *s.InJournal > 0 {
				return false
			}
		}
		return true
	})
}

// readBack enters what InfluxDB answers to a query of whole points into the
// accounts.
func (r *rig) readBack(query string) {
	r.t.Helper()
	for _, row := range r.influxd.Query(r.t, "plant", query) {
		var at protocol.Timestamp
		measurement, tags, fields := "", map[string]string{}, map[string]any{}
		for key, cell := range row {
			switch {
			case key == "measurement":
				measurement = cell.(string)
			case key == "time":
				n, err := cell.(json.Number).Int64()
				if err != nil {
					r.t.Fatal(err)
				}
				at = protocol.Timestamp(n)
			case key == "device" || key == "area" || key == "driver" || key == "gateway":
				tags[key], _ = cell.(string)
			case cell != nil:
				fields[key] = cell
			}
		}
		if err := r.ledger.FromPoint("history", measurement, tags, fields, at); err != nil {
			r.t.Fatal(err)
		}
	}
}

// clean holds that each reading reached the sink once, unchanged, in order.
func (r *rig) clean(sink string) {
	r.t.Helper()
	a := r.ledger.Verdict(sink)
	// A query gives the readings in the order of their times, whatever the
	// order of writing was.
	if sink == "history" {
		a.Reordered = 0
	}
	if sent, open := r.ledger.Totals(); !a.Clean() || a.Delivered != sent || open > 0 {
		r.t.Errorf("%s: of %d sent (%d unconfirmed) %d arrived, %d lost, %d doubled, %d wrong, %d unexpected, %d out of order\n%v",
			sink, sent, open, a.Delivered, a.Lost, a.Duplicates, a.Wrong, a.Unexpected, a.Reordered, a.Findings)
	}
}

// recorder is a proxy in front of InfluxDB that counts the lines written: equal
// points leave no trace in the database.
type recorder struct {
	url   string
	lines atomic.Int64 // in requests that were answered with success

	mu     sync.Mutex // guards latest
	latest []answered // of the last second
}

// answered is one request that succeeded.
type answered struct {
	at    time.Time
	lines int64
}

func (r *recorder) answered(lines int64) {
	r.lines.Add(lines)
	r.mu.Lock()
	defer r.mu.Unlock()
	now := time.Now()
	for len(r.latest) > 0 && now.Sub(r.latest[0].at) > time.Second {
		r.latest = r.latest[1:]
	}
	r.latest = append(r.latest, answered{now, lines})
}

// within returns how many lines were answered with success in the last d, at
// most a second.
func (r *recorder) within(d time.Duration) (lines int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, a := range r.latest {
		if time.Since(a.at) <= d {
			lines += a.lines
		}
	}
	return lines
}

type lineCount struct{}

func newRecorder(t *testing.T, to string) *recorder {
	target, err := url.Parse(to)
	if err != nil {
		t.Fatal(err)
	}
	rec := &recorder{}
	proxy := httputil.NewSingleHostReverseProxy(target)
	proxy.ErrorLog = log.New(io.Discard, "", 0) // InfluxDB may be away
	transport := &http.Transport{}
	proxy.Transport = transport
	proxy.ModifyResponse = func(answer *http.Response) error {
		if n, ok := answer.Request.Context().Value(lineCount{}).(int64); ok && answer.StatusCode == http.StatusNoContent {
			rec.answered(n)
		}
		return nil
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		proxy.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), lineCount{}, countLines(body))))
	}))
	t.Cleanup(func() {
		server.Close()
		transport.CloseIdleConnections()
	})
	rec.url = server.URL
	return rec
}

// countLines counts the lines of a body, zipped or not.
func countLines(body []byte) int64 {
	if z, err := gzip.NewReader(bytes.NewReader(body)); err == nil {
		if plain, err := io.ReadAll(z); err == nil {
			body = plain
		}
	}
	return int64(bytes.Count(body, []byte("\n")))
}
