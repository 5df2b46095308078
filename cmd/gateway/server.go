package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/pprof"
	"net/netip"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"sluice/cmd/gateway/config"
)

// listen opens the address of the configuration. It is nil when there is none.
func listen(c config.HTTP) (net.Listener, error) {
	if c.Listen == "" {
		return nil, nil
	}
	listener, err := net.Listen("tcp", c.Listen)
	if err != nil {
		return nil, fmt.Errorf("serve http: %w", err)
	}
	return listener, nil
}

// server answers /healthz, /readyz and /metrics on a loopback address. It
// changes nothing.
type server struct{ http *http.Server }

func newServer(c config.HTTP, g *gateway) *server {
	registry := prometheus.NewRegistry()
	registry.MustRegister(newCollector(g), collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { writeHealth(w, g, healthReport.alive) })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) { writeHealth(w, g, healthReport.ready) })
	mux.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	if c.PProf {
		mux.HandleFunc("GET /debug/pprof/", pprof.Index)
		mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
		mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
		mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
	}
	return &server{&http.Server{Handler: localOnly(mux), ReadHeaderTimeout: 5 * time.Second}}
}

// run serves until ctx ends, and closes the listener.
func (s *server) run(ctx context.Context, listener net.Listener, log *slog.Logger) {
	end := context.AfterFunc(ctx, func() { s.http.Close() })
	defer end()
	log.Info("http is served", "address", listener.Addr().String())
	if err := s.http.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		log.Error("http is not served any more", "err", err)
	}
}

// localOnly refuses requests that a web page elsewhere made a browser send: they
// name another host.
func localOnly(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !isLocal(r.Host) {
			http.Error(w, "this address answers to localhost only", http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func isLocal(hostport string) bool {
	host, _, err := net.SplitHostPort(hostport)
	if err != nil {
		host = hostport
	}
	if host == "localhost" {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback()
}

// healthReport is the gateway's state in the words of the configuration.
type healthReport struct {
	Gateway string                `json:"gateway"`
	Version string                `json:"version"`
	Ready   bool                  `json:"ready"`
	Drivers map[string]partHealth `json:"drivers"`
	Journal partHealth            `json:"journal"`
	Sinks   map[string]partHealth `json:"sinks"`
	Devices deviceHealth          `json:"devices"`

	// Stuck names what hangs, "" when nothing does: the process has to be
	// restarted.
	Stuck string `json:"stuck,omitempty"`

	// Unclaimed are the readings kept for sinks that are not configured.
	Unclaimed map[string]uint64 `json:"unclaimed,omitempty"`
}

type partHealth struct {
	State     string    `json:"state"`
	Since     time.Time `json:"since"`
	Detail    string    `json:"detail,omitempty"`
	InJournal *uint64   `json:"in_journal,omitempty"` // readings that wait for this sink

	Breaker      string `json:"breaker,omitempty"` // unless closed
	Backlog      uint64 `json:"backlog,omitempty"` // of in_journal, overtaken by newer readings
	Diverted     uint64 `json:"diverted,omitempty"`
	DeadLettered uint64 `json:"dead_lettered,omitempty"`
	Evicted      uint64 `json:"evicted,omitempty"`
}

func (r healthReport) ready() bool { return r.Ready }

// alive is whether the gateway does its own work: a broker or server that is
// away is not its fault, and restarting it would not help.
func (r healthReport) alive() bool { return r.Journal.State == "ok" && r.Stuck == "" }

func (g *gateway) health() healthReport {
	s := g.pipeline.Stats()
	r := healthReport{Gateway: g.name, Version: version(), Ready: s.Disk.OK, Drivers: map[string]partHealth{}, Sinks: map[string]partHealth{}}
	for _, d := range g.parts() {
		c := d.status.Condition()
		r.Drivers[d.name] = partHealth{State: string(c.State), Since: c.Since, Detail: c.Detail}
		r.Ready = r.Ready && c.State == "up"
	}
	r.Journal = partHealth{State: stateOf(s.Disk.OK), Since: s.Disk.Since, Detail: s.Disk.Err}
	r.Stuck = g.stuck()
	for _, d := range s.Deliveries {
		r.Sinks[d.Name] = partHealth{State: stateOf(d.Health.OK), Since: d.Health.Since, Detail: d.Health.Err, InJournal: &d.InJournal,
			Backlog: d.Backlog, Diverted: d.Diverted, DeadLettered: d.DeadLettered, Evicted: d.Evicted.Total()}
		if d.Breaker != "closed" {
			part := r.Sinks[d.Name]
			part.Breaker = d.Breaker
			r.Sinks[d.Name] = part
		}
		r.Ready = r.Ready && d.Health.OK
	}
	r.Devices = healthOfDevices(g.pipeline)
	for _, f := range s.Fallbacks {
		r.Sinks[f.Name] = partHealth{State: stateOf(f.Health.OK), Since: f.Health.Since, Detail: f.Health.Err}
		r.Ready = r.Ready && f.Health.OK
	}
	for _, c := range s.Unclaimed {
		if r.Unclaimed == nil {
			r.Unclaimed = map[string]uint64{}
		}
		r.Unclaimed[c.Name] = c.InJournal
	}
	return r
}

func stateOf(ok bool) string {
	if ok {
		return "ok"
	}
	return "failing"
}

func writeHealth(w http.ResponseWriter, g *gateway, good func(healthReport) bool) {
	r := g.health()
	w.Header().Set("Content-Type", "application/json")
	if !good(r) {
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	_ = json.NewEncoder(w).Encode(r) // the client may have gone
}
